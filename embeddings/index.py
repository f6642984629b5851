"""Vectors to nearest rows, by FAISS: the one file that imports it."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from . import sealed
from .encoder import Vectors
from .errors import IndexFileError
from .learning import Effort, Floats, learn, parts, probe, regrow
from .runs import Ids, Runs

if TYPE_CHECKING:
    import faiss

_MAGIC = b"vecs\x00\x03\r\n"
# From this many rows on it pays to look at a part of them.
LARGE = 50_000
# A filter that leaves fewer rows than this is answered by looking at all of them.
_FEW = 20_000
# FAISS writes what refining multiplies by after the vectors, and this much before centroids.
_FACTOR, _FLAT = 4, 45


@dataclass(frozen=True, slots=True)
class _Bytes:
    """How FAISS wrote an index: where each write began, and the whole length."""

    marks: dict[bytes, int]
    starts: frozenset[int]
    length: int


class VectorIndex:
    """Unit vectors as fp16 with an id each; scores are inner products, higher is nearer.

    Below `LARGE` rows every row is compared. From there on 1-bit codes (RaBitQ) in inverted lists
    choose rows, and those are compared exactly; `effort` says how many.
    """

    def __init__(self, index: Any, runs: Runs, effort: Effort | None, learnt: int = 0) -> None:  # noqa: ANN401 -- FAISS has no types
        self._index = index
        self._runs = runs
        self.effort = effort
        self.learnt = learnt

    @classmethod
    def build(
        cls,
        ids: Ids,
        vectors: Floats,
        like: "VectorIndex | None" = None,
        *,
        large: int = LARGE,
    ) -> "VectorIndex":
        """An index of vectors, shape (len(ids), dimensions), under ids of 0 and more.

        Args:
            ids: each once; none ever meant another vector.
            vectors: of any float type; converted in parts.
            like: an index of an earlier state, whose lists are used again unless there are now
                twice or half as many rows as when they were learnt.
            large: from how many rows on, 20 or more, only a part of them is compared.

        Raises:
            ValueError: there are not as many ids as vectors.
        """
        if vectors.ndim != 2 or len(ids) != len(vectors):  # noqa: PLR2004 -- rows and columns
            raise ValueError(f"{len(ids)} ids for vectors of shape {vectors.shape}.")
        if np.any(ids[1:] <= ids[:-1]):
            order = np.argsort(ids)
            ids, vectors = ids[order], vectors[order]
        import faiss

        exact = _exact(vectors)
        runs = Runs.of(ids)
        if len(ids) < large:
            return cls(exact, runs, None)
        lists = like.grown(ids, vectors) if like else None
        if like is not None and lists is not None:
            return cls(faiss.IndexRefine(lists, exact), runs, like.effort, like.learnt)
        lists, effort = learn(vectors)
        return cls(faiss.IndexRefine(lists, exact), runs, effort, len(ids))

    def grown(self, ids: Ids, vectors: Floats) -> Any:  # noqa: ANN401 -- FAISS has no types
        """Its lists with other rows in them; None unless what they have learnt still fits."""
        import faiss

        if self.effort is None or not self.learnt / 2 <= len(ids) <= self.learnt * 2:
            return None
        lists: Any = faiss.downcast_index(self._index.base_index)
        return regrow(lists, self.ids(), ids, vectors) if lists.nlist > 1 else None

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all, and so that it outlasts a power cut.

        Raises:
            OSError: it cannot be written; what stood at the path still does.
        """
        sealed.save(path, _MAGIC, self._fill)

    def _fill(self, write: sealed.Write, file: BinaryIO) -> sealed.Contents:
        written = _written(self._index, write, file)
        for array in (self._runs.rows, self._runs.ids):
            write(array.tobytes())
        about = {
            "faiss": written.length,
            "rows": len(self),
            "effort": self.effort,
            "learnt": self.learnt,
        }
        return sealed.Contents(about, _bulk(self._index, written, len(self)))

    @classmethod
    def open(cls, path: Path) -> "VectorIndex":
        """The index in a file, mapped: opening reads next to nothing.

        Raises:
            IndexFileError: it is no index of ours, or not all of it. The vectors are not
                checksummed; `verify` does that.
        """
        seal = sealed.check(path, _MAGIC)
        import faiss

        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise IndexFileError(
                f"{path} cannot be read by FAISS. Delete it and build it again."
            ) from error
        with path.open("rb") as file:
            file.seek(seal["faiss"])
            table = np.frombuffer(file.read(seal["length"] - seal["faiss"]), np.int64)
        rows, ids = table.reshape(2, -1)
        effort = Effort(*seal["effort"]) if seal["effort"] else None
        return cls(index, Runs(rows, ids, seal["rows"]), effort, seal["learnt"])

    @staticmethod
    def verify(path: Path) -> bool:
        """Whether every byte of the file is as it was written."""
        return sealed.verify(path, _MAGIC)

    def __len__(self) -> int:
        return self._runs.total

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    @property
    def last_id(self) -> int:
        """The greatest id, 0 if there is none."""
        return self._runs.last

    def ids(self) -> Ids:
        """The ids, ascending."""
        return self._runs.ids_of(np.arange(len(self)))

    def search(
        self, query: Vectors, k: int, allowed: Ids | None = None, without: Ids | None = None
    ) -> tuple[Ids, Vectors]:
        """The nearest rows as ids and scores, best first, ties by id.

        Args:
            query: a vector, shape (dimensions,).
            k: how many at most.
            allowed: only these ids; None is all.
            without: not these ids.

        Raises:
            ValueError: the query has another shape.
        """
        if query.shape != (self.dimensions,):
            raise ValueError(f"A query of shape {query.shape} for {self.dimensions} dimensions.")
        chosen = self._chosen(allowed, without)
        k = min(k, len(self) if chosen is None else int(np.count_nonzero(chosen)))
        if k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        asked = k + 1
        rows, scores = self._nearest(query, asked, chosen)
        # Which of equal rows FAISS keeps depends on where they stand: with equals on both sides of
        # the last place, all of them are needed to keep those of the least ids.
        while len(rows) == asked and scores[k - 1] == scores[-1]:
            asked *= 2
            rows, scores = self._nearest(query, asked, chosen)
        order = np.lexsort((rows, -scores))[:k]
        return self._runs.ids_of(rows[order]), scores[order]

    def _chosen(self, allowed: Ids | None, without: Ids | None) -> NDArray[np.bool_] | None:
        """Which rows may be found; None is all of them."""
        if allowed is None and without is None:
            return None
        chosen = np.full(len(self), allowed is None)
        if allowed is not None:
            chosen[self._runs.rows_of(allowed)] = True
        if without is not None:
            chosen[self._runs.rows_of(without)] = False
        return chosen

    @cached_property
    def _every(self) -> NDArray[np.uint8]:
        """All rows, as a selector takes them."""
        return np.packbits(np.ones(len(self), np.bool_), bitorder="little")

    def _nearest(
        self, query: Vectors, k: int, chosen: NDArray[np.bool_] | None
    ) -> tuple[Ids, Vectors]:
        """The best rows; none but those that are there, whatever a damaged list says."""
        import faiss

        count = len(self) if chosen is None else int(np.count_nonzero(chosen))
        k = min(k, count)
        index, params, selector = self._index, faiss.SearchParameters(), None
        if chosen is not None or self.effort is not None:
            bits = self._every if chosen is None else np.packbits(chosen, bitorder="little")
            params.sel = selector = faiss.IDSelectorBitmap(bits)  # type: ignore[call-arg,arg-type]  # its stubs know C++
        if self.effort is not None and count <= _FEW:
            index = faiss.downcast_index(index.refine_index)
        elif self.effort is not None:
            params = _effort(self.effort, len(self) / count, k, selector)
        scores, rows = index.search(
            np.ascontiguousarray(query[None, :], np.float32), k, params=params
        )
        found = rows[0] >= 0
        return rows[0][found], scores[0][found]


