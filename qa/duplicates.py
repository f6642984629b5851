"""Folds passages that several articles share into one that cites them all (pure)."""

import math
import re
from collections.abc import Collection, Iterable

from qa.model import Citation, Passage

# Share of common runs of three words from which two passages count as one text.
ALIKE = 0.8

_RUN = 3
_WORD = re.compile(r"\w+")
_NEGATIONS = frozenset("no not never none neither nor without".split())


def fold(passages: Iterable[Passage]) -> list[tuple[Passage, tuple[Citation, ...]]]:
    """Each passage that is not a near copy of an earlier one, with the citations of its copies.

    Copies come from other articles, share at least `ALIKE` of their runs of three words (Jaccard,
    as in Broder's shingling, 1997), and differ in no number, name or negation: two articles that
    say August and July are not one.
    """
    kept: list[tuple[Passage, list[Citation]]] = []
    runs_of: list[frozenset[tuple[str, ...]]] = []
    holders: dict[int, list[int]] = {}
    for passage in passages:
        runs = _runs(passage.text)
        least = _least(runs)
        near = {index for run in least for index in holders.get(run, ())}
        shared = sorted((-len(runs & runs_of[index]), index) for index in near)
        for count, index in shared:
            alike = -count >= ALIKE * (len(runs) + len(runs_of[index]) + count)
            if alike and _same(kept[index][0], passage):
                kept[index][1].append(passage.citation)
                break
        else:
            for run in least:
                holders.setdefault(run, []).append(len(kept))
            kept.append((passage, []))
            runs_of.append(runs)
    return [(passage, tuple(copies)) for passage, copies in kept]


def _least(runs: Collection[tuple[str, ...]]) -> list[int]:
    """As many of the runs' hashes, the least, as two sets that are alike have one of in common.

    The prefix filter of Chaudhuri et al., 2006: whatever the order, as long as it is the same.
    """
    return sorted(map(hash, runs))[: len(runs) - math.ceil(ALIKE * len(runs)) + 1]


def _runs(text: str) -> frozenset[tuple[str, ...]]:
    words = _WORD.findall(text.casefold())
    return frozenset(zip(*(words[shift:] for shift in range(_RUN)), strict=False)) or frozenset(
        {tuple(words)}
    )


def _same(one: Passage, other: Passage) -> bool:
    """Whether two passages come from different articles and differ in nothing that matters."""
    a, b = one.citation, other.citation
    if (a.article_id, a.source) == (b.article_id, b.source):
        return False
    return not any(_matters(word) for word in _words(one.text) ^ _words(other.text))


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text))


def _matters(word: str) -> bool:
    return word[0].isupper() or any(map(str.isdigit, word)) or word in _NEGATIONS
