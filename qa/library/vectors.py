"""The vectors of one version: a FAISS file for most rows, the newest rows beside it."""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import IndexFileError
from embeddings.index import LARGE, VectorIndex
from qa.library.snapshot import Cache, Snapshot

_log = logging.getLogger(__name__)

_BATCH = 4096
_DAMAGED = "The vector cache was rebuilt from the library: %s was damaged or made by another qa."


@dataclass(frozen=True, slots=True)
class VectorView:
    """All vectors of one version of a library; never changes, so threads may share it."""

    parts: tuple[VectorIndex, ...]
    removed: NDArray[np.int64]

    def __len__(self) -> int:
        return sum(map(len, self.parts))

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


def build(snapshot: Snapshot, folder: Path, *, anew: bool = False) -> VectorIndex:
    """An index of all vectors of a version.

    Args:
        snapshot: the version.
        folder: the library's; what the cache there has learnt is used again where it is sound.
        anew: use nothing again.
    """
    ids, matrix = _matrix(snapshot)
    cache = None if anew or len(ids) < LARGE else snapshot.cache("vectors")
    like = None
    if cache is not None and VectorIndex.verify(folder / cache.name):
        with suppress(IndexFileError):
            like = VectorIndex.open(folder / cache.name)
    return VectorIndex.build(ids, matrix, like)


def view(
    snapshot: Snapshot, folder: Path, newest: Callable[[str], Cache | None]
) -> tuple[VectorView, bool]:
    """The vectors of a version, and whether the cache on disk is good.

    A cache that is missing or damaged is said in one line and made up for from the truth; one that
    a writer has just replaced is made up for alone.

    Args:
        snapshot: the version.
        folder: the library's.
        newest: gives the cache of a kind that the library notes by now.
    """
    cache = snapshot.cache("vectors")
    base = _open(cache, folder) if cache else None
    if base is None or cache is None:
        replaced = cache is not None and newest("vectors") != cache
        if cache is not None and not replaced:
            path = folder / cache.name
            _log.warning(_DAMAGED, path)
        # For one process it does not pay to learn what makes a large index fast.
        whole = VectorIndex.build(*_matrix(snapshot), large=sys.maxsize)
        none: NDArray[np.int64] = np.empty(0, np.int64)
        return VectorView((whole,), none), replaced or (cache is None and len(whole) == 0)
    newer = VectorIndex.build(*_matrix(snapshot, after=cache.last_id), large=sys.maxsize)
    parts = (base, newer) if len(newer) else (base,)
    return VectorView(parts, np.array(snapshot.removed(), dtype=np.int64)), True


def _open(cache: Cache, folder: Path) -> VectorIndex | None:
    """The cache file, checked in full when it is not, by its stat, the file that was written."""
    path = folder / cache.name
    try:
        touched = cache.touched(path)
        index = None if touched and not VectorIndex.verify(path) else VectorIndex.open(path)
    except (IndexFileError, OSError):
        index = None
    return index if index is not None and len(index) == cache.rows else None


def _matrix(snapshot: Snapshot, after: int = 0) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Ids and vectors as they are kept; hardly more memory is taken than they need."""
    rows = snapshot.vectors(after)
    ids: list[int] = []
    parts: list[NDArray[np.float16]] = []
    while batch := list(islice(rows, _BATCH)):
        ids += [passage_id for passage_id, _ in batch]
        parts.append(np.frombuffer(b"".join(vector for _, vector in batch), "<f2"))
    matrix = np.empty((len(ids), snapshot.dimensions), "<f2")
    flat = matrix.reshape(-1)
    here = 0
    for place, part in enumerate(parts):
        flat[here : here + len(part)] = part
        here += len(part)
        parts[place] = part[:0]
    return np.array(ids, dtype=np.int64), matrix
