"""Runs the server: a socket, a process, and the words on the terminal."""

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from math import ceil
from urllib.parse import quote

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from qa.bot import Bot
from qa.errors import QaError
from qa.server.app import create_app
from qa.server.settings import Settings

_BACKLOG = 512
_GOODBYE_S = 5


def run(bot: Bot, settings: Settings, tell: Callable[[str], None]) -> None:
    """Serves until it is interrupted.

    Args:
        bot: answers.
        settings: where, for whom, within what limits.
        tell: is given the address once it can be asked there.

    Raises:
        QaError: the address cannot be had.
    """
    server, listening, address = prepared(bot, settings)
    _forward_log()
    tell(address)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        return  # how a server is ended
    finally:
        listening.close()


def prepared(bot: Bot, settings: Settings) -> tuple[uvicorn.Server, socket.socket, str]:
    """A server that is ready to run, the socket that it is to run on, and its address.

    Raises:
        QaError: the address cannot be had.
    """
    listening = _listen(settings)
    # Before the first question, not with it.
    bot.encoder()
    bot.reader()
    config = uvicorn.Config(
        create_app(bot, settings),
        http=_protocol(settings.limits.head_s),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=ceil(settings.limits.head_s),
        timeout_graceful_shutdown=_GOODBYE_S,
        proxy_headers=False,
    )
    return uvicorn.Server(config), listening, _address(settings, listening.getsockname()[1])


def _listen(settings: Settings) -> socket.socket:
    """A socket that listens where the settings say; port 0 takes any that is free."""
    try:
        ((family, kind, protocol, _, address), *_) = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        raise QaError(
            f"Cannot listen on {settings.host} port {settings.port}: {error}. "
            "Choose another: --host, --port (0 takes any that is free)."
        ) from error
    return made


def _address(settings: Settings, port: int) -> str:
    """Where a browser finds the page; the token goes in the part that is never sent."""
    host = "localhost" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 -- compared, not bound
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (
        f"#token={quote(settings.token, safe='')}" if settings.token else ""
    )


def _protocol(seconds: float) -> type[H11Protocol]:
    """The HTTP/1.1 of uvicorn, but the head of a request must come within so many seconds.

    By itself it waits as long as a client likes to send a byte now and then.
    """

    class Impatient(H11Protocol):
        _waiting: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._waiting = self.loop.call_later(seconds, transport.close)

        def data_received(self, data: bytes) -> None:
            if self._waiting is None and self.conn.their_state is h11.IDLE:
                self._waiting = self.loop.call_later(seconds, self.transport.close)
            super().data_received(data)
            if self.conn.their_state is not h11.IDLE:
                self._stop_waiting()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def _stop_waiting(self) -> None:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None

    return Impatient


def _forward_log() -> None:
    """What uvicorn has to say goes the way of our own log, but for what the guard said before."""
    logger = logging.getLogger("uvicorn.error")
    logger.setLevel(logging.WARNING)
    logger.addFilter(lambda record: not str(record.msg).startswith("ASGI callable returned"))
    logger.parent = logging.getLogger("qa.server")
    if os.environ.get("QA_TRACEBACK"):
        logging.getLogger("qa.server").addHandler(logging.StreamHandler())
