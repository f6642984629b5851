"""Full checks of a library's files, for `qa doctor`: each says what it found or raises."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from qa.errors import DamagedLibrary
from qa.library.snapshot import Snapshot


def database(db: sqlite3.Connection, folder: Path) -> str:
    """Every page of the database, and every reference in it."""
    found = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
    if found != ["ok"] or db.execute("PRAGMA foreign_key_check").fetchone():
        raise DamagedLibrary(
            f"The library at {folder} is damaged ({found[0]}). Move it away and add the articles "
            "again, or restore a backup."
        )
    snapshot = Snapshot(db, folder)
    articles, passages = snapshot.counts()
    return f"{articles} articles, {passages} passages, version {snapshot.version} at {folder}"


def lexical(db: sqlite3.Connection, folder: Path) -> str:
    """The full-text index against its own content, and its rows against the passages."""
    try:
        db.execute("INSERT INTO lexical (lexical) VALUES ('integrity-check')")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
            raise
        return "not checked: FTS5 needs write permission for that"
    (strays,) = db.execute(
        "SELECT (SELECT count(*) FROM passages WHERE id NOT IN (SELECT rowid FROM lexical))"
        " + (SELECT count(*) FROM lexical WHERE rowid NOT IN (SELECT id FROM passages))"
    ).fetchone()
    if strays:
        raise DamagedLibrary(
            f"The lexical index at {folder} differs in {strays} passages. Make it again.",
            command="qa reindex",
        )
    return "agrees with the passages"


def vectors(db: sqlite3.Connection, folder: Path) -> str:
    """The checksum of every vector."""
    count = sum(1 for _ in Snapshot(db, folder).vectors())
    return f"{count} vectors, all as written"


def cache(kind: str) -> Callable[[sqlite3.Connection, Path], str]:
    """A check of every byte of a search structure beside the database: "vectors" or "words"."""

    def look(db: sqlite3.Connection, folder: Path) -> str:
        from embeddings.index import VectorIndex
        from qa.library.postings import Postings

        found = Snapshot(db, folder).cache(kind)
        if found is None:
            return "none yet" if kind == "vectors" else "none: FTS5 is fast enough"
        path = folder / found.name
        verify = VectorIndex.verify if kind == "vectors" else Postings.verify
        if not verify(path):
            raise DamagedLibrary(
                f"{path} is damaged or gone; the library is not. Delete it, it is made again."
            )
        return f"{found.name}, {found.rows} passages, {found.size:,} bytes"

    return look