def _effort(effort: Effort, sparseness: float, k: int, selector: Any) -> Any:  # noqa: ANN401 -- FAISS has no types
    """FAISS's parameters: where a filter leaves one row in n, n times as many lists are read."""
    import faiss

    lists = probe(max(1, round(effort.lists * sparseness)))
    lists.sel = selector
    params: Any = faiss.IndexRefineSearchParameters()
    params.k_factor, params.base_index_params = max(1.0, (effort.refined + 0.5) / k), lists
    return params


def _exact(vectors: Floats) -> "faiss.IndexScalarQuantizer":
    """All vectors as fp16, every one compared."""
    import faiss

    index = faiss.IndexScalarQuantizer(
        vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
    )
    for part in parts(vectors):
        index.add(part)
    return index


def _written(index: Any, write: sealed.Write, file: BinaryIO) -> _Bytes:  # noqa: ANN401 -- FAISS has no types
    """Writes an index; FAISS's own file writer does not tell when the disk is full."""
    import faiss

    marks: dict[bytes, int] = {}
    starts = set()

    def note(part: bytes) -> None:
        here = file.tell()
        starts.add(here)
        if len(part) == 4:  # noqa: PLR2004 -- the kind of what follows
            marks[bytes(part)] = here
        write(part)

    faiss.write_index(index, faiss.PyCallbackIOWriter(note))  # type: ignore[attr-defined]  # its stubs lack it
    return _Bytes(marks, frozenset(starts), file.tell())


def _bulk(index: Any, written: _Bytes, rows: int) -> list[sealed.Stretch]:  # noqa: ANN401 -- FAISS has no types
    """Centroids, lists and vectors: FAISS believes the sizes that it reads, but not these.

    What does not begin where one of FAISS's writes did is not what it seems, and is checked.
    """
    import faiss

    refines = hasattr(index, "base_index")
    stop = written.length - (_FACTOR if refines else 0)
    found = [(stop - 2 * index.d * rows, stop)]
    if refines and b"ilar" in written.marks:
        lists: Any = faiss.downcast_index(index.base_index)
        centroids, stop = written.marks[b"IxFI"] + _FLAT, written.marks[b"IxSQ"]
        found = [
            (centroids, centroids + lists.nlist * index.d * 4),
            (stop - rows * (lists.code_size + 8), stop),
            *found,
        ]
    return [(start, stop) for start, stop in found if start in written.starts and start < stop]
