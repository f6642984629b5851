"""The turns of a chat: a command and what was said before become a reply. No terminal here."""

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from qa.bot import Bot
from qa.commands import (
    Ask,
    Command,
    Help,
    Json,
    More,
    Open,
    Quit,
    Save,
    SetFilter,
    Show,
    ShowFilter,
    Sources,
    Why,
    help_text,
)
from qa.errors import QaError
from qa.library import ArticleInfo
from qa.model import Answer, Filters, Hit
from qa.opening import open_citation
from qa.reasons import why
from qa.render import (
    Style,
    answer_markdown,
    answer_text,
    clean,
    passage_in_article,
    place,
)
from qa.schema import answer_json

TOP_K = 3  # what fits on a screen; /more has the rest
PARAGRAPHS = 2  # that /show puts before and after the passage
LISTED = 50  # articles that /sources lists at once: two screens

Work = Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Asked:
    """The last answer, and the filters that it was asked under."""

    answer: Answer
    filters: Filters


class Chat:
    """One person's chat with a bot: what was asked last, and which articles may answer.

    `patiently` does the work of a question, and may be interrupted: a question that raises
    leaves the chat as it was.
    """

    def __init__(
        self,
        bot: Bot,
        *,
        style: Style,
        width: Callable[[], int],
        patiently: Callable[[Work], Answer] = lambda work: work(),
    ) -> None:
        self._bot = bot
        self._style = style
        self._width = width
        self._patiently = patiently
        self._asked: Asked | None = None
        self.filters = Filters()

    def reply(self, command: Command) -> str:  # noqa: C901, PLR0911 -- one case a command
        """What the bot says to a command.

        Raises:
            QaError: The command cannot be carried out; the chat is as it was.
        """
        match command:
            case Ask(question):
                return self._ask(question)
            case More():
                return self._more()
            case Show(number):
                return self._show(self._hit(number))
            case Open(number):
                citation = self._hit(number).citation
                return open_citation(citation, self._bot.show(citation).origin)
            case Why(number):
                said = clean(why(self._hit(number), self._last().answer.understood_as))
                return textwrap.fill(said, max(1, self._width()))
            case Sources(part):
                return _listed(self._bot.articles(), part)
            case ShowFilter():
                return described(self.filters)
            case SetFilter(filters):
                return self._filter(filters)
            case Json():
                # JSON leaves C1 controls as they are; cleaned, they are JSON's own escapes.
                return clean(answer_json(self._last().answer))
            case Save(path):
                return _save(self._last().answer, path)
            case Help():
                return help_text()
            case Quit():
                return ""
        assert_never(command)

    def _ask(self, question: str) -> str:
        filters = self.filters
        answer = self._patiently(lambda: self._bot.ask(question, top_k=TOP_K, filters=filters))
        self._asked = Asked(answer, filters)
        return answer_text(answer, width=self._width(), style=self._style)

    def _more(self) -> str:
        """The next passages; those shown keep their numbers whatever the wider search says."""
        last = self._last()
        seen = last.answer.hits
        wider = self._patiently(
            lambda: self._bot.ask(
                last.answer.question, top_k=len(seen) + TOP_K, filters=last.filters
            )
        )
        known = {hit.passage.id for hit in seen}
        fresh = [hit for hit in wider.hits if hit.passage.id not in known][:TOP_K]
        if not fresh:
            return "That was all."
        numbered = (replace(hit, rank=len(seen) + n) for n, hit in enumerate(fresh, start=1))
        answer = replace(last.answer, hits=(*seen, *numbered))
        self._asked = replace(last, answer=answer)
        return answer_text(answer, width=self._width(), style=self._style, start=len(seen))

    def _show(self, hit: Hit) -> str:
        shown = self._bot.show(hit.citation)
        text = passage_in_article(shown, width=self._width(), style=self._style, context=PARAGRAPHS)
        return f"{self._style.dim(place(hit.citation))}\n{text}"

    def _filter(self, filters: Filters) -> str:
        count = len(self._bot.articles(filters))
        self.filters = filters
        return f"{described(filters)} That is {count} of {self._bot.status().articles}."

    def _last(self) -> Asked:
        if self._asked is None:
            raise QaError("Nothing is answered yet. Ask a question first.")
        return self._asked

    def _hit(self, number: int) -> Hit:
        hits = self._last().answer.hits
        if not hits:
            raise QaError("The last answer has no passages. Ask another question.")
        if not 1 <= number <= len(hits):
            raise QaError(
                f"There is no passage [{number}]: they go from 1 to {len(hits)}. /more gets others."
            )
        return hits[number - 1]


def described(filters: Filters) -> str:
    """Which articles may answer, in words."""
    if not filters:
        return "All articles may answer."
    words = []
    if filters.sources:
        words.append("from " + " or ".join(clean(source) for source in filters.sources))
    if filters.since:
        words.append(f"since {filters.since}")
    if filters.until:
        words.append(f"until {filters.until}")
    return f"Only articles {', '.join(words)}."


def _listed(articles: list[ArticleInfo], part: str) -> str:
    wanted = part.casefold()
    found = [
        article
        for article in articles
        if wanted in article.title.casefold() or wanted in article.source.casefold()
    ]
    if not found:
        return f"No article has '{clean(part)}' in its title or source." if part else "No articles."
    rows = [
        "  ".join(
            [
                clean(article.source),
                *([str(article.date)] if article.date else []),
                clean(" ".join(article.title.split())),
            ]
        )
        for article in found[:LISTED]
    ]
    if len(found) > LISTED:
        rows.append(f"… and {len(found) - LISTED} more. /sources WORDS lists fewer.")
    return "\n".join(rows)


def _save(answer: Answer, path: str) -> str:
    """Write an answer into a file that must be new."""
    target = Path(path).expanduser()
    writers = {".md": answer_markdown, ".json": answer_json}
    write = writers.get(target.suffix.casefold())
    if write is None:
        raise QaError(f"'{path}' is no name to save to. Let it end in .md or .json.")
    text = write(answer).rstrip("\n") + "\n"
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise QaError(f"'{path}' is there already and stays. /save under another name.") from error
    except OSError as error:
        raise QaError(
            f"'{path}' cannot be written: {error.strerror}. /save somewhere else."
        ) from error
    return f"Saved as {clean(path)}."
