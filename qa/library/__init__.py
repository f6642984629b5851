"""A library on disk: SQLite is the truth, a FAISS file beside it is a cache.

One writer at a time, under a lock; readers are never blocked and see one version from start to end.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import LockedError
from qa.library import database
from qa.library.snapshot import ArticleInfo, Cache, Snapshot

if TYPE_CHECKING:
    from qa.library.vectors import VectorView
    from qa.library.writer import Writer

__all__ = ["ArticleInfo", "Cache", "Library", "Snapshot"]

_LOCK_WAIT_S = 10.0
# A cache may lag behind by this share of the rows before it is written anew.
_LAG = 0.05
_SMALL = 20_000


class Library:
    """The only writer and reader of the files in `folder`; threads may share it for reading."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._view: tuple[tuple[str, int], VectorView] | None = None
        self._view_lock = threading.Lock()

    @classmethod
    def open(cls, folder: Path) -> "Library":
        """A library that exists.

        Raises:
            MissingLibrary, DamagedLibrary, MismatchedLibrary: it cannot be used.
        """
        database.connect(folder).close()
        return cls(folder)

    @classmethod
    def create(cls, folder: Path, encoder: str, fingerprint: str, dimensions: int) -> "Library":
        """A library, made empty unless there is one."""
        if not database.exists(folder):
            database.create(
                folder,
                {"encoder": encoder, "fingerprint": fingerprint, "dimensions": dimensions},
            )
        return cls.open(folder)

    def exists(self) -> bool:
        """Whether there is a library in the folder."""
        return database.exists(self.folder)

    def size(self) -> int:
        """Bytes of its files on disk; those that a writer is just taking away count nothing."""
        total = 0
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        return total

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The newest version, unchanging until the end of the `with`."""
        with (
            closing(database.connect(self.folder)) as db,
            database.guarded(self.folder),
            database.transaction(db, "DEFERRED"),
        ):
            yield Snapshot(db, self.folder)

    @contextmanager
    def writing(self, wait_s: float = _LOCK_WAIT_S) -> "Iterator[Writer]":
        """The writers' lock; afterwards the vector cache is brought up to date where it lags.

        Raises:
            LockedError: another process kept the lock longer than `wait_s` seconds.
        """
        from qa.library.writer import Writer

        with self._locked(wait_s), closing(database.connect(self.folder)) as db:
            try:
                yield Writer(db, self.folder)
            finally:
                self.refresh_cache()

    def vectors(self, snapshot: Snapshot) -> "VectorView":
        """The vectors of the snapshot's version, opened once for all threads."""
        from qa.library import vectors

        wanted = (snapshot.id, snapshot.version)
        with self._view_lock:
            if self._view is None or self._view[0] != wanted:
                view, good = vectors.view(snapshot, self.folder, self._newest_cache)
                self._view = (wanted, view)
                if not good:
                    self._heal()
            return self._view[1]

    def refresh_cache(self, *, anew: bool = False) -> None:
        """Writes the vector cache where it lags too far behind; hold the writers' lock."""
        from qa.library import vectors

        with self.snapshot() as snapshot:
            if not anew and not _lags(snapshot):
                return
            index = vectors.build(snapshot, self.folder, anew=anew)
            version = snapshot.version
        with database.writable(self.folder):
            cache = vectors.write(index, self.folder, version)
        self._record(cache)
        with database.writable(self.folder):
            vectors.prune(self.folder, cache.name)

    def examinations(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Names and functions of the full checks; each gives what it found.

        Raises:
            LibraryError: from a function, for what it looks at.
        """
        from qa.library import examine

        yield "library", lambda: self._examined(examine.database)
        yield "lexical index", lambda: self._examined(examine.lexical)
        yield "vectors", lambda: self._examined(examine.vectors)
        yield "vector cache", lambda: self._examined(examine.cache)

    def _examined(self, look: Callable[[sqlite3.Connection, Path], str]) -> str:
        with closing(database.connect(self.folder)) as db, database.guarded(self.folder):
            return look(db, self.folder)

    def _record(self, cache: Cache) -> None:
        """Notes a finished cache; what it does not hold need not be remembered as removed."""
        with (
            closing(database.connect(self.folder)) as db,
            database.guarded(self.folder),
            database.transaction(db, "IMMEDIATE"),
        ):
            db.execute("DELETE FROM caches")
            db.execute(
                "INSERT INTO caches VALUES (?, ?, ?, ?, ?)",
                (cache.name, cache.last_id, cache.rows, cache.size, cache.mtime_ns),
            )
            db.execute("DELETE FROM removed")

    def _newest_cache(self) -> Cache | None:
        with self.snapshot() as snapshot:
            return snapshot.cache()

    def _heal(self) -> None:
        """Replaces a damaged cache, unless a writer is at work, who will, or nobody may write."""
        with suppress(LockedError, OSError), self._locked(0):
            self.refresh_cache(anew=True)

    @contextmanager
    def _locked(self, wait_s: float) -> Iterator[None]:
        from filelock import FileLock, Timeout

        lock = FileLock(self.folder / "write.lock", timeout=wait_s)
        with database.writable(self.folder):
            try:
                lock.acquire()
            except Timeout as error:
                raise LockedError(
                    f"Another process is writing to the library at {self.folder}. "
                    "Try again when it is done."
                ) from error
        try:
            yield
        finally:
            lock.release()


def _lags(snapshot: Snapshot) -> bool:
    cache = snapshot.cache()
    rows = snapshot.counts()[1]
    if cache is None:
        return rows > 0
    removed = len(snapshot.removed())
    behind = removed + max(0, rows - (cache.rows - removed))
    return behind > (0 if rows <= _SMALL else rows * _LAG)
