"""A library as it was at one version: everything that reading it can ask."""

import datetime as dt
import json
import math
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from qa.errors import DamagedLibrary
from qa.library.names import folded
from qa.model import EVERYTHING, Article, Citation, Filters, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# CROSS: SQLite goes through the articles, by the index that holds all that filters look at.
_PASSING = "SELECT p.id FROM articles a CROSS JOIN passages p ON p.article = a.key {}"
_ARTICLE = "id, source, title, text, date, url, author, sha256"
_OF_ARTICLE = ", ".join(f"a.{name}" for name in _ARTICLE.split(", "))


@dataclass(frozen=True, slots=True)
class ArticleInfo:
    """An article without its text; `origin` is the absolute path or URL it was read from."""

    id: str
    title: str
    source: str
    date: dt.date | None
    url: str | None
    author: str | None
    origin: str
    characters: int
    passages: int


@dataclass(frozen=True, slots=True)
class Cache:
    """A search structure on disk: which rows it covers, and how its file looked when written."""

    name: str
    last_id: int
    rows: int
    size: int
    mtime_ns: int

    def touched(self, path: Path) -> bool:
        """Whether the file is, by its stat, another one than was written."""
        stat = path.stat()
        return (stat.st_size, stat.st_mtime_ns) != (self.size, self.mtime_ns)


