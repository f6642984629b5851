"""The endpoints: each a verb of the bot, asked and answered in JSON."""

import asyncio
import hashlib
import json
import os
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from fastapi.sse import format_sse_event

from qa import schema, sources, wording
from qa.bot import TOP_K, Bot
from qa.conversation import Conversation
from qa.earlier import Conversations
from qa.errors import QaError, UnknownArticle
from qa.library import ArticleInfo
from qa.model import Answer, Hit
from qa.places import Place
from qa.reasons import why_unanswered
from qa.server import openapi, problems
from qa.server.problems import ProblemError
from qa.server.requests import (
    AddingPath,
    AddingText,
    Asking,
    Listing,
    Removing,
    Searching,
    Showing,
)
from qa.server.settings import Settings

_T = TypeVar("_T")


def router(bot: Bot, settings: Settings) -> APIRouter:
    """All endpoints of a bot."""
    api = _Api(bot, settings)
    made = APIRouter(prefix="/v1")

    def add(path: str, method: str, serve: Callable[..., Any]) -> None:
        made.add_api_route(
            path,
            serve,
            methods=[method],
            response_model=None,
            response_class=Response,
            **openapi.described(serve.__name__),
        )

    add("/ask", "POST", api.ask)
    add("/ask/stream", "POST", api.ask_stream)
    add("/search", "POST", api.search)
    add("/show", "GET", api.show)
    add("/articles", "GET", api.list_articles)
    add("/articles", "POST", api.add_articles)
    add("/articles", "DELETE", api.remove_articles)
    add("/status", "GET", api.status)
    add("/health", "GET", api.health)
    return made


class _Api:
    """The endpoints; each works in a thread, as many at once as there are cores.

    More threads would only make all of them wait for each other, and the last the longest.
    """

    def __init__(self, bot: Bot, settings: Settings) -> None:
        self._bot = bot
        self._settings = settings
        self._conversations = Conversations(bot)
        self._asking = CapacityLimiter(os.cpu_count() or 1)
        self._writing = CapacityLimiter(1)

    async def ask(self, asking: Asking) -> Response:
        return _json(schema.as_dict(await self._asked(asking)))

    async def ask_stream(self, asking: Asking) -> StreamingResponse:
        loop = asyncio.get_running_loop()
        told: asyncio.Future[list[dict[str, Any]]] = loop.create_future()

        def tell(hits: Sequence[Hit]) -> None:
            loop.call_soon_threadsafe(_settle, told, schema.hits_as_dicts(hits))

        answering = asyncio.ensure_future(self._asked(asking, tell))
        # An error before the first passages is a problem, with the status that says so.
        first: set[asyncio.Future[Any]] = {told, answering}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if answering.done() and answering.exception():
            answering.result()
        return StreamingResponse(_events(told, answering), media_type="text/event-stream")

    async def search(self, searching: Searching) -> Response:
        def search() -> list[Hit]:
            before = self._before(searching)
            return self._bot.search(searching.question, conversation=before, **searching.asked())

        return _json({"hits": schema.hits_as_dicts(await self._run(search))})

    async def show(self, showing: Annotated[Showing, Query()]) -> Response:
        place = Place.parse(showing.citation)
        if showing.source is not None:
            place = Place(place.names, showing.source, place.line, place.start)
        return _json(schema.shown_as_dict(await self._run(partial(self._bot.show, place))))

    async def list_articles(self, listing: Annotated[Listing, Query()]) -> Response:
        infos = await self._run(partial(self._bot.articles, listing.filters()))
        infos.sort(key=_key)
        first = bisect_right(infos, _key_from(listing.after), key=_key) if listing.after else 0
        page = infos[first : first + listing.limit]
        more = first + listing.limit < len(infos)
        return _json(
            {
                "articles": [schema.listed_as_dict(info) for info in page],
                "total": len(infos),
                "next": _after(page[-1]) if more else None,
            }
        )

    async def add_articles(self, adding: AddingText | AddingPath) -> Response:
        self._check_writable()
        if isinstance(adding, AddingText):
            add = partial(self._bot.add_text, adding.text, adding.name)
        else:
            add = partial(self._bot.add, _below(adding.path, self._settings.roots))
        added = await to_thread.run_sync(add, limiter=self._writing, abandon_on_cancel=True)
        if added.failed and not added.added + added.changed + added.unchanged:
            raise added.failed[0]
        return _json(schema.added_as_dict(added))

    async def remove_articles(self, removing: Annotated[Removing, Query()]) -> Response:
        self._check_writable()
        remove = partial(_remove, self._bot, removing.article_id, removing.source)
        count = await to_thread.run_sync(remove, limiter=self._writing, abandon_on_cancel=True)
        return _json({"removed": count})

    async def status(self) -> Response:
        return _json(schema.status_as_dict(await self._run(self._bot.status)))

    async def health(self) -> Response:
        # Not in the queue of those who ask: a busy server is a healthy one.
        await to_thread.run_sync(self._bot.status, abandon_on_cancel=True)
        return _json({"status": "ok"})

    async def _asked(
        self, asking: Asking, tell: "Callable[[Sequence[Hit]], None] | None" = None
    ) -> Answer:
        return await self._run(partial(self._answer, asking, tell))

    def _answer(
        self, asking: Asking, tell: "Callable[[Sequence[Hit]], None] | None" = None
    ) -> Answer:
        options = asking.asked()
        before = self._before(asking)
        answer = self._bot.ask(asking.question, conversation=before, found=tell, **options)
        # What was asked otherwise may come to other persons than the question asked anew would.
        if asking.top_k == TOP_K and asking.min_confidence is None:
            questions = (*asking.earlier, asking.question)
            self._conversations.keep(
                questions, options["mode"], options["filters"], before.after(answer)
            )
        return answer

    def _before(self, searching: Searching) -> Conversation:
        """The conversation that the earlier questions make, within the same filters."""
        options = searching.asked()
        return self._conversations.before(searching.earlier, options["mode"], options["filters"])

    async def _run(self, step: Callable[[], _T]) -> _T:
        # A client that has gone, or whose time is up, does not keep others waiting.
        return await to_thread.run_sync(step, limiter=self._asking, abandon_on_cancel=True)

    def _check_writable(self) -> None:
        if not self._settings.writable:
            raise ProblemError(problems.READ_ONLY)


