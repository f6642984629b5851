"""The words of one version of a large library: postings in a file, the newest rows beside them."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embeddings.errors import IndexFileError
from qa.library import postings
from qa.library.postings import Corpus, Postings
from qa.library.snapshot import Cache, Snapshot, idf
from qa.model import Filters

_log = logging.getLogger(__name__)

Ids = NDArray[np.int64]
_DAMAGED = "The lexical cache was rebuilt from the library: %s was damaged or made by another qa."


@dataclass(frozen=True, slots=True)
class WordView:
    """All words of one version of a library; never changes, so threads may share it."""

    parts: tuple[Postings, ...]
    removed: Ids
    path: Path

    def rows(self) -> int:
        """How many passages there are."""
        return sum(len(part) for part in self.parts) - len(self.removed)

    def mean(self) -> float:
        """How many terms a passage has on average."""
        total = sum(part.total for part in self.parts)
        gone = sum(int(part.lengths[part.runs.rows_of(self.removed)].sum()) for part in self.parts)
        return (total - gone) / max(1, self.rows())

    def holding(self, term: str) -> int:
        """How many passages hold a term."""
        count = 0
        for part in self.parts:
            gone = part.runs.rows_of(self.removed)
            count += len(part.of(term)[0]) - int(np.count_nonzero(part.holding(term, gone)))
        return count


def view(
    snapshot: Snapshot, folder: Path, newest: Callable[[str], Cache | None]
) -> tuple[WordView | None, bool]:
    """The words of a version, None where its cache is not what was written; and whether it is good.

    What a writer has just replaced is good.

    Args:
        snapshot: the version.
        folder: the library's.
        newest: gives the cache of a kind that the library notes by now.
    """
    cache = snapshot.cache("words")
    if cache is None:
        return None, True
    base = _open(cache, folder)
    if base is None:
        replaced = newest("words") != cache
        if not replaced:
            _log.warning(_DAMAGED, folder / cache.name)
        return None, replaced
    newer = postings.build(snapshot.terms(after=cache.last_id))
    parts = (base, newer) if len(newer) else (base,)
    removed = np.array(snapshot.removed(), np.int64)
    return WordView(parts, removed, folder / cache.name), True


def make(snapshot: Snapshot, folder: Path, *, anew: bool = False) -> Postings:
    """Postings of a version; those of the cache are used again where it is sound."""
    cache = None if anew else snapshot.cache("words")
    if cache is None or not Postings.verify(folder / cache.name):
        return postings.build(snapshot.terms())
    like = Postings.open(folder / cache.name)
    removed = np.array(snapshot.removed(), np.int64)
    return postings.build(snapshot.terms(after=cache.last_id), like, removed)


def _open(cache: Cache, folder: Path) -> Postings | None:
    path = folder / cache.name
    try:
        index = None if cache.touched(path) and not Postings.verify(path) else Postings.open(path)
    except (IndexFileError, OSError):
        index = None
    return index if index is not None and len(index) == cache.rows else None


class MappedWords:
    """What the postings say for one question, and FTS5 where they turn out to be damaged."""

    def __init__(
        self,
        view: WordView,
        snapshot: Snapshot,
        allowed: Callable[[Filters], Ids | None],
    ) -> None:
        self._view = view
        self._snapshot = snapshot
        self._allowed = allowed

    def idf(self, terms: Sequence[str]) -> dict[str, float]:
        """How rare each term is, as the snapshot has it."""
        rows = self._view.rows()
        return {term: idf(rows, self._view.holding(term)) for term in terms}

    def lexical(
        self, terms: Sequence[str], limit: int, filters: Filters
    ) -> list[tuple[int, float]]:
        """The best passages by BM25, as the snapshot has them."""
        corpus = Corpus(self._view.mean(), self.idf(terms))
        allowed = self._allowed(filters)
        found: list[tuple[int, float]] = []
        try:
            for part in self._view.parts:
                chosen = self._chosen(part, allowed)
                ids, scores = part.best(corpus, limit, chosen)
                found += zip(ids.tolist(), scores.tolist(), strict=True)
        except IndexError:
            _log.warning(
                "The lexical cache %s is damaged. Delete it, it is made again.", self._view.path
            )
            return self._snapshot.lexical(terms, limit, filters)
        return sorted(found, key=lambda hit: (-hit[1], hit[0]))[:limit]

    def _chosen(self, part: Postings, allowed: Ids | None) -> NDArray[np.bool_] | None:
        if allowed is None and not len(self._view.removed):
            return None
        chosen = np.full(len(part), allowed is None)
        if allowed is not None:
            chosen[part.runs.rows_of(allowed)] = True
        chosen[part.runs.rows_of(self._view.removed)] = False
        return chosen

    def held(self, terms: Sequence[str], ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """Which of the terms each passage holds, its title read with it."""
        found: dict[int, set[str]] = {passage_id: set() for passage_id in ids}
        wanted = np.sort(np.array(ids, np.int64))
        for part in self._view.parts:
            rows = part.runs.rows_of(wanted)
            here = part.runs.ids_of(rows)
            for term in terms:
                for passage_id in here[part.holding(term, rows)].tolist():
                    found[passage_id].add(term)
        return {passage_id: frozenset(held) for passage_id, held in found.items()}
