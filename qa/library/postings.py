"""BM25 over postings in a mapped file: what FTS5 computes, in time that hardly grows."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embeddings import sealed
from embeddings.runs import Ids, Runs

K1, B = 1.2, 0.75
_MAGIC = b"word\x00\x01\r\n"
_BATCH = 4096
_MOST = 255
# A bound and what it bounds are rounded differently, by less than this share.
_ROUNDING = 1e-5

Rows = NDArray[np.int32]
Scores = NDArray[np.float32]
Chosen = NDArray[np.bool_]

_NONE: Ids = np.empty(0, np.int64)


class Corpus(NamedTuple):
    """What BM25 has to know of all passages: how many terms a mean one has, and the terms' idf."""

    mean: float
    idf: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Postings:
    """For each term the rows that hold it, ascending, and how often; counts stop at 255.

    `terms` are all terms in UTF-8, sorted, one after the other; `ends` where each ends; `starts`
    where the postings of each start, and where the last ones end; `lengths` the terms of each row.
    """

    ends: Ids
    starts: Ids
    rows: Rows
    lengths: Rows
    counts: NDArray[np.uint8]
    terms: NDArray[np.uint8]
    runs: Runs

    def __len__(self) -> int:
        return self.runs.total

    @property
    def total(self) -> int:
        """How many terms all rows have."""
        return int(self.lengths.sum(dtype=np.int64))

    def of(self, term: str) -> tuple[Rows, NDArray[np.uint8]]:
        """The postings of a term."""
        wanted = term.encode("utf-8", "surrogatepass")
        place = bisect_left(range(len(self.ends)), wanted, key=self.term)
        if place == len(self.ends) or self.term(place) != wanted:
            return self.rows[:0], self.counts[:0]
        chosen = slice(int(self.starts[place]), int(self.starts[place + 1]))
        return self.rows[chosen], self.counts[chosen]

    def term(self, place: int) -> bytes:
        """A term by its place among all, in UTF-8."""
        start = self.ends[place - 1] if place else 0
        return self.terms[start : self.ends[place]].tobytes()

    def holding(self, term: str, rows: Ids) -> Chosen:
        """Which of the rows hold a term."""
        found, _ = self.of(term)
        if not len(found):
            return np.zeros(len(rows), np.bool_)
        place = np.minimum(np.searchsorted(found, rows), len(found) - 1)
        held: Chosen = found[place] == rows
        return held

    def best(self, corpus: Corpus, k: int, chosen: Chosen | None) -> tuple[Ids, Scores]:
        """The best rows by BM25 as ids and scores, in no order, and all that equal the last.

        MaxScore: once what the remaining terms could bring is less than the k-th best has, only
        the rows that were met so far can be among the best, and only those are looked up.

        Args:
            corpus: of the whole library, this being a part of it.
            k: how many.
            chosen: which rows may be found; None is all of them.
        """
        order = sorted(corpus.idf, key=lambda term: (-corpus.idf[term], term))
        rest = np.cumsum([0.0, *(corpus.idf[term] * (K1 + 1) for term in reversed(order))])[::-1]
        rest *= 1 + _ROUNDING
        scores = np.zeros(len(self), np.float32)
        met: Ids | None = None
        least = 0.0
        for place, term in enumerate(order):
            if met is None and least > rest[place]:
                met = np.flatnonzero(scores)
            if met is None:
                rows, counts = self.of(term)
                if chosen is not None:
                    counts, rows = counts[chosen[rows]], rows[chosen[rows]]
                scores[rows] += self._bm25(rows, counts, corpus, corpus.idf[term])
                least = max(least, _kth(scores[rows], k))
            else:
                met = met[scores[met] + rest[place] >= least]
                self._add(scores, met, term, corpus)
                least = max(least, _kth(scores[met], k))
        found = np.flatnonzero(scores) if met is None else met
        found = found[scores[found] >= _kth(scores[found], k)]
        return self.runs.ids_of(found), scores[found]

    def _add(self, scores: Scores, met: Ids, term: str, corpus: Corpus) -> None:
        """Adds what a term brings to the rows that were met."""
        rows, counts = self.of(term)
        if not len(rows):
            return
        place = np.minimum(np.searchsorted(rows, met), len(rows) - 1)
        place = place[rows[place] == met]
        rows = rows[place]
        scores[rows] += self._bm25(rows, counts[place], corpus, corpus.idf[term])

    def _bm25(self, rows: Rows, counts: NDArray[np.uint8], corpus: Corpus, idf: float) -> Scores:
        often = counts.astype(np.float32)
        norm = self.lengths[rows].astype(np.float32)
        norm *= np.float32(K1 * B / corpus.mean)
        norm += np.float32(K1 * (1 - B))
        norm += often
        often *= np.float32(idf * (K1 + 1))
        often /= norm
        return often

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all.

        Raises:
            OSError: it cannot be written; what stood at the path still does.
        """
        sealed.save(path, _MAGIC, self._fill)

    def _fill(self, write: sealed.Write, _file: BinaryIO) -> sealed.Contents:
        sizes = {}
        length = 0
        for name, array in self._arrays().items():
            write(np.ascontiguousarray(array).data.cast("B"))
            sizes[name] = (array.dtype.str, len(array))
            length += array.nbytes
        # Wrong numbers in here lead to wrong scores or an IndexError, never out of the arrays.
        return sealed.Contents({"arrays": sizes, "rows": len(self)}, [(0, length)])

    def _arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays, those of wide numbers first, so that each stands where it is aligned."""
        return {
            "run_rows": self.runs.rows,
            "run_ids": self.runs.ids,
            "ends": self.ends,
            "starts": self.starts,
            "rows": self.rows,
            "lengths": self.lengths,
            "counts": self.counts,
            "terms": self.terms,
        }

    @classmethod
    def open(cls, path: Path) -> "Postings":
        """The postings in a file, mapped.

        Raises:
            IndexFileError: it is no file of postings, or not all of it.
        """
        seal = sealed.check(path, _MAGIC)
        mapped = np.memmap(path, np.uint8, "r") if seal["length"] else np.empty(0, np.uint8)
        arrays = {}
        here = 0
        for name, (kind, count) in seal["arrays"].items():
            size = count * np.dtype(kind).itemsize
            arrays[name] = np.asarray(mapped[here : here + size]).view(kind)
            here += size
        runs = Runs(arrays.pop("run_rows"), arrays.pop("run_ids"), seal["rows"])
        return cls(**arrays, runs=runs)

    @staticmethod
    def verify(path: Path) -> bool:
        """Whether every byte of the file is as it was written."""
        return sealed.verify(path, _MAGIC)


