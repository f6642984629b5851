"""The turns of a chat: a command and what was said before become a reply. No terminal here."""

import textwrap
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from qa import locations
from qa.bot import Bot
from qa.commands import (
    Add,
    Ask,
    Command,
    Context,
    Edit,
    Forget,
    Help,
    Json,
    Limit,
    More,
    Open,
    Quit,
    Replay,
    Save,
    SetFilter,
    Show,
    ShowFilter,
    ShowLibrary,
    Sources,
    Why,
    WhyNot,
    help_text,
)
from qa.conversation import NOTHING_BEFORE, Conversation
from qa.errors import QaError
from qa.library import ArticleInfo
from qa.markdown import answer_markdown
from qa.model import Answer, Filters, Hit
from qa.opening import open_citation
from qa.reasons import is_wanted, why, why_not
from qa.render import answer_text, hit_text, passage_in_article
from qa.schema import answer_json
from qa.style import Style, clean
from qa.wording import place

if TYPE_CHECKING:
    from qa.indexing import Progress

    Watched = AbstractContextManager[Callable[[Progress], None] | None]

TOP_K = 3  # what fits on a screen; /more has the rest
PARAGRAPHS = 2  # that /show puts before and after the passage
LISTED = 50  # articles that /sources lists at once: two screens

LOOKED_THROUGH = 1000  # passages among which /whynot looks

Preview = Callable[[str], None]
Work = Callable[[Preview], Answer]


@dataclass(frozen=True, slots=True)
class Asked:
    """The last answer, and the filters and the conversation that it was asked in."""

    answer: Answer
    filters: Filters
    before: Conversation


class Chat:
    """One person's chat with a bot: what was asked last, and which articles may answer.

    `patiently` does the work of a question, and may be interrupted: a question that raises
    leaves the chat as it was. The work tells what is found so far, as text. `draft` is what the
    person is to edit next, if that can be put up for editing; `progress` watches over adding.
    """

    def __init__(  # noqa: PLR0913 -- the doors to a terminal
        self,
        bot: Bot,
        *,
        style: Style,
        width: Callable[[], int],
        patiently: Callable[[Work], Answer] = lambda work: work(lambda _: None),
        progress: "Callable[[], Watched]" = nullcontext,
        editable: bool = False,
    ) -> None:
        self._bot = bot
        self._style = style
        self._width = width
        self._patiently = patiently
        self._progress = progress
        self._editable = editable
        self._asked: Asked | None = None
        self._top_k = TOP_K
        self.filters = Filters()
        self.conversation = NOTHING_BEFORE
        self.draft = ""

    def reply(self, command: Command) -> str:  # noqa: C901, PLR0911, PLR0912 -- one case a command
        """What the bot says to a command.

        Raises:
            QaError: The command cannot be carried out; the chat is as it was.
        """
        match command:
            case Ask(question):
                return self._ask(question, self.conversation)
            case Edit(question):
                return self._edit(question)
            case Context():
                return self._context()
            case Forget():
                self.conversation = NOTHING_BEFORE
                return "Forgotten. The next question stands alone."
            case Limit(number):
                self._top_k = number
                return f"From now on {number} at once."
            case WhyNot(wanted):
                said = clean(self._why_not(wanted))
                return textwrap.fill(said, max(1, self._width()))
            case ShowLibrary():
                return self._library()
            case Add(places):
                return self._add(places)
            case Replay():
                raise QaError("A file that is replayed cannot replay another.")
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

    def _ask(self, question: str, before: Conversation, *, in_place: bool = False) -> str:
        """Asks after what was asked before, or a question as it stands in place of the last."""
        filters, top_k = self.filters, self._top_k

        def work(preview: Preview) -> Answer:
            return self._bot.ask(
                question,
                top_k=top_k,
                filters=filters,
                conversation=NOTHING_BEFORE if in_place else before,
                found=lambda hits: preview(self._hits(hits, question)),
            )

        answer = self._patiently(work)
        self._asked = Asked(answer, filters, NOTHING_BEFORE if in_place else before)
        self.conversation = before.after(answer)
        return answer_text(answer, width=self._width(), style=self._style)

    def _hits(self, hits: Sequence[Hit], question: str) -> str:
        width, style = self._width(), self._style
        return "\n\n".join(hit_text(hit, question, width=width, style=style) for hit in hits)

    def _edit(self, question: str) -> str:
        last = self._last()
        if not question:
            draft = f"/edit {clean(last.answer.understood_as)}"
            self.draft = draft if self._editable else ""
            return "" if self._editable else draft
        return self._ask(question, Conversation(self.conversation.turns[:-1]), in_place=True)

    def _context(self) -> str:
        if not self.conversation:
            return "Nothing is carried: the next question stands alone."
        rows = [f"{clean(turn.understood_as)}" for turn in self.conversation.turns]
        persons = self.conversation.turns[-1].persons
        if persons:
            rows.append(f"Persons found last: {clean(', '.join(persons))}")
        return "\n".join([*rows, "/forget drops this, /edit changes the last question."])

    def _library(self) -> str:
        status = self._bot.status()
        held = f"{status.articles:,} articles in {status.passages:,} passages"
        size = f"{status.bytes / 1e6:.1f} MB"
        return clean(f"{held}, {size}, {status.model}\n{status.path}")

    def _add(self, places: Sequence[str]) -> str:
        with self._progress() as progress:
            added = self._bot.add(*places, progress=progress)
        changed = {
            "added": added.added,
            "changed": added.changed,
            "removed": added.removed,
            "unchanged": added.unchanged,
        }
        said = ", ".join(f"{count:,} {name}" for name, count in changed.items() if count)
        problems = [clean(f"Not read: {failure}") for failure in added.failed]
        return "\n".join([f"Articles: {said or 'none'}.", *problems])

    def _why_not(self, wanted: str) -> str:
        last = self._last()
        ranked = self._bot.search(
            last.answer.question,
            top_k=LOOKED_THROUGH,
            filters=last.filters,
            conversation=last.before,
        )
        said = why_not(wanted, last.answer.understood_as, ranked, last.answer.hits)
        if said is not None:
            return said
        known = [
            article
            for article in self._bot.articles()
            if is_wanted(wanted, article.title, article.source)
        ]
        if not known:
            return f"None of the passages found says '{wanted}', nor does a title or source."
        if known[0] not in self._bot.articles(last.filters):
            return f"'{known[0].title}' may not answer. {described(last.filters)}"
        return f"'{known[0].title}' shares neither words nor meaning with the question."

    def _more(self) -> str:
        """The next passages; those shown keep their numbers whatever the wider search says."""
        last = self._last()
        seen = last.answer.hits
        wider = self._patiently(
            lambda _: self._bot.ask(
                last.answer.question,
                top_k=len(seen) + self._top_k,
                filters=last.filters,
                conversation=last.before,
            )
        )
        known = {hit.passage.id for hit in seen}
        fresh = [hit for hit in wider.hits if hit.passage.id not in known][: self._top_k]
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
    target = locations.expanded(path)
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
