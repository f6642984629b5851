"""The files below a path that are articles, and why the others are not."""

import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import NoArticles, ReadError
from qa.reading.decoding import is_binary

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_SNIFFED = 8192


@dataclass(frozen=True, slots=True)
class Found:
    """What a path holds.

    `files` are absolute and sorted, each once. `passed_over` maps a reason (hidden, ignored,
    binary, other format, linked folder, broken link, unreadable, not a file) to a count, a folder
    counting one.
    """

    files: tuple[Path, ...]
    passed_over: Mapping[str, int] = field(default_factory=dict)


def find(path: Path, suffixes: Collection[str]) -> Found:
    """The articles at a path: a file as it is, a folder with all folders below it.

    Raises:
        NoArticles: nothing is there.
        ReadError: the folder cannot be listed.
    """
    try:
        # Only what leads to a file is resolved: a link has the name and suffix the user gave it.
        place = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
        exists = place.exists()
    except (OSError, ValueError, RuntimeError) as error:
        raise ReadError(f"Cannot read {path}: {error}. Check the path.") from error
    if not exists:
        raise NoArticles(f"Nothing at {path}. Check the path, or give a folder of articles.")
    if not place.is_dir():
        return Found((place,))
    walk = _Walk(suffixes)
    try:
        walk.folder(place)
    except OSError as error:
        raise ReadError(
            f"Cannot read folder {path}: {error.strerror}. Check its rights."
        ) from error
    return Found(tuple(sorted(walk.files.values())), dict(sorted(walk.passed_over.items())))


class _Walk:
    """One walk through a folder; links to folders are not followed, so it ends and stays inside."""

    def __init__(self, suffixes: Collection[str]) -> None:
        self._suffixes = suffixes
        self.files: dict[str, Path] = {}
        self.passed_over: Counter[str] = Counter()

    def folder(self, top: Path) -> None:
        waiting: list[tuple[Path, Sequence[_Ignored]]] = [(top, ())]
        while waiting:
            folder, outer = waiting.pop()
            try:
                entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
            except OSError:
                if folder == top:
                    raise
                self.passed_over["unreadable"] += 1
                continue
            ignored = (*outer, *_ignored(folder))
            for entry in entries:
                path = Path(entry.path)
                if why := self._why_not(entry, ignored):
                    self.passed_over[why] += 1
                elif entry.is_dir():
                    waiting.append((path, ignored))
                else:
                    self._keep(path, linked=entry.is_symlink())

    def _keep(self, path: Path, *, linked: bool) -> None:
        """Notes a file once: under its own name rather than that of a link to it."""
        real = os.path.realpath(path)
        if not linked or real not in self.files:
            self.files[real] = path

    def _why_not(self, entry: "os.DirEntry[str]", ignored: "Sequence[_Ignored]") -> str | None:
        if entry.name.startswith("."):
            return "hidden"
        if _is_ignored(entry, ignored):
            return "ignored"
        if entry.is_symlink() and not _leads_somewhere(entry.path):
            return "broken link"
        if entry.is_dir():
            return "linked folder" if entry.is_symlink() else None
        return self._why_no_article(entry)

    def _why_no_article(self, entry: "os.DirEntry[str]") -> str | None:
        if not entry.is_file():
            return "not a file"
        if _sniffs_binary(entry.path):
            return "binary"
        return None if Path(entry.name).suffix.lower() in self._suffixes else "other format"


@dataclass(frozen=True, slots=True)
class _Ignored:
    """The rules of one .gitignore, which speak of paths below its folder."""

    folder: Path
    rules: "GitIgnoreSpec"


def _ignored(folder: Path) -> Iterator[_Ignored]:
    try:
        lines = (folder / ".gitignore").read_text("utf-8", "replace").splitlines()
    except OSError:
        return  # there is none, as in most folders
    from pathspec import GitIgnoreSpec

    yield _Ignored(folder, GitIgnoreSpec.from_lines(lines))


def _is_ignored(entry: "os.DirEntry[str]", ignored: Sequence[_Ignored]) -> bool:
    """Whether the last rule that speaks of an entry, from the innermost folder out, excludes it."""
    for rules in reversed(ignored):
        path = Path(entry.path).relative_to(rules.folder).as_posix()
        folder = entry.is_dir(follow_symlinks=False)
        said = rules.rules.check_file(f"{path}/" if folder else path).include
        if said is not None:
            return said
    return False


def _leads_somewhere(link: str) -> bool:
    try:
        os.stat(link)  # noqa: PTH116 -- os.path.exists and Path.exists do not agree on loops
    except OSError:
        return False
    return True


def _sniffs_binary(path: str) -> bool:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 -- a Path for each of many thousand files costs more than reading it
            return is_binary(file.read(_SNIFFED))
    except OSError:
        return False  # reading it will say so, with its name