async def _events(
    told: "asyncio.Future[list[dict[str, Any]]]", answering: "asyncio.Future[Answer]"
) -> AsyncIterator[bytes]:
    """The passages as they were found, then the answer, and what it comes to in words."""
    try:
        if told.done():
            yield _event("passages", {"hits": told.result()})
        answer = await answering
        yield _event("answer", schema.as_dict(answer))
        yield _event("words", in_words(answer))
    except QaError as error:
        yield _event("problem", problems.of_error(error).as_dict())
    finally:
        answering.cancel()


def in_words(answer: Answer) -> dict[str, Any]:
    """What an answer claims, as the terminal says it.

    `marked` are the ranks of the hits whose words are claimed to answer.
    """
    claimed = wording.as_claimed(answer)
    answered = answer.status == "answered"
    return {
        "sureness": wording.sureness_word(answer.confidence) if answered else None,
        "why": None if answered else why_unanswered(answer),
        "marked": [hit.rank for hit in claimed.hits if hit.span],
        "agreement": [wording.agreement_line(item) for item in claimed.agreement],
    }


def _event(name: str, value: dict[str, Any]) -> bytes:
    return format_sse_event(event=name, data_str=schema.dumps(value))


def _settle(future: "asyncio.Future[_T]", value: _T) -> None:
    if not future.done():
        future.set_result(value)


def _json(value: dict[str, Any]) -> Response:
    return Response(schema.dumps(value), media_type="application/json")


def _below(path: str, roots: Sequence[Path]) -> Path:
    """The path, when it and all that it leads to lie below one of the roots.

    Raises:
        ProblemError: they do not; nothing is said of what is there.
    """
    try:
        place = Path(path).resolve()
        inside = Path(path).is_absolute() and _inside(place, roots)
    except (OSError, ValueError, RuntimeError):
        inside = False
    if not inside:
        raise ProblemError(problems.OUTSIDE)
    # A link to a file is followed when it is read: it must not lead out.
    files, _, _ = sources.found_below([place])
    if not all(_inside(Path(file.origin).resolve(), roots) for file in files):
        raise ProblemError(problems.OUTSIDE)
    return place


def _inside(path: Path, roots: Sequence[Path]) -> bool:
    return any(path.is_relative_to(root.resolve()) for root in roots)


def _remove(bot: Bot, article_id: str, source: str | None) -> int:
    """Removes exactly the articles of an id, and of a source if one is given."""
    found = [
        info for info in bot.articles() if info.id == article_id and source in {None, info.source}
    ]
    if not found:
        raise UnknownArticle(f"No article '{article_id}' in the library. See what there is.")
    return bot.remove(*found)


def _key(info: ArticleInfo) -> tuple[str, str, str]:
    """The order of the list; the last part tells apart those that several files bring alike."""
    return info.source, info.id, hashlib.sha256(info.origin.encode()).hexdigest()[:16]


def _after(info: ArticleInfo) -> str:
    return schema.dumps(list(_key(info)))


def _key_from(after: str) -> tuple[str, str, str]:
    """The place that `next` named.

    Raises:
        ProblemError: it is no `next` of ours.
    """
    try:
        source, article_id, origin = json.loads(after)
        return str(source), str(article_id), str(origin)
    except (ValueError, TypeError):
        raise ProblemError(problems.BAD_AFTER) from None
