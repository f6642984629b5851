"""Plain text: the whole file is the text, its first line the title."""

import re
from collections.abc import Iterator

from qa.errors import ReadError
from qa.model import Article
from qa.reading.bylines import read_top
from qa.reading.decoding import decode
from qa.reading.origin import Origin

LINE_END = re.compile(r"\r\n|\r|\n")
LONGEST_TITLE = 300
# Enough for the first lines; a megabyte without a line end need not be searched.
_TOP = 8192


def articles(data: bytes, origin: Origin) -> Iterator[Article | ReadError]:
    """The one article in a plain text."""
    text = decode(data, origin.source)
    top = read_top(first_lines(text))
    yield Article(
        id=origin.article_id(),
        source=origin.source,
        title=as_title(top.title),
        text=text,
        date=top.date,
        url=origin.url,
        author=top.author,
    )


def first_lines(text: str) -> list[str]:
    """The lines at the top of a text; the last of them may be cut off."""
    start = len(text) - len(text.lstrip())
    return LINE_END.split(text[start : start + _TOP])


def as_title(line: str) -> str:
    """A line as a title: white space collapsed, and cut at a word if it is absurdly long."""
    title = " ".join(line.split())
    if len(title) <= LONGEST_TITLE:
        return title
    cut = title.rfind(" ", 0, LONGEST_TITLE)
    return f"{title[: cut if cut > 0 else LONGEST_TITLE - 1]}…"
