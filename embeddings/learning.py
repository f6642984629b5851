"""What makes a large index fast: lists of 1-bit codes, and how few of them have to be read."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .encoder import Vectors
from .runs import Ids

Floats = NDArray[np.floating]

# Lists for a square root of rows, and rows for a list that the lists are learnt from.
_LISTS, _SAMPLE, _ROUNDS = 4, 50, 8
CHUNK = 1 << 14
# Calibration: questions, the nearest that count, the share of them that must be found (what is
# aimed at is beyond the 0.99 that is promised, because it is measured on a sample).
_ASKED, _NEAREST, _RECALL = 256, 10, 0.995
# A question lies between passages, its cosine to the nearest about 0.5, and has many that are
# nearly as near: so does the mean of so many rows. One row, or one that is moved, is too easy.
_MIXED = 9
# Beyond this share of the lists, one list that is read by fast-scan costs less.
_MOST_LISTS = 0.25
# Cost of comparing one row exactly, in rows compared by their codes.
_EXACT_COST = 8
# Bits of a query's components when it is compared with 1-bit codes.
_QUERY_BITS = 4
_REFINED = tuple(32 * 2**power for power in range(8))


class Effort(NamedTuple):
    """How much of a large index a search looks at: lists, and rows that are compared exactly."""

    lists: int
    refined: int


def probe(lists: int) -> Any:  # noqa: ANN401 -- FAISS has no types
    """FAISS's parameters to read that many lists."""
    import faiss

    params = faiss.IVFRaBitQSearchParameters()
    params.nprobe, params.qb = lists, _QUERY_BITS
    return params


def learn(vectors: Floats) -> tuple[Any, Effort]:
    """Lists of codes, and how little of them finds what comparing all of the vectors finds."""
    dice = np.random.default_rng(0)
    order = dice.permutation(len(vectors))
    queries = _questions(vectors, dice)
    nearest = _brute_force(vectors, queries)
    count = max(1, round(_LISTS * len(vectors) ** 0.5))
    lists = _lists(f"IVF{count},RaBitQ", vectors, order)
    effort = _calibrated(lists, queries, nearest, int(count * _MOST_LISTS))
    if effort is None:
        lists = _lists("IVF1,RaBitQfs", vectors, order)
        effort = _calibrated(lists, queries, nearest, 1) or Effort(1, _REFINED[-1])
    return lists, effort


def _questions(vectors: Floats, dice: "np.random.Generator") -> Vectors:
    """Means of rows, of unit length: as far from the rows as questions are from passages."""
    mixed = dice.integers(0, len(vectors), (_ASKED, _MIXED))
    return _unit(_rows(vectors, mixed.ravel()).reshape(_ASKED, _MIXED, -1).sum(axis=1))


def _unit(rows: Vectors) -> Vectors:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    made: Vectors = rows / np.maximum(lengths, np.float32(1e-9))
    return made


def regrow(lists: Any, before: Ids, ids: Ids, vectors: Floats) -> Any:  # noqa: ANN401 -- FAISS has no types
    """The lists with the codes of the rows that stayed, under their new numbers, and new rows."""
    import faiss

    row = np.searchsorted(ids, before)
    stayed = ids[np.minimum(row, len(ids) - 1)] == before
    held = lists.invlists
    made: Any = faiss.ArrayInvertedLists(lists.nlist, lists.code_size)
    for number in range(lists.nlist):
        size = held.list_size(number)
        if not size:
            continue
        old = faiss.rev_swig_ptr(held.get_ids(number), size)
        codes = faiss.rev_swig_ptr(held.get_codes(number), size * lists.code_size)
        keep = stayed[old]
        rows = np.ascontiguousarray(row[old[keep]])
        kept = np.ascontiguousarray(codes.reshape(size, -1)[keep])
        made.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(kept))
    grown: Any = faiss.clone_index(lists)
    grown.replace_invlists(made, True)
    made.this.disown()
    new = np.setdiff1d(np.arange(len(ids)), row[stayed], assume_unique=True)
    for start in range(0, len(new), CHUNK):
        rows = new[start : start + CHUNK]
        grown.add_with_ids(_rows(vectors, rows), rows)
    grown.ntotal = len(ids)
    return grown


def _lists(kind: str, vectors: Floats, others: NDArray[np.int64]) -> Any:  # noqa: ANN401 -- FAISS has no types
    import faiss

    index: Any = faiss.index_factory(vectors.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter = _ROUNDS
    index.cp.min_points_per_centroid = 1
    index.cp.max_points_per_centroid = max(_SAMPLE, CHUNK // index.nlist)
    sample = others[: index.nlist * index.cp.max_points_per_centroid]
    index.train(_rows(vectors, np.sort(sample)))
    for part in parts(vectors):
        index.add(part)
    return index


def _calibrated(lists: Any, queries: Vectors, nearest: Ids, most: int) -> Effort | None:  # noqa: ANN401 -- FAISS has no types
    """The least effort that finds enough of the nearest; None if too many lists are needed."""
    best: tuple[float, Effort] | None = None
    for probed in _ladder(most):
        _, rows = lists.search(queries, min(_REFINED[-1], lists.ntotal), params=probe(probed))
        read = lists.ntotal * probed / lists.nlist
        for refined in _REFINED:
            cost = read + _EXACT_COST * refined
            cheaper = best is None or cost < best[0]
            if cheaper and _found(rows[:, :refined], nearest) >= _RECALL:
                best = cost, Effort(probed, refined)
        if best is not None and read > best[0]:
            break
    return best[1] if best else None


def _ladder(most: int) -> Iterator[int]:
    step = 1.0
    while step < most:
        yield round(step)
        step *= 1.3 if step > 3 else 2  # noqa: PLR2004 -- small steps repeat when rounded
    if most:
        yield most


def _found(rows: Ids, nearest: Ids) -> float:
    """The share of the nearest that are among the rows."""
    hits = sum(len(np.intersect1d(row, near)) for row, near in zip(rows, nearest, strict=True))
    return hits / nearest.size


def _brute_force(vectors: Floats, queries: Vectors) -> Ids:
    """The nearest rows of each query, shape (len(queries), _NEAREST)."""
    kept = min(_NEAREST, len(vectors))
    rows = np.empty((len(queries), 0), np.int64)
    scores = np.empty((len(queries), 0), np.float32)
    for place, part in enumerate(parts(vectors)):
        here = np.arange(len(part)) + place * CHUNK
        scores = np.hstack([scores, queries @ part.T])
        rows = np.hstack([rows, np.broadcast_to(here, (len(queries), len(part)))])
        best = np.argpartition(-scores, min(kept, scores.shape[1]) - 1, axis=1)[:, :kept]
        rows, scores = np.take_along_axis(rows, best, 1), np.take_along_axis(scores, best, 1)
    return rows


def parts(vectors: Floats) -> Iterator[Vectors]:
    """All rows as FAISS takes them, a part at a time."""
    for start in range(0, len(vectors), CHUNK):
        yield np.ascontiguousarray(vectors[start : start + CHUNK], np.float32)


def _rows(vectors: Floats, rows: Ids) -> Vectors:
    return np.ascontiguousarray(vectors[rows], np.float32)