class Words(Protocol):
    """How passages are found by their words."""

    def idf(self, terms: Sequence[str]) -> dict[str, float]:
        """How rare each term is: ln((N - n + ½) / (n + ½)) for n of N passages, at least 1e-6."""

    def lexical(
        self, terms: Sequence[str], limit: int, filters: Filters
    ) -> list[tuple[int, float]]:
        """The best passages by BM25 over any of the terms, as (id, score), best first."""

    def held(self, terms: Sequence[str], ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """Which of the terms each passage holds, its title read with it."""


class Snapshot:
    """One version of a library, from start to end; use it inside `Library.snapshot()`."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self._folder = folder
        self._meta: dict[str, str | int] = dict(db.execute("SELECT name, value FROM meta"))

    @property
    def version(self) -> int:
        """Grows with each commit."""
        return int(self._meta["version"])

    @property
    def id(self) -> str:
        """Tells a version from the same one of another library or a copy; empty in the oldest."""
        return str(self._meta.get("id", ""))

    @property
    def encoder(self) -> str:
        """The name of the encoder that wrote the vectors."""
        return str(self._meta["encoder"])

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the encoder that wrote the vectors."""
        return str(self._meta["fingerprint"])

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._meta["dimensions"])

    def kept(self, name: str) -> str | None:
        """What was kept under a name."""
        return str(self._meta[name]) if name in self._meta else None

    def counts(self) -> tuple[int, int]:
        """How many articles and passages there are."""
        row = self._db.execute(
            "SELECT (SELECT count(*) FROM articles), (SELECT count(*) FROM passages)"
        ).fetchone()
        return int(row[0]), int(row[1])

    def articles(self, filters: Filters = EVERYTHING) -> list[ArticleInfo]:
        """The articles that pass the filters, by source and id."""
        where, values = _where(filters)
        rows = self._db.execute(
            "SELECT a.id, a.title, a.source, a.date, a.url, a.author, o.path, length(a.text),"  # noqa: S608 -- `where` is made of constants
            " (SELECT count(*) FROM passages WHERE article = a.key)"
            f" FROM articles a JOIN origins o ON o.id = a.origin {where}"
            " ORDER BY a.source, a.id",
            values,
        )
        return [
            ArticleInfo(key, title, source, _date(date), url, author, origin, characters, passages)
            for key, title, source, date, url, author, origin, characters, passages in rows
        ]

    def cited(self, article_id: str, source: str) -> dict[str, Article]:
        """The articles of that id and source, by the absolute path or URL of each."""
        rows = self._db.execute(
            f"SELECT o.path, {_OF_ARTICLE} FROM articles a JOIN origins o ON o.id = a.origin"  # noqa: S608 -- constant columns
            " WHERE a.id = ? AND a.source = ? ORDER BY a.key",
            (article_id, source),
        )
        return {origin: _article(row) for origin, *row in rows}

    def origin_of(self, citation: Citation) -> str | None:
        """The absolute path or URL that a cited article was read from.

        Of articles of the same id and source it is the one that holds the passage.
        """
        row = self._db.execute(
            "SELECT o.path FROM articles a JOIN origins o ON o.id = a.origin"
            " WHERE a.id = ? AND a.source = ? ORDER BY EXISTS (SELECT 1 FROM passages p"
            " WHERE p.article = a.key AND p.start = ? AND p.sha256 = ?) DESC LIMIT 1",
            (citation.article_id, citation.source, citation.start, citation.sha256),
        ).fetchone()
        return row[0] if row else None

    def passages_of(self, article_id: str, origin: str) -> list[Passage]:
        """All passages of an article, in its order."""
        rows = self._db.execute(
            "SELECT p.id FROM passages p JOIN articles a ON a.key = p.article"
            " JOIN origins o ON o.id = a.origin WHERE a.id = ? AND o.path = ? ORDER BY p.start",
            (article_id, origin),
        )
        return list(self.passages([row[0] for row in rows]).values())

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        """The passages of these ids, in their order; unknown ids are left out."""
        found: dict[int, Passage] = {}
        texts: dict[int, tuple[str, ...]] = {}
        rows = {
            row[0]: row[1:]
            for row in self._db.execute(
                "SELECT id, article, start, stop, paragraph, line, noise, sentences, sha256"
                " FROM passages WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            )
        }
        for passage_id in ids:
            if passage_id not in rows:
                continue
            key, start, stop, paragraph, line, noise, sentences, sha256 = rows[passage_id]
            if key not in texts:
                texts[key] = self._db.execute(
                    f"SELECT {_ARTICLE} FROM articles WHERE key = ?",  # noqa: S608 -- constant columns
                    (key,),
                ).fetchone()
            article_id, source, title, text, date, url, _, _ = texts[key]
            citation = Citation(
                article_id, title, source, _date(date), url, paragraph, line, start, stop, sha256
            )
            borders = tuple((a, b) for a, b in json.loads(sentences))
            found[passage_id] = Passage(passage_id, text[start:stop], citation, borders, noise)
        return found

    def noise(self, ids: Sequence[int]) -> set[int]:
        """Those of the passages that are not prose."""
        rows = self._db.execute(
            "SELECT id FROM passages WHERE noise IS NOT NULL"
            " AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        return {row[0] for row in rows}

    def allowed(self, filters: Filters) -> "NDArray[np.int64] | None":
        """The ids of the passages that pass the filters; None means all of them."""
        if not filters:
            return None
        import numpy as np

        where, values = _where(filters)
        rows = self._db.execute(
            _PASSING.format(where),
            values,
        )
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def lexical(
        self, terms: Sequence[str], limit: int, filters: Filters
    ) -> list[tuple[int, float]]:
        """The best passages by BM25 over any of the terms, as (id, score), best first.

        BM25 with k1 1.2 and b 0.75 over title and text, as SQLite's FTS5 computes it.
        """
        if not terms:
            return []
        where, values = _where(filters)
        passages = _PASSING.format(where)
        allowed = f"AND rowid IN ({passages})" if where else ""
        rows = self._db.execute(
            f"SELECT rowid, -rank FROM lexical WHERE lexical MATCH ? {allowed}"  # noqa: S608 -- as above
            " ORDER BY rank LIMIT ?",
            (" OR ".join(f'"{term}"' for term in terms), *values, limit),
        )
        return sorted(rows, key=lambda row: (-row[1], row[0]))

    def idf(self, terms: Sequence[str]) -> dict[str, float]:
        """How rare each term is: ln((N - n + ½) / (n + ½)) for n of N passages, at least 1e-6.

        As FTS5 counts it for BM25; a term that no passage holds is the rarest.
        """
        holding = dict(
            self._db.execute(
                "SELECT term, doc FROM vocabulary WHERE term IN (SELECT value FROM json_each(?))",
                (json.dumps(list(terms)),),
            )
        )
        (total,) = self._db.execute("SELECT count(*) FROM passages").fetchone()
        return {term: idf(total, holding.get(term, 0)) for term in terms}

    def held(self, terms: Sequence[str], ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """Which of the terms each passage holds, its title read with it."""
        rows = self._db.execute(
            "SELECT rowid, title || ' ' || text FROM lexical"
            " WHERE rowid IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        wanted = frozenset(terms)
        return {passage_id: wanted.intersection(held.split()) for passage_id, held in rows}

    def terms(self, after: int = 0) -> Iterator[tuple[int, str]]:
        """The terms of passages with an id beyond `after` and of their titles, as (id, text)."""
        yield from self._db.execute(
            "SELECT rowid, title || ' ' || text FROM lexical WHERE rowid > ? ORDER BY rowid",
            (after,),
        )

    def vectors(self, after: int = 0) -> "Iterator[tuple[int, bytes]]":
        """The vectors of passages with an id beyond `after`, as (id, fp16 bytes).

        Raises:
            DamagedLibrary: a vector is not what was written.
        """
        rows = self._db.execute(
            "SELECT id, vector, crc FROM passages WHERE id > ? ORDER BY id", (after,)
        )
        for passage_id, vector, crc in rows:
            if zlib.crc32(vector) != crc:
                raise DamagedLibrary(
                    f"The vector of passage {passage_id} in {self._folder} is damaged. "
                    "Encode the library again.",
                    command="qa reindex",
                )
            yield passage_id, vector

    def vectors_of(self, ids: Sequence[int]) -> "NDArray[np.float32]":
        """The vectors of these passages, in their order, shape (len(ids), dimensions)."""
        import numpy as np

        rows = dict(
            self._db.execute(
                "SELECT id, vector FROM passages WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(ids)),),
            )
        )
        joined = b"".join(rows[passage_id] for passage_id in ids)
        return np.frombuffer(joined, "<f2").reshape(len(ids), self.dimensions).astype(np.float32)

    def everything(self) -> Iterator[tuple[str, Article]]:
        """Every article with the origin it was read from."""
        for origin, *row in self._db.execute(
            f"SELECT o.path, {_OF_ARTICLE}"  # noqa: S608 -- constant columns
            " FROM articles a JOIN origins o ON o.id = a.origin ORDER BY a.key"
        ):
            yield origin, _article(row)

    def cache(self, kind: str) -> Cache | None:
        """The newest search structure of a kind on disk: "vectors" or "words"."""
        row = self._db.execute(
            "SELECT name, last_id, rows, size, mtime_ns FROM caches WHERE name GLOB ? || '-*'"
            " ORDER BY last_id DESC LIMIT 1",
            (kind,),
        ).fetchone()
        return Cache(*row) if row else None

    def removed(self) -> list[int]:
        """The passages that the cache still holds and the library no longer does."""
        return [row[0] for row in self._db.execute("SELECT passage FROM removed ORDER BY passage")]


def _where(filters: Filters) -> tuple[str, list[str]]:
    """The SQL condition of filters on `articles a`, and its values."""
    conditions: list[str] = []
    values: list[str] = []
    if filters.sources:
        either = []
        for source in filters.sources:
            for pattern in _patterns(folded(source)):
                either.append("folded(a.source) GLOB ? OR folded(coalesce(a.url, '')) GLOB ?")
                values += [pattern, pattern]
        conditions.append(f"({' OR '.join(either)})")
    if filters.since:
        conditions.append("a.date >= ?")
        values.append(filters.since.isoformat())
    if filters.until:
        conditions.append("a.date <= ?")
        values.append(filters.until.isoformat())
    return (f"WHERE {' AND '.join(conditions)}" if conditions else ""), values


def _patterns(source: str) -> list[str]:
    """The globs of a source as it was typed: a part of it, a glob of it, or of its last name."""
    # Brackets are letters of a name here; SQLite takes them for a choice of letters.
    pattern = source.replace("[", "[[]")
    if not any(char in source for char in "*?"):
        return [f"*{pattern}*"]
    return [pattern] if "/" in source else [pattern, f"*/{pattern}"]


def idf(total: int, holding: int) -> float:
    """How rare a term is that `holding` of `total` passages have, as FTS5 counts it for BM25."""
    odds = (total - holding + 0.5) / (holding + 0.5)
    return max(1e-6, math.log(odds))


def _article(row: Sequence[Any]) -> Article:
    key, source, title, text, date, url, author, sha256 = row
    return Article(key, source, title, text, _date(date), url, author, sha256)


def _date(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None
