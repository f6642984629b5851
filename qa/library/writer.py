"""Everything that changes a library: one transaction a commit, under the writers' lock."""

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qa.lexical import terms
from qa.library.database import guarded, transaction
from qa.model import Article, text_sha256
from qa.passages import Slice

# Stands in every digest: articles are read anew when rules of reading, noise or passages change.
RULES = "2"


@dataclass(frozen=True, slots=True)
class Entry:
    """An article ready to be written: its slices, and for each the hash and fp16 vector."""

    origin: str
    article: Article
    slices: Sequence[Slice]
    encoded: Sequence[bytes]
    vectors: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Finished:
    """An origin read to its end: articles of it that are not among `ids` are gone.

    `sha256` is None if something in it was no article: then it is read again next time.
    """

    origin: str
    sha256: str | None
    ids: frozenset[str]


def digest(article: Article) -> str:
    """Hash of everything of an article that its rows depend on."""
    fields = (
        RULES, article.id, article.source, article.title, str(article.date), article.url,
        article.author, article.sha256,
    )  # fmt: skip
    return text_sha256(json.dumps(fields))


def bytes_digest(data: bytes) -> str:
    """Hash of a file as it was read, under the rules of today."""
    return f"{RULES}:{hashlib.sha256(data).hexdigest()}"


class Writer:
    """The one who may change a library; use it inside `Library.writing()`."""

    def __init__(self, db: sqlite3.Connection, folder: Path) -> None:
        self._db = db
        self._folder = folder

    def origins(self) -> dict[str, str | None]:
        """The hash of each origin when it was last read whole; None where it never was."""
        return dict(self._db.execute("SELECT path, sha256 FROM origins"))

    def digests(self, origin: str) -> dict[str, str]:
        """The digest of each article of an origin, by article id."""
        return dict(
            self._db.execute(
                "SELECT a.id, a.digest FROM articles a JOIN origins o ON o.id = a.origin"
                " WHERE o.path = ?",
                (origin,),
            )
        )

    def known_vectors(self, encoded: Sequence[bytes]) -> dict[bytes, bytes]:
        """The fp16 vectors of texts that were encoded before, by the hash of the text."""
        found: dict[bytes, bytes] = {}
        for key in set(encoded):
            row = self._db.execute(
                "SELECT vector, crc FROM passages WHERE encoded = ? LIMIT 1", (key,)
            ).fetchone()
            if row and zlib.crc32(row[0]) == row[1]:
                found[key] = row[0]
        return found

    def commit(
        self,
        entries: Iterable[Entry],
        finished: Iterable[Finished] = (),
        meta: Mapping[str, str | int] | None = None,
    ) -> int:
        """Writes articles and ends origins in one transaction; gives how many articles went.

        Args:
            entries: articles to put in the place of those of the same origin and id.
            finished: origins read to their end.
            meta: the encoder of all entries, when it is another one than before.
        """
        gone = 0
        with guarded(self._folder), transaction(self._db, "IMMEDIATE"):
            for entry in entries:
                self._put(entry)
            for end in finished:
                gone += self._finish(end)
            if meta is not None:
                self._db.executemany("REPLACE INTO meta VALUES (?, ?)", meta.items())
                # It was fitted to the scores of the encoder before.
                self._db.execute("DELETE FROM meta WHERE name LIKE 'calibration %'")
                self._db.execute("DELETE FROM caches")
                self._db.execute("DELETE FROM removed")
            self._grow()
        return gone

    def keep(self, name: str, value: str | None) -> bool:
        """Keeps a value under a name, or nothing any more; says whether there was one."""
        with guarded(self._folder), transaction(self._db, "IMMEDIATE"):
            count = self._db.execute("DELETE FROM meta WHERE name = ?", (name,)).rowcount
            if value is not None:
                self._db.execute("INSERT INTO meta VALUES (?, ?)", (name, value))
        return count > 0

    def remove(self, articles: Mapping[str, Iterable[str]]) -> int:
        """Removes articles, given as ids by origin, in one transaction; gives how many."""
        with guarded(self._folder), transaction(self._db, "IMMEDIATE"):
            count = sum(self._delete(origin, set(ids)) for origin, ids in articles.items())
            self._db.execute(
                "DELETE FROM origins WHERE id NOT IN (SELECT origin FROM articles)"
                " AND path IN (SELECT value FROM json_each(?))",
                (json.dumps(list(articles)),),
            )
            self._grow()
        return count

    def _finish(self, end: Finished) -> int:
        gone = self._delete(end.origin, set(self.digests(end.origin)) - end.ids)
        self._origin(end.origin)
        self._db.execute("UPDATE origins SET sha256 = ? WHERE path = ?", (end.sha256, end.origin))
        return gone

    def _put(self, entry: Entry) -> None:
        article = entry.article
        self._delete(entry.origin, {article.id})
        row = (
            article.id,
            self._origin(entry.origin),
            digest(article),
            article.source,
            article.title,
            article.text,
            article.date.isoformat() if article.date else None,
            article.url,
            article.author,
            article.sha256,
        )
        key = self._db.execute(
            "INSERT INTO articles (id, origin, digest, source, title, text, date, url, author,"
            " sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        ).lastrowid
        title = " ".join(terms(article.title))
        for index in range(len(entry.slices)):
            self._put_passage(key, title, entry, index)

    def _put_passage(self, article: int | None, title: str, entry: Entry, index: int) -> None:
        piece = entry.slices[index]
        text = entry.article.text[piece.start : piece.end]
        vector = entry.vectors[index]
        row = (
            article,
            piece.start,
            piece.end,
            piece.paragraph,
            piece.line,
            piece.noise,
            json.dumps(piece.sentences, separators=(",", ":")),
            text_sha256(text),
            entry.encoded[index],
            vector,
            zlib.crc32(vector),
        )
        passage = self._db.execute(
            "INSERT INTO passages (article, start, stop, paragraph, line, noise, sentences,"
            " sha256, encoded, vector, crc) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            row,
        ).lastrowid
        self._db.execute(
            "INSERT INTO lexical (rowid, title, text) VALUES (?, ?, ?)",
            (passage, title, " ".join(terms(text))),
        )

    def _delete(self, origin: str, ids: set[str]) -> int:
        count = 0
        for article_id in ids:
            row = self._db.execute(
                "SELECT a.key FROM articles a JOIN origins o ON o.id = a.origin"
                " WHERE o.path = ? AND a.id = ?",
                (origin, article_id),
            ).fetchone()
            if row is None:
                continue
            count += 1
            passages = "SELECT id FROM passages WHERE article = ?"
            self._db.execute(f"INSERT INTO removed {passages}", row)
            self._db.execute(f"DELETE FROM lexical WHERE rowid IN ({passages})", row)  # noqa: S608 -- constant
            self._db.execute("DELETE FROM passages WHERE article = ?", row)
            self._db.execute("DELETE FROM articles WHERE key = ?", row)
        return count

    def _origin(self, path: str) -> int:
        """The row of an origin; its hash is unknown until it was read to its end."""
        self._db.execute(
            "INSERT INTO origins (path) VALUES (?) ON CONFLICT (path) DO UPDATE SET sha256 = NULL",
            (path,),
        )
        (row,) = self._db.execute("SELECT id FROM origins WHERE path = ?", (path,)).fetchone()
        return int(row)

    def _grow(self) -> None:
        self._db.execute("UPDATE meta SET value = value + 1 WHERE name = 'version'")
        # A copy, a backup say, may go on to the same version by another way.
        self._db.execute("REPLACE INTO meta VALUES ('id', lower(hex(randomblob(8))))")
