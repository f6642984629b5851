"""A line of the chat becomes a command or a question (pure)."""

import difflib
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qa.dates import parse_day
from qa.errors import QaError
from qa.model import Filters

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Ask:
    """Answer a question."""

    question: str


@dataclass(frozen=True, slots=True)
class Open:
    """Open the article of passage `number` at its line."""

    number: int


@dataclass(frozen=True, slots=True)
class Show:
    """Show passage `number` in its article."""

    number: int


@dataclass(frozen=True, slots=True)
class Why:
    """Say how passage `number` came to be where it is."""

    number: int


@dataclass(frozen=True, slots=True)
class More:
    """Show the next passages for the last question."""


@dataclass(frozen=True, slots=True)
class Sources:
    """List the articles whose title or source contains `part`, in any case of letters."""

    part: str = ""


@dataclass(frozen=True, slots=True)
class ShowFilter:
    """Say which articles may answer."""


@dataclass(frozen=True, slots=True)
class SetFilter:
    """From now on only these articles may answer; empty filters let all of them."""

    filters: Filters


@dataclass(frozen=True, slots=True)
class Json:
    """Show the last answer as JSON."""


@dataclass(frozen=True, slots=True)
class Save:
    """Write the last answer into a new file; the suffix says whether Markdown or JSON."""

    path: str


@dataclass(frozen=True, slots=True)
class Help:
    """List the commands."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave the chat."""


Command = (
    Ask | Open | Show | Why | More | Sources | ShowFilter | SetFilter | Json | Save | Help | Quit
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table of commands: `read` makes the command of its arguments.

    `read` raises ValueError for arguments that do not fit; its text, if any, says why.
    """

    name: str
    arguments: str
    help: str
    read: Callable[[str], Command]

    @property
    def usage(self) -> str:
        """How the command is written."""
        return f"/{self.name} {self.arguments}".rstrip()


def _alone(command: type[More | Json | Help | Quit]) -> Callable[[str], Command]:
    def read(arguments: str) -> Command:
        if arguments:
            raise ValueError
        return command()

    return read


def _numbered(command: type[Open | Show | Why]) -> Callable[[str], Command]:
    def read(arguments: str) -> Command:
        number = re.fullmatch(r"\[?([0-9]{1,6})\]?", arguments)  # as typed, or as copied: [3]
        if number is None:
            raise ValueError
        return command(int(number[1]))

    return read


def _save(arguments: str) -> Command:
    if not arguments:
        raise ValueError
    return Save(arguments)


def _filter(arguments: str) -> Command:
    if not arguments:
        return ShowFilter()
    if arguments == "clear":
        return SetFilter(Filters())
    sources: list[str] = []
    days: dict[str, dt.date] = {}
    for word in shlex.split(arguments):
        key, _, value = word.partition(":")
        if key == "source" and value:
            sources.append(value)
        elif key in ("since", "until") and value and key not in days:
            days[key] = parse_day(value, end=key == "until")
        else:
            raise ValueError
    since, until = days.get("since"), days.get("until")
    if since and until and since > until:
        raise ValueError(f"since {since} is after until {until}")
    return SetFilter(Filters(tuple(sources), since, until))


COMMANDS = (
    Entry("show", "N", "show passage N in its article", _numbered(Show)),
    Entry("open", "N", "open the article of passage N, in editor or browser", _numbered(Open)),
    Entry("more", "", "the next passages for the same question", _alone(More)),
    Entry("why", "N", "how passage N was found", _numbered(Why)),
    Entry("sources", "[WORDS]", "the articles, or those with WORDS in title or source", Sources),
    Entry(
        "filter",
        "[source:GLOB] [since:DATE] [until:DATE] | clear",
        "which articles may answer; alone: show it",
        _filter,
    ),
    Entry("json", "", "the last answer as JSON", _alone(Json)),
    Entry("save", "FILE", "keep the last answer in a new FILE.md or FILE.json", _save),
    Entry("help", "", "this list", _alone(Help)),
    Entry("quit", "", "leave; so do quit, exit and Ctrl-D", _alone(Quit)),
)


def parse(line: str) -> Command:
    """The command that a line means; what does not start with `/` is a question.

    Raises:
        QaError: There is no such command, or its arguments do not fit.
    """
    text = line.strip()
    if text.casefold() in ("quit", "exit", "/exit"):
        return Quit()
    if not text.startswith("/"):
        return Ask(text)
    name, *rest = text[1:].split(maxsplit=1)[:2] or [""]
    entry = next((entry for entry in COMMANDS if entry.name == name.casefold()), None)
    if entry is None:
        raise QaError(_unknown(name))
    try:
        return entry.read("".join(rest))
    except ValueError as error:
        reason = f" ({error})" if str(error) else ""
        raise QaError(f"Write it like this: {entry.usage}{reason}") from error


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name.casefold(), [entry.name for entry in COMMANDS], n=1)
    if near:
        return f"There is no /{name}. Did you mean /{near[0]}?"
    return f"There is no /{name}. /help lists the commands."


def help_text() -> str:
    """The table of commands and the keys, for reading."""
    rows = [f"  {entry.usage}\n      {entry.help}" for entry in COMMANDS]
    keys = "Enter asks, Alt-Enter starts a new line, Tab completes, Ctrl-R searches what you asked."
    return "\n".join(["Ask a question in your own words, or:", *rows, keys])


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that may replace what stands between `start` and the cursor."""

    text: str
    start: int
    note: str = ""


def complete(
    text: str, cursor: int, titles: Iterable[str], sources: Iterable[str]
) -> list[Completion]:
    """What could be meant at the cursor: a command, its argument, or an article's title."""
    before = text[:cursor]
    if before.startswith("/filter "):
        return _complete_filter(before, sources)
    if before.startswith("/"):
        return [
            Completion(f"/{entry.name}" + " " * bool(entry.arguments), 0, entry.help)
            for entry in COMMANDS
            if f"/{entry.name}".startswith(before.casefold())
        ]
    return _complete_title(before, titles)


def _complete_filter(before: str, sources: Iterable[str]) -> list[Completion]:
    start = before.rindex(" ") + 1
    word = before[start:]
    if word.startswith("source:"):
        part = word.removeprefix("source:").casefold()
        return [
            Completion(f"source:{shlex.quote(source)}", start)
            for source in sorted(set(sources))
            if part in source.casefold()
        ]
    keys = ("source:", "since:", "until:", "clear")
    return [Completion(key, start) for key in keys if key.startswith(word)]


def _complete_title(before: str, titles: Iterable[str]) -> list[Completion]:
    """Titles in which the last words typed, as many of them as possible, begin a word."""
    known = {" " + title.casefold(): title for title in titles if title}
    starts = [word.start() for word in re.finditer(r"\S+", before)][-8:]
    for start in starts:
        tail = before[start:].casefold()
        if len(tail) < 2:  # noqa: PLR2004 -- one letter would offer every title
            continue
        found = [title for folded, title in known.items() if " " + tail in folded]
        if found:
            return [Completion(title, start) for title in sorted(found)]
    return []
