"""Finds the articles that a name means, and the passage that a citation, typed or given, does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qa import locations
from qa.errors import QaError, UnknownArticle
from qa.library import ArticleInfo
from qa.library.names import composed, storable
from qa.model import Citation, Passage

_LINE = re.compile(r"(.+):(\d+)")
_RANGE = re.compile(r"(.+)#(\d+)-(\d+)")


@dataclass(frozen=True, slots=True)
class Place:
    """An article by id, source or both, and a line or a range of characters in it."""

    names: tuple[str, ...]
    source: str | None = None
    line: int | None = None
    start: int | None = None

    @classmethod
    def of(cls, citation: Citation) -> "Place":
        """The place of a citation."""
        return cls((citation.article_id,), source=citation.source, start=citation.start)

    @classmethod
    def parse(cls, text: str) -> "Place":
        """A place as it is typed: SOURCE or ID, alone, with :LINE, or with #START-END."""
        if match := _RANGE.fullmatch(text):
            return cls((match[1], text), start=int(match[2]))
        if match := _LINE.fullmatch(text):
            return cls((match[1], text), line=int(match[2]))
        return cls((text,))

    def among(self, passages: Sequence[Passage]) -> Citation | None:
        """The citation of the passage at this place, the last one that begins before it."""
        if self.start is not None:
            begun = [item for item in passages if item.citation.start <= self.start]
        elif self.line is not None:
            begun = [item for item in passages if item.citation.line <= self.line]
        else:
            return None
        return begun[-1].citation if begun else None


def typed(citation: Citation) -> str:
    """A citation as `Place.parse` reads it: ID#START-END."""
    return f"{citation.article_id}#{citation.start}-{citation.end}"


def locate(place: Place, articles: Sequence[ArticleInfo]) -> ArticleInfo:
    """The one article at a place: by id, source or path, by the end of its path, or by a part.

    Raises:
        UnknownArticle: there is none.
        QaError: there are several.
    """
    names = tuple(map(composed, place.names))
    exact = [
        info
        for info in articles
        if {composed(of) for of in (info.id, info.source, info.origin, info.url) if of} & {*names}
        and place.source in {None, info.source}
    ]
    ends = tuple(f"/{name}" for name in names)
    name = names[0]
    found = (
        exact
        or [info for info in articles if composed(info.source).endswith(ends)]
        or [info for info in articles if name in composed(info.source)]
    )
    if not found:
        raise _unknown(name)
    if len(found) > 1:
        several = ", ".join(f"{info.source} ({info.id})" for info in found[:4])
        raise QaError(f"'{name}' names {len(found)} articles: {several}. Give the id of one.")
    return found[0]


def named(name: str, articles: Sequence[ArticleInfo]) -> list[ArticleInfo]:
    """All articles of a path, folder or URL, taken from where it is given, else of a source or id.

    Raises:
        UnknownArticle: there are none.
        QaError: the name is empty, or is a source or id in several files.
    """
    if not name:  # as a path it would be the folder one stands in
        raise QaError("An empty name names no article. See what there is.", command="qa list")
    path = storable(locations.expanded(name).resolve())
    name = storable(name)
    below = path.rstrip("/") + "/"
    there = [
        info for info in articles if info.origin in {name, path} or info.origin.startswith(below)
    ]
    # A source is a path as seen from elsewhere: what lies at the path itself goes before it.
    found = there or [info for info in articles if name in {info.source, info.id}]
    if not found:
        raise _unknown(name)
    origins = sorted({info.origin for info in found})
    if not there and len(origins) > 1:
        several = ", ".join(origins[:4])
        raise QaError(f"'{name}' names articles of {len(origins)} files: {several}. Give a path.")
    return found


def _unknown(name: str) -> UnknownArticle:
    return UnknownArticle(
        f"No article '{name}' in the library. See what there is.", command="qa list"
    )
