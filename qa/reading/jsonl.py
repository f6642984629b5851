"""JSON lines: one article a line; a bad line is reported and the others are read."""

import codecs
import datetime as dt
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from qa.errors import FieldError, ReadError
from qa.model import Article
from qa.reading import fields
from qa.reading.bylines import read_top
from qa.reading.decoding import decode, without_surrogates
from qa.reading.origin import Origin
from qa.reading.plain import as_title, first_lines

# A file that is no JSONL at all has as many bad lines as it has lines.
_REPORTED = 20


@dataclass(slots=True)
class _Seen:
    """What has been met so far in a file."""

    lines: dict[str, int] = field(default_factory=dict)
    bad: int = 0


def articles(data: bytes, origin: Origin) -> Iterator[Article | ReadError]:
    """The articles in a file, and an error for each line that holds none."""
    if not data.strip():
        raise ReadError(f"{origin.source} is empty. Write one JSON object a line into it.")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4]:
        data = decode(data, origin.source).encode()
    seen = _Seen()
    for number, line in enumerate(io.BytesIO(data.removeprefix(codecs.BOM_UTF8)), start=1):
        if not line.strip():
            continue
        for item in _read(line, number, origin, seen):
            if isinstance(item, ReadError):
                seen.bad += 1
                if seen.bad > _REPORTED:
                    continue
            yield item
    if seen.bad > _REPORTED:
        more = seen.bad - _REPORTED
        yield ReadError(
            f"{origin.source}: {more:,} more lines like these. Write one object a line."
        )


def _read(line: bytes, number: int, origin: Origin, seen: _Seen) -> Iterator[Article | ReadError]:
    place = f"{origin.source} line {number}"
    try:
        row = _object(line)
        date, complaint = _date(row)
        article = _article(row, origin, number, date)
    except ValueError as error:
        yield ReadError(f"{place} is not read: {error}.")
        return
    first = seen.lines.setdefault(article.id, number)
    if first != number:
        yield ReadError(
            f"{place} is not read: its id {article.id!r} is that of line {first}. "
            "Give each article its own."
        )
        return
    if complaint:
        yield FieldError(f"{place}: {complaint}")
    yield article


def _object(line: bytes) -> dict[str, Any]:
    """The object on a line.

    Raises:
        ValueError: the line is something else.
    """
    try:
        row = json.loads(line.rstrip().decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8, as JSON must be") from error
    except RecursionError as error:
        raise ValueError("its JSON is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise ValueError(
            f"it is no JSON ({error.msg}, column {error.colno}); write one object a line"
        ) from error
    if not isinstance(row, dict):
        raise ValueError('it is no object; write {"title": …, "text": …}')  # noqa: TRY004 -- a value of a file, not of the program
    return row


def _date(row: dict[str, Any]) -> tuple[dt.date | None, str | None]:
    """The day of an article, and what is wrong with it: no reason to lose the article."""
    try:
        return fields.date(row.get("date")), None
    except ValueError as error:
        return None, str(error)


def _article(row: dict[str, Any], origin: Origin, number: int, date: dt.date | None) -> Article:
    """The article of an object.

    Raises:
        ValueError: it has no text, or a field that is none.
    """
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError('it has no "text"')
    text = without_surrogates(text)
    own = fields.one_line(row.get("id")) or fields.one_line(row.get("_id"))
    title = fields.one_line(row.get("title")) or read_top(first_lines(text)).title
    return Article(
        id=own or origin.article_id(number),
        source=fields.one_line(row.get("source")) or origin.source,
        title=as_title(title),
        text=text,
        date=date,
        url=fields.one_line(row.get("url")) or origin.url,
        author=fields.one_line(row.get("author")),
    )
