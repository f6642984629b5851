"""The vectors of one version: a FAISS file for most rows, the newest rows beside it."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import IndexFileError
from embeddings.index import VectorIndex
from qa.library.snapshot import Cache, Snapshot

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VectorView:
    """All vectors of one version of a library; never changes, so threads may share it."""

    parts: tuple[VectorIndex, ...]
    removed: NDArray[np.int64]

    def search(
        self, query: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None
    ) -> list[tuple[int, float]]:
        """The nearest passages as (id, cosine), best first, ties by id."""
        without = self.removed if len(self.removed) else None
        found: list[tuple[int, float]] = []
        for part in self.parts:
            ids, scores = part.search(query, k, allowed=allowed, without=without)
            found += zip(ids.tolist(), scores.tolist(), strict=True)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:k]


def build(snapshot: Snapshot) -> VectorIndex:
    """An index of all vectors of a version."""
    return _index(snapshot.vectors(), snapshot.dimensions)


def view(
    snapshot: Snapshot, folder: Path, newest: Callable[[], Cache | None]
) -> tuple[VectorView, bool]:
    """The vectors of a version, and whether the cache on disk is good.

    A cache that is missing or damaged is said in one line and made up for from the truth; one that
    a writer has just replaced is made up for alone.

    Args:
        snapshot: the version.
        folder: the library's.
        newest: gives the cache that the library notes by now.
    """
    cache = snapshot.cache()
    base = _open(cache, folder) if cache else None
    if base is None or cache is None:
        replaced = cache is not None and newest() != cache
        if cache is not None and not replaced:
            path = folder / cache.name
            _log.warning("The vector cache was rebuilt from the library: %s was damaged.", path)
        none: NDArray[np.int64] = np.empty(0, np.int64)
        good = replaced or (cache is None and snapshot.counts()[1] == 0)
        return VectorView((build(snapshot),), none), good
    newer = _index(snapshot.vectors(after=cache.last_id), snapshot.dimensions)
    parts = (base, newer) if len(newer) else (base,)
    return VectorView(parts, np.array(snapshot.removed(), dtype=np.int64)), True


def _open(cache: Cache, folder: Path) -> VectorIndex | None:
    """The cache file, checked in full when it is not, by its stat, the file that was written."""
    path = folder / cache.name
    try:
        stat = path.stat()
        touched = (stat.st_size, stat.st_mtime_ns) != (cache.size, cache.mtime_ns)
        index = None if touched and not VectorIndex.verify(path) else VectorIndex.open(path)
    except (IndexFileError, OSError):
        index = None
    return index if index is not None and len(index) == cache.rows else None


def write(index: VectorIndex, folder: Path, version: int, last_id: int) -> Cache:
    """Saves an index beside the library, named by the version it covers."""
    path = folder / f"vectors-{version}-{last_id}.faiss"
    index.save(path)
    stat = path.stat()
    return Cache(path.name, last_id, len(index), stat.st_size, stat.st_mtime_ns)


def prune(folder: Path, keep: str) -> None:
    """Deletes other index files, those that a killed process left unfinished among them."""
    for path in folder.glob("vectors-*"):
        if path.name != keep:
            path.unlink(missing_ok=True)


def _index(rows: Iterable[tuple[int, bytes]], dimensions: int) -> VectorIndex:
    ids: list[int] = []
    blobs: list[bytes] = []
    for passage_id, vector in rows:
        ids.append(passage_id)
        blobs.append(vector)
    matrix = np.frombuffer(b"".join(blobs), "<f2").reshape(len(ids), dimensions)
    return VectorIndex.build(np.array(ids, dtype=np.int64), matrix.astype(np.float32))
