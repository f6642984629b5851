"""Reads articles: from a path or bytes to `Article`; never splits, never embeds."""

from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

from qa.errors import ReadError
from qa.model import Article
from qa.reading import finding, html, jsonl, markdown, plain
from qa.reading.finding import Found
from qa.reading.origin import Origin
from qa.reading.page import fetch

__all__ = ["READERS", "Found", "fetch", "find", "read", "read_bytes"]

Reader = Callable[[bytes, Origin], Iterator[Article | ReadError]]

# A new format is one file with an `articles` function, and one line here.
READERS: dict[str, Reader] = {
    ".txt": plain.articles,
    ".text": plain.articles,
    ".md": markdown.articles,
    ".markdown": markdown.articles,
    ".html": html.articles,
    ".htm": html.articles,
    ".xhtml": html.articles,
    ".jsonl": jsonl.articles,
    ".ndjson": jsonl.articles,
}


def find(path: Path) -> Found:
    """The articles at a path: a file whatever its suffix, a folder's files in a known format.

    Raises:
        NoArticles: nothing is there.
        ReadError: the folder cannot be listed.
    """
    return finding.find(path, READERS)


def read(path: Path, source: str) -> Iterator[Article | ReadError]:
    """The articles of a file, and an error for each part of it that is not read as it should be.

    Raises:
        ReadError: nothing of the file can be read.
    """
    # Bytes of a name that are no UTF-8 are written as escapes, so that the origin can be stored.
    origin = str(path.absolute()).encode("utf-8", "surrogateescape")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ReadError(f"Cannot read {source}: {error.strerror}. Check the file.") from error
    yield from read_bytes(data, path.name, source, origin.decode("utf-8", "backslashreplace"))


def read_bytes(data: bytes, name: str, source: str, origin: str) -> Iterator[Article | ReadError]:
    """The articles in some bytes, and an error for each part that is not read as it should be.

    Args:
        data: what a file, a page or standard input holds.
        name: its suffix chooses the reader; without a known one the bytes are plain text.
        source: how articles are cited, and what messages call the bytes.
        origin: what stays the same when the articles are read again: ids are made from it.

    Raises:
        ReadError: nothing of it can be read.
    """
    reader = READERS.get(PurePath(name).suffix.lower(), plain.articles)
    return reader(data, Origin(source, origin))