def build(
    texts: Iterable[tuple[int, str]], like: Postings | None = None, without: Ids = _NONE
) -> Postings:
    """Postings of texts, given as terms with spaces between, by ascending id.

    Args:
        texts: ids and texts.
        like: earlier postings, whose rows stand before the texts.
        without: ids that are gone from the rows of `like`.
    """
    vocabulary = _Vocabulary()
    ids: list[int] = []
    pieces, lengths = [], []
    if like is not None:
        pieces.append(_kept(like, without, vocabulary))
        stays = np.ones(len(like), np.bool_)
        stays[like.runs.rows_of(without)] = False
        ids = like.runs.ids_of(np.flatnonzero(stays)).tolist()
        lengths.append(like.lengths[stays])
    rows = iter(texts)
    while batch := list(islice(rows, _BATCH)):
        words = [text.split() for _, text in batch]
        sizes = np.array([len(found) for found in words], np.int32)
        pieces.append(_counted(words, sizes, len(ids), vocabulary))
        lengths.append(sizes)
        ids += [passage_id for passage_id, _ in batch]
    joined = np.concatenate(lengths) if lengths else np.empty(0, np.int32)
    return _merged(pieces, vocabulary, joined, Runs.of(np.array(ids, np.int64)))


class _Piece(NamedTuple):
    """Postings by number of term and row, both ascending."""

    terms: Rows
    rows: Rows
    counts: NDArray[np.uint8]


class _Vocabulary(dict[str, int]):
    """Numbers terms as they come."""

    def __missing__(self, term: str) -> int:
        self[term] = number = len(self)
        return number


def _counted(
    words: Sequence[Sequence[str]], sizes: Rows, before: int, vocabulary: _Vocabulary
) -> _Piece:
    flat = (vocabulary[word] for found in words for word in found)
    terms = np.fromiter(flat, np.int64, int(sizes.sum()))
    row = np.repeat(np.arange(len(sizes)), sizes)
    both, counts = np.unique(terms * len(sizes) + row, return_counts=True)
    return _Piece(
        (both // max(1, len(sizes))).astype(np.int32),
        (both % max(1, len(sizes)) + before).astype(np.int32),
        np.minimum(counts, _MOST).astype(np.uint8),
    )


def _kept(like: Postings, without: Ids, vocabulary: _Vocabulary) -> _Piece:
    """Earlier postings less rows that are gone, the others numbered on without gaps."""
    stays = np.ones(len(like), np.bool_)
    stays[like.runs.rows_of(without)] = False
    number = (np.cumsum(stays) - 1).astype(np.int32)
    for place in range(len(like.ends)):
        vocabulary[like.term(place).decode("utf-8", "surrogatepass")]
    terms = np.repeat(np.arange(len(like.ends), dtype=np.int32), np.diff(like.starts))
    keep = stays[like.rows]
    return _Piece(terms[keep], number[like.rows[keep]], like.counts[keep])


def _merged(pieces: list[_Piece], vocabulary: _Vocabulary, lengths: Rows, runs: Runs) -> Postings:
    """One set of postings from pieces of ascending rows; empties the list of pieces."""
    holding = np.zeros(len(vocabulary), np.int64)
    for piece in pieces:
        holding += np.bincount(piece.terms, minlength=len(vocabulary))
    names = [name.encode("utf-8", "surrogatepass") for name in vocabulary]
    order = [n for n in sorted(range(len(names)), key=names.__getitem__) if holding[n]]
    starts = np.concatenate([[0], np.cumsum(holding[order])]).astype(np.int64)
    free = np.zeros(len(vocabulary), np.int64)
    free[order] = starts[:-1]
    rows = np.empty(starts[-1], np.int32)
    counts = np.empty(starts[-1], np.uint8)
    while pieces:
        piece = pieces.pop(0)
        here = np.bincount(piece.terms, minlength=len(vocabulary))
        first = np.cumsum(here) - here
        to = np.arange(len(piece.terms)) + (free - first)[piece.terms]
        rows[to], counts[to] = piece.rows, piece.counts
        free += here
    sorted_names = [names[n] for n in order]
    ends = np.cumsum([len(name) for name in sorted_names], dtype=np.int64)
    terms = np.frombuffer(b"".join(sorted_names), np.uint8)
    return Postings(ends, starts, rows, lengths.astype(np.int32), counts, terms, runs)


def _kth(scores: Scores, k: int) -> float:
    """The k-th best score, 0 if there are fewer."""
    if len(scores) < k:
        return 0.0
    return float(np.partition(scores, len(scores) - k)[len(scores) - k])
