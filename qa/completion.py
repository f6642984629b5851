"""What a line of the chat may go on with (pure)."""

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from qa.commands import COMMANDS, MARK


@dataclass(frozen=True, slots=True)
class Completion:
    """A text that may replace what stands between `start` and the cursor."""

    text: str
    start: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What may be completed: titles and sources of articles, and their days as YYYY-MM-DD."""

    titles: Sequence[str] = ()
    sources: Sequence[str] = ()
    days: Sequence[str] = ()


_TITLED = ("whynot ", "sources ")
_DATE_LENGTHS = (4, 7, 10)  # YYYY, YYYY-MM, YYYY-MM-DD


def complete(text: str, cursor: int, names: Names) -> list[Completion]:
    """What could be meant at the cursor: a command, its argument, or an article's title."""
    before = text[:cursor]
    if before[1:].startswith("filter ") and MARK.match(before):
        return _complete_filter(before, names)
    if before[1:].startswith(_TITLED) and MARK.match(before):
        start = before.index(" ") + 1
        return [
            Completion(title, start)
            for title in sorted(set(names.titles))
            if before[start:].casefold() in title.casefold()
        ]
    if before[:1] in ("/", ":"):
        return [
            Completion(before[0] + entry.name + " " * bool(entry.arguments), 0, entry.help)
            for entry in COMMANDS
            if entry.name.startswith(before[1:].casefold())
        ]
    return _complete_title(before, names.titles)


def _complete_filter(before: str, names: Names) -> list[Completion]:
    start = before.rindex(" ") + 1
    word = before[start:]
    if word.startswith("source:"):
        part = word.removeprefix("source:").casefold()
        return [
            Completion(f"source:{shlex.quote(source)}", start)
            for source in sorted(set(names.sources))
            if part in source.casefold()
        ]
    key, colon, value = word.partition(":")
    if colon and key in {"since", "until"}:
        # Years, months and days, as far as one of them is typed; the newest first.
        length = next((size for size in _DATE_LENGTHS if size > len(value)), _DATE_LENGTHS[-1])
        found = {day[:length] for day in names.days if day.startswith(value)}
        return [Completion(f"{key}:{day}", start) for day in sorted(found, reverse=True)]
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
