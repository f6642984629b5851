"""A library on disk: SQLite is the truth, a FAISS file beside it is a cache.

One writer at a time, under a lock; readers are never blocked and see one version from start to end.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import LibraryError, LockedError, QaError
from qa.library import database
from qa.library.names import storable
from qa.library.snapshot import ArticleInfo, Cache, Snapshot, Words
from qa.model import Filters

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from qa.library.vectors import VectorView
    from qa.library.words import WordView
    from qa.library.writer import Writer

__all__ = ["ArticleInfo", "Cache", "Library", "Snapshot", "Words"]

_LOCK_WAIT_S = 10.0
# Up to so many rows FTS5 answers in milliseconds, and a vector cache is written in no time.
_SMALL = 20_000
# In a larger library the caches may lag behind by so many rows: whoever opens it reads these.
_LAG = 1000
# How many sets of filters are remembered with what they let through.
_FILTERS = 8


class Library:
    """The only writer and reader of the files in `folder`; threads may share it for reading."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._view: tuple[tuple[str, int], VectorView] | None = None
        self._words: tuple[tuple[str, int], WordView | None] | None = None
        self._allowed: dict[tuple[str, int, Filters], NDArray[np.int64] | None] = {}
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
        """A library, made empty unless there is one.

        Raises:
            LibraryError: it cannot be made, or the one that is there cannot be used.
            LockedError: another process kept the writers' lock too long.
        """
        if not database.exists(folder):
            if storable(folder) != str(folder):
                # FAISS opens no such file.
                raise LibraryError(
                    f"The name of the folder {storable(folder)} is no UTF-8. "
                    "Choose another place: -l PATH"
                )
            with database.writable(folder):
                folder.mkdir(parents=True, exist_ok=True)
            with _locked(folder, _LOCK_WAIT_S):
                # Another process may have made it meanwhile.
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
            database.reading(self.folder) as db,
            database.transaction(db, "DEFERRED"),
        ):
            yield Snapshot(db, self.folder)

    @contextmanager
    def writing(self, wait_s: float = _LOCK_WAIT_S) -> "Iterator[Writer]":
        """The writers' lock; afterwards the search structures are brought up to date.

        Raises:
            LockedError: another process kept the lock longer than `wait_s` seconds.
        """
        from qa.library.writer import Writer

        with _locked(self.folder, wait_s), closing(database.connect(self.folder)) as db:
            with database.guarded(self.folder):
                database.update(db)
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
                with self._noting(snapshot, "vectors") as noting:
                    view, good = vectors.view(noting, self.folder, self._newest_cache)
                self._view = (wanted, view)
                if not good:
                    self._heal()
            return self._view[1]

    def words(self, snapshot: Snapshot) -> Words:
        """How passages of the snapshot's version are found by their words."""
        with self._view_lock:
            wanted = (snapshot.id, snapshot.version)
            if self._words is None or self._words[0] != wanted:
                self._words = (wanted, self._opened_words(snapshot))
            view = self._words[1]
        if view is None:
            return snapshot
        from qa.library.words import MappedWords

        return MappedWords(view, snapshot, lambda filters: self.allowed(snapshot, filters))

    def _opened_words(self, snapshot: Snapshot) -> "WordView | None":
        if snapshot.cache("words") is None:
            return None
        from qa.library import words

        with self._noting(snapshot, "words") as noting:
            view, good = words.view(noting, self.folder, self._newest_cache)
        if not good:
            self._heal()
        return view

    @contextmanager
    def _noting(self, snapshot: Snapshot, kind: str) -> Iterator[Snapshot]:
        """The snapshot, or a newer one of its version where its cache has been replaced since."""
        cache = snapshot.cache(kind)
        if cache is None or (self.folder / cache.name).exists():
            yield snapshot
            return
        with self.snapshot() as newest:
            yield newest if newest.version == snapshot.version else snapshot

    def allowed(self, snapshot: Snapshot, filters: Filters) -> "NDArray[np.int64] | None":
        """The ids of the passages that pass the filters, ascending; None means all of them."""
        if not filters:
            return None
        asked = (snapshot.id, snapshot.version, filters)
        with self._view_lock:
            if asked in self._allowed:
                return self._allowed[asked]
        found = snapshot.allowed(filters)
        with self._view_lock:
            while len(self._allowed) >= _FILTERS:
                del self._allowed[next(iter(self._allowed))]
            self._allowed[asked] = found
        return found

    def refresh_cache(self, *, anew: bool = False) -> None:
        """Writes the search structures where they lag too far; hold the writers' lock."""
        with self.snapshot() as snapshot:
            if not anew and not _lags(snapshot):
                return
            caches = list(self._written(snapshot, anew=anew))
        self._record(caches)
        kept = {cache.name for cache in caches}
        with database.writable(self.folder):
            for path in (*self.folder.glob("vectors-*"), *self.folder.glob("words-*")):
                # Those that a killed process left unfinished go, too.
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    def _written(self, snapshot: Snapshot, *, anew: bool) -> Iterator[Cache]:
        """The search structures of a version, each saved under a name that says which."""
        from qa.library import vectors

        index = vectors.build(snapshot, self.folder, anew=anew)
        last_id = index.last_id
        name = f"vectors-{snapshot.version}-{last_id}.faiss"
        yield self._saved(name, last_id, len(index), index.save)
        del index
        if snapshot.counts()[1] > _SMALL:
            from qa.library import words

            found = words.make(snapshot, self.folder, anew=anew)
            name = f"words-{snapshot.version}-{last_id}.postings"
            yield self._saved(name, last_id, len(found), found.save)

    def _saved(self, name: str, last_id: int, rows: int, save: Callable[[Path], None]) -> Cache:
        path = self.folder / name
        with database.writable(self.folder):
            save(path)
            stat = path.stat()
        return Cache(name, last_id, rows, stat.st_size, stat.st_mtime_ns)

    def examinations(self) -> Iterator[tuple[str, Callable[[], str]]]:
        """Names and functions of the full checks; each gives what it found.

        Raises:
            LibraryError: from a function, for what it looks at.
        """
        from qa.library import examine

        yield "library", lambda: self._examined(examine.database)
        yield "lexical index", lambda: self._examined(examine.lexical)
        yield "vectors", lambda: self._examined(examine.vectors)
        yield "vector cache", lambda: self._examined(examine.cache("vectors"))
        yield "lexical cache", lambda: self._examined(examine.cache("words"))

    def _examined(self, look: Callable[[sqlite3.Connection, Path], str]) -> str:
        with database.reading(self.folder) as db:
            return look(db, self.folder)

    def _record(self, caches: Iterable[Cache]) -> None:
        """Notes finished caches; what they do not hold need not be remembered as removed."""
        with (
            closing(database.connect(self.folder)) as db,
            database.guarded(self.folder),
            database.transaction(db, "IMMEDIATE"),
        ):
            db.execute("DELETE FROM caches")
            db.executemany(
                "INSERT INTO caches VALUES (?, ?, ?, ?, ?)",
                [astuple(cache) for cache in caches],
            )
            db.execute("DELETE FROM removed")

    def _newest_cache(self, kind: str) -> Cache | None:
        with self.snapshot() as snapshot:
            return snapshot.cache(kind)

    def _heal(self) -> None:
        """Replaces a damaged cache, unless a writer is at work, who will, or nobody may write."""
        with suppress(QaError, OSError), _locked(self.folder, 0):
            self.refresh_cache(anew=True)


@contextmanager
def _locked(folder: Path, wait_s: float) -> Iterator[None]:
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "write.lock", timeout=wait_s)
    with database.writable(folder):
        try:
            lock.acquire()
        except Timeout as error:
            raise LockedError(
                f"Another process is writing to the library at {folder}. Try again when it is done."
            ) from error
    try:
        yield
    finally:
        lock.release()


def _lags(snapshot: Snapshot) -> bool:
    cache = snapshot.cache("vectors")
    rows = snapshot.counts()[1]
    if cache is None or (rows > _SMALL and snapshot.cache("words") is None):
        return rows > 0
    removed = len(snapshot.removed())
    behind = removed + max(0, rows - (cache.rows - removed))
    return behind > (0 if rows <= _SMALL else _LAG)
