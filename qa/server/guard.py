"""What stands before everything: Host, Origin, token, sizes, times, and headers of defence.

A plain ASGI wrapper. The body is read here, whole, so that nothing behind it waits for a client.
"""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from qa.server import problems
from qa.server.problems import Problem, ProblemError
from qa.server.settings import Settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

API = "/v1/"
# What holds nothing of any article needs no token.
_OPEN = frozenset({"/v1/health", "/v1/openapi.json"})
_ADDING = "/v1/articles"

# What is no page may load nothing, be framed nowhere; the page brings a policy of its own.
_POLICY = b"content-security-policy"
_HEADERS = (
    (_POLICY, b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)

_log = logging.getLogger(__name__)


class Guard:
    """Refuses what must not pass, bounds what may, and puts the headers on every response."""

    def __init__(self, app: App, settings: Settings) -> None:
        self.app = app
        self._settings = settings
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # a websocket: closed unaccepted
        reply = _Reply(scope, send)
        self._at_once += 1
        try:
            await self._serve(scope, receive, reply)
        except ProblemError as refused:
            problems.note(scope, refused.problem)
            await reply.problem(refused.problem)
        except Exception as error:  # noqa: BLE001 -- a fault in one request ends only that
            # The one place where a fault of ours is told; the server goes on.
            _log.exception(
                "%s %r: %s: %s. This is a fault of qa's: please report it, with what "
                "QA_TRACEBACK=1 shows.",
                scope["method"],
                scope["path"],
                type(error).__name__,
                error,
            )
            await reply.problem(problems.FAULT)
        finally:
            self._at_once -= 1

    async def _serve(self, scope: Scope, receive: Receive, reply: "_Reply") -> None:
        limits, adds = self._settings.limits, _adds(scope)
        if self._at_once > limits.at_once:
            raise ProblemError(problems.TOO_MANY)
        self._check(scope)
        most = limits.upload_bytes if adds else limits.body_bytes
        try:
            async with asyncio.timeout(limits.body_s):
                body = await _read(scope, receive, most)
        except TimeoutError:
            raise ProblemError(problems.SLOW_BODY) from None
        try:
            async with asyncio.timeout(limits.add_s if adds else limits.answer_s):
                await self.app(scope, _replayed(body, receive), reply.send)
        except TimeoutError:
            raise ProblemError(problems.TOO_SLOW) from None

    def _check(self, scope: Scope) -> None:
        """Raises ProblemError unless the Host, the Origin and the token are right."""
        host = _header(scope, b"host")
        if not self._settings.is_named(host):
            raise ProblemError(problems.WRONG_HOST)
        if not scope["path"].startswith(API):
            return
        origin = _header(scope, b"origin")
        if origin and origin.partition("://")[2].lower() != host.lower():
            raise ProblemError(problems.WRONG_ORIGIN)
        # Browsers say so even where they send no Origin, as for pictures and scripts.
        if _header(scope, b"sec-fetch-site") in {"cross-site", "same-site"}:
            raise ProblemError(problems.WRONG_ORIGIN)
        if self._settings.token is not None and scope["path"] not in _OPEN:
            self._check_token(scope, self._settings.token)

    def _check_token(self, scope: Scope, token: str) -> None:
        scheme, _, given = _header(scope, b"authorization").partition(" ")
        if scheme.lower() != "bearer":
            raise ProblemError(problems.NO_TOKEN)
        if not hmac.compare_digest(given.strip().encode(), token.encode()):
            raise ProblemError(problems.WRONG_TOKEN)


class _Reply:
    """The way back to the client; knows whether a response has begun."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._api = scope["path"].startswith(API)
        self._send = send
        self._begun = False

    async def send(self, message: Message) -> None:
        """Passes a message on, with the headers of defence on the first."""
        if message["type"] == "http.response.start":
            self._begun = True
            more = (*_HEADERS, (b"cache-control", b"no-store")) if self._api else _HEADERS
            own = [*message.get("headers", ())]
            said = {name for name, _ in own}
            own += [(name, value) for name, value in more if name not in said]
            message = {**message, "headers": own}
        await self._send(message)

    async def problem(self, problem: Problem) -> None:
        """Answers with a problem; where a response has begun, it ends torn, as it must."""
        if self._begun:
            return
        body = problem.body()
        headers = {
            "Content-Type": problems.MEDIA_TYPE,
            "Content-Length": str(len(body)),
            **problem.headers,
        }
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})


async def _read(scope: Scope, receive: Receive, most: int) -> bytes:
    """The whole body.

    Raises:
        ProblemError: it is larger than `most` bytes, or ended early.
    """
    length = _header(scope, b"content-length")
    if length.isdigit() and int(length) > most:
        raise ProblemError(problems.too_large(most))
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ProblemError(problems.GONE_BODY)
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            raise ProblemError(problems.too_large(most))
        parts.append(part)
        more = message.get("more_body", False)
    return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """What the application receives: the body at once, then what comes after it."""
    told = False

    async def receive_again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _adds(scope: Scope) -> bool:
    return bool(scope["path"] == _ADDING and scope["method"] == "POST")


def _header(scope: Scope, name: bytes) -> str:
    """A header's value; of one that comes twice, all of them, which is then no good value."""
    found = [value for key, value in scope["headers"] if key == name]
    return b", ".join(found).decode("latin-1")
