"""Where articles are read from: files below folders, pages, and what is in memory."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from qa import locations, reading
from qa.errors import NoArticles, ReadError
from qa.library.names import storable


@dataclass(frozen=True, slots=True)
class Source:
    """Something to read articles from, as `size` bytes; `origin` names it for good."""

    origin: str
    source: str
    name: str
    size: int
    load: Callable[[], bytes]


def apart(places: Iterable[str | Path]) -> tuple[list[Path], list[str]]:
    """The paths and the addresses of pages among places.

    Raises:
        NoArticles: one of them is empty.
    """
    paths: list[Path] = []
    urls: list[str] = []
    for place in places:
        if place == "":  # as a path it would be the folder one stands in
            raise NoArticles(
                "An empty name holds no articles. Give a folder, a file or an address."
            )
        if str(place).startswith(("http://", "https://")):
            urls.append(str(place))
        else:
            paths.append(locations.expanded(place))
    return paths, urls


def found_below(paths: Iterable[Path]) -> tuple[list[Source], list[Path], dict[str, int]]:
    """What paths hold: the files, the folders among the paths, and what was passed over.

    Raises:
        NoArticles: a path does not exist, or holds nothing to read.
        ReadError: a folder cannot be read.
    """
    files: dict[Path, None] = {}
    roots: list[Path] = []
    passed_over: dict[str, int] = {}
    for path in paths:
        found = reading.find(path)
        if not found.files:
            over = ", ".join(f"{count} {why}" for why, count in found.passed_over.items())
            raise NoArticles(
                f"No articles in {path}{f' (passed over: {over})' if over else ''}. "
                "Give a folder with .txt, .md, .html or .jsonl files."
            )
        files.update(dict.fromkeys(found.files))
        # What cannot be looked into is not gone: then nothing is taken for removed.
        if path.is_dir() and not found.passed_over.get("unreadable"):
            roots.append(path.resolve())
        for why, count in found.passed_over.items():
            passed_over[why] = passed_over.get(why, 0) + count
    return [_file(path) for path in files], roots, passed_over


def pages(urls: Iterable[str]) -> tuple[list[Source], list[ReadError]]:
    """Pages on the web, fetched now and named by their address, and why others cannot be had."""
    found: list[Source] = []
    failed: list[ReadError] = []
    for url in urls:
        try:
            found.append(_page(url))
        except ReadError as error:
            failed.append(error)
    return found, failed


def piped(data: bytes, name: str | None = None) -> Source:
    """What is in memory or came through standard input; its format is found out without a name."""
    if name is None:
        name = f"stdin{_suffix(data)}"
        origin = f"stdin:{hashlib.sha256(data).hexdigest()[:16]}"
        return Source(origin, "stdin", name, len(data), lambda: data)
    return Source(f"text:{name}", name, name, len(data), lambda: data)


def _suffix(data: bytes) -> str:
    """The suffix of the format that the first line looks like."""
    first = data.lstrip().partition(b"\n")[0].strip().lower()
    if first.startswith((b"<!doctype html", b"<html")):
        return ".html"
    if first.startswith(b"{") and first.endswith(b"}"):
        return ".jsonl"
    return ".md" if first == b"---" else ".txt"


def _page(url: str) -> Source:
    data, name = reading.fetch(url)
    return Source(url, url, name, len(data), lambda: data)


def _file(path: Path) -> Source:
    def load() -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise ReadError(
                f"Cannot read {shown}: {error.strerror}. Check the file and add it again."
            ) from error

    shown = storable(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
    size = path.stat().st_size if path.exists() else 0
    return Source(storable(path), shown, path.name, size, load)
