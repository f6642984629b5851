"""The door to a library's SQLite file: opening, schema, and errors in the user's words."""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from qa.errors import (
    DamagedLibrary,
    LibraryError,
    LockedError,
    MismatchedLibrary,
    MissingLibrary,
    QaError,
)
from qa.library.names import folded

FORMAT = 1
FILE = "library.db"

# A file as it is on disk: its inode, size and time.
_Stamp = tuple[int, int, int]
# How often, and after which pause, who may not write tries to open what writers come to and leave.
_TRIES = 5
_PAUSE_S = 0.05

_BUSY = "The library at {} is busy. Try again in a moment."

_FORBIDDEN = (
    "No permission to use the library at {}. Give yourself access, or choose another place: -l PATH"
)
_FULL = (
    "No space left for the library at {}. Free some and run the command again: "
    "what was added before is kept."
)

# `vector` is fp16, little-endian, and the truth; every search structure beside it is a cache.
# `encoded` is the hash of the text that the encoder was given: equal hashes share a vector.
# AUTOINCREMENT: an id is never used again, so that a cache can be behind but never wrong.
_SCHEMA = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE origins (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, sha256 TEXT
);
CREATE TABLE articles (
    key INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL,
    origin INTEGER NOT NULL REFERENCES origins (id), digest TEXT NOT NULL,
    source TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL,
    date TEXT, url TEXT, author TEXT, sha256 TEXT NOT NULL,
    UNIQUE (origin, id)
);
CREATE INDEX articles_by_id ON articles (id);
CREATE INDEX articles_by_source ON articles (source, url, date);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article INTEGER NOT NULL REFERENCES articles (key),
    start INTEGER NOT NULL, stop INTEGER NOT NULL,
    paragraph INTEGER NOT NULL, line INTEGER NOT NULL,
    noise TEXT, sentences TEXT NOT NULL, sha256 TEXT NOT NULL,
    encoded BLOB NOT NULL, vector BLOB NOT NULL, crc INTEGER NOT NULL
);
CREATE INDEX passages_by_article ON passages (article);
CREATE INDEX passages_by_encoded ON passages (encoded);
CREATE TABLE removed (passage INTEGER PRIMARY KEY);
CREATE TABLE caches (
    name TEXT PRIMARY KEY, last_id INTEGER NOT NULL, rows INTEGER NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIRTUAL TABLE lexical USING fts5 (title, text, tokenize = 'unicode61');
CREATE VIRTUAL TABLE vocabulary USING fts5vocab (lexical, row);
"""


def create(folder: Path, meta: dict[str, str | int]) -> None:
    """Makes an empty library; its file appears whole or not at all. Hold the writers' lock."""
    from embeddings.sealed import sync

    made = folder / f"{FILE}.tmp"
    with writable(folder):
        _clear(made)
        try:
            with guarded(folder), closing(_connect(made, "rwc")) as db:
                _fill(db, meta)
            made.replace(folder / FILE)
        except BaseException:
            _clear(made)
            raise
        sync(folder)


def _fill(db: sqlite3.Connection, meta: dict[str, str | int]) -> None:
    db.execute("PRAGMA journal_mode = WAL")
    with transaction(db, "IMMEDIATE"):
        for statement in _SCHEMA.split(";\n"):
            db.execute(statement)
        # The id tells a library from another one that took its place, with versions of its own.
        rows = {"format": FORMAT, "version": 0, "id": os.urandom(8).hex(), **meta}
        db.executemany("INSERT INTO meta VALUES (?, ?)", rows.items())


def _clear(made: Path) -> None:
    """Takes away what a killed process has left of a library that it was making."""
    for suffix in ("", "-journal", "-wal", "-shm"):
        made.with_name(made.name + suffix).unlink(missing_ok=True)


def exists(folder: Path) -> bool:
    """Whether a library was made in the folder.

    Raises:
        LibraryError: the folder may not be looked into.
    """
    with writable(folder):
        return (folder / FILE).exists()


def connect(folder: Path) -> sqlite3.Connection:
    """A connection to an existing library of a known format; its caller closes it.

    Raises:
        MissingLibrary, DamagedLibrary, MismatchedLibrary: it cannot be used.
    """
    return _opened(folder)[0]


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an existing library, for one reading of it.

    Raises:
        MissingLibrary, DamagedLibrary, MismatchedLibrary: it cannot be used.
        LockedError: a writer has changed what was read, and no lock could keep it from that.
    """
    db, unlocked = _opened(folder)
    with closing(db):
        try:
            with guarded(folder):
                yield db
        except Exception as error:
            # What was read may be half of one version and half of another.
            if unlocked and unlocked != _stamp(folder):
                raise LockedError(_BUSY.format(folder)) from error
            raise
        if unlocked and unlocked != _stamp(folder):
            raise LockedError(_BUSY.format(folder))


def update(db: sqlite3.Connection) -> None:
    """Gives a library of an earlier qa what it lacks; all that it takes to use it is there."""
    # Filters look at nothing else of an article; without it they read its text, too.
    db.execute("CREATE INDEX IF NOT EXISTS articles_by_source ON articles (source, url, date)")


def _opened(folder: Path) -> tuple[sqlite3.Connection, _Stamp | None]:
    """A connection, and how the file looked before if no lock keeps writers from changing it."""
    if not exists(folder):
        raise MissingLibrary(f"No library at {folder}. Make one.", command="qa add ARTICLES")
    tries = _TRIES
    while True:
        tries -= 1
        mode, before = _mode(folder)
        try:
            with guarded(folder):
                return _checked(_connect(folder / FILE, mode), folder), before
        except LibraryError:
            # A writer came or went between the look at its files and the first page read.
            if mode == "rw" or not tries:
                raise
            time.sleep(_PAUSE_S)


def _mode(folder: Path) -> tuple[str, _Stamp | None]:
    """How to open the library, and how its file looks if it is opened without a lock.

    Who may not write reads without a lock, since SQLite can make no file for one; but what is
    still in the log of a writer at work, or killed, would be missed: then its files are used.
    """
    if os.access(folder, os.W_OK) and os.access(folder / FILE, os.W_OK):
        return "rw", None
    before = _stamp(folder)
    with suppress(FileNotFoundError):
        if (folder / f"{FILE}-wal").stat().st_size:
            return "ro", None
    return "ro&immutable=1", before


def _stamp(folder: Path) -> _Stamp:
    stat = (folder / FILE).stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(file))}?mode={mode}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
    db.create_function("folded", 1, folded, deterministic=True)
    # Full: an acknowledged commit outlives a power cut.
    db.execute("PRAGMA synchronous = FULL")
    return db


def _checked(db: sqlite3.Connection, folder: Path) -> sqlite3.Connection:
    try:
        _check_format(db, folder)
    except BaseException:
        db.close()
        raise
    return db


def _check_format(db: sqlite3.Connection, folder: Path) -> None:
    if not db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone():
        raise DamagedLibrary(
            f"The library at {folder} is empty: it was never finished. Delete the folder and add "
            "the articles again."
        )
    (found,) = db.execute("SELECT value FROM meta WHERE name = 'format'").fetchone()
    if found != FORMAT:
        raise MismatchedLibrary(
            f"The library at {folder} has format {found}, this qa reads format {FORMAT}. "
            "Use the qa that made it, or add the articles to a new library."
        )


@contextmanager
def transaction(db: sqlite3.Connection, kind: str) -> Iterator[None]:
    """One transaction: DEFERRED to read one version, IMMEDIATE to write; rolled back on error."""
    db.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def guarded(folder: Path) -> Iterator[None]:
    """Turns the errors of SQLite into one line with the next step."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(error, folder) from error


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turns the errors of the file system into one line with the next step."""
    try:
        yield
    except PermissionError as error:
        raise LibraryError(_FORBIDDEN.format(folder)) from error
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise QaError(_FULL.format(folder)) from error
        raise LibraryError(
            f"Cannot write to the library at {folder} ({error.strerror}). "
            "Choose another place: -l PATH"
        ) from error


def _explained(error: sqlite3.Error, folder: Path) -> QaError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(folder)):
        return QaError(_FULL.format(folder))
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return LibraryError(_FORBIDDEN.format(folder))
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return LockedError(_BUSY.format(folder))
    return DamagedLibrary(
        f"The library at {folder} is damaged ({error}). Move it away and add the articles again, "
        "or restore a backup."
    )


def _is_full(folder: Path) -> bool:
    import shutil

    return shutil.disk_usage(folder).free < 2**20
