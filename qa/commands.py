"""A line of the chat becomes a command or a question (pure)."""

import difflib
import re
import shlex
from collections.abc import Callable
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
class WhyNot:
    """Say why a passage with these words in it, its title or its source, did not come."""

    wanted: str


@dataclass(frozen=True, slots=True)
class Context:
    """Show what earlier questions bring into the next one."""


@dataclass(frozen=True, slots=True)
class Forget:
    """Let the next question stand alone."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Ask this in place of the last question, as it stands; empty: put that up for editing."""

    question: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """From now on show so many passages at once."""

    number: int


@dataclass(frozen=True, slots=True)
class Replay:
    """Ask the questions and give the commands of a file, one a line."""

    path: str


@dataclass(frozen=True, slots=True)
class ShowLibrary:
    """Say what the library holds."""


@dataclass(frozen=True, slots=True)
class Add:
    """Add files, folders or pages to the library."""

    places: tuple[str, ...]


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
    Ask
    | Open
    | Show
    | Why
    | WhyNot
    | More
    | Context
    | Forget
    | Edit
    | Limit
    | Sources
    | ShowFilter
    | SetFilter
    | Json
    | Save
    | Replay
    | ShowLibrary
    | Add
    | Help
    | Quit
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


def _alone(
    command: type[More | Context | Forget | Json | ShowLibrary | Help | Quit],
) -> Callable[[str], Command]:
    def read(arguments: str) -> Command:
        if arguments:
            raise ValueError
        return command()

    return read


def _numbered(command: type[Open | Show | Why | Limit]) -> Callable[[str], Command]:
    def read(arguments: str) -> Command:
        number = re.fullmatch(r"\[?([0-9]{1,6})\]?", arguments)  # as typed, or as copied: [3]
        if number is None:
            raise ValueError
        return command(int(number[1]))

    return read


def _worded(command: type[WhyNot | Save | Replay]) -> Callable[[str], Command]:
    def read(arguments: str) -> Command:
        if not arguments:
            raise ValueError
        return command(arguments)

    return read


def _limit(arguments: str) -> Command:
    limit = _numbered(Limit)(arguments)
    if isinstance(limit, Limit) and not 1 <= limit.number <= _MOST_SHOWN:
        raise ValueError(f"from 1 to {_MOST_SHOWN}")
    return limit


def _add(arguments: str) -> Command:
    places = shlex.split(arguments)
    if not places:
        raise ValueError
    return Add(tuple(places))


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


_MOST_SHOWN = 100
COMMANDS = (
    Entry("show", "N", "show passage N in its article", _numbered(Show)),
    Entry("open", "N", "open the article of passage N, in editor or browser", _numbered(Open)),
    Entry("more", "", "the next passages for the same question", _alone(More)),
    Entry("why", "N", "how passage N was found", _numbered(Why)),
    Entry("whynot", "WORDS", "why a passage or title with WORDS did not come", _worded(WhyNot)),
    Entry("context", "", "what earlier questions bring into the next one", _alone(Context)),
    Entry("forget", "", "let the next question stand alone", _alone(Forget)),
    Entry("edit", "[QUESTION]", "change the last question as it was understood", Edit),
    Entry("k", "N", "show N passages at once", _limit),
    Entry("sources", "[WORDS]", "the articles, or those with WORDS in title or source", Sources),
    Entry(
        "filter",
        "[source:GLOB] [since:DATE] [until:DATE] | clear",
        "which articles may answer; alone: show it",
        _filter,
    ),
    Entry("json", "", "the last answer as JSON", _alone(Json)),
    Entry("save", "FILE", "keep the last answer in a new FILE.md or FILE.json", _worded(Save)),
    Entry("replay", "FILE", "ask the questions and give the commands of FILE", _worded(Replay)),
    Entry("library", "", "what the library holds", _alone(ShowLibrary)),
    Entry("add", "PATH...", "add files, folders or pages to the library", _add),
    Entry("help", "", "this list", _alone(Help)),
    Entry("quit", "", "leave; so do quit, exit and Ctrl-D", _alone(Quit)),
)


# What a line that is no question begins with.
MARK = re.compile(r"/|:[A-Za-z]")


def parse(line: str) -> Command:
    """The command that a line means; what does not start with `/` or `:` is a question.

    Raises:
        QaError: There is no such command, or its arguments do not fit.
    """
    text = line.strip()
    if text.casefold() in ("quit", "exit", "/exit", ":q"):
        return Quit()
    if not MARK.match(text):
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
    return "\n".join(["Ask a question in your own words, or (: does for / too):", *rows, keys])
