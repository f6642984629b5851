"""Joins what retrieval and reading say of passages into one ranking and one confidence (pure).

The numbers were chosen on the tuning articles of public sets: docs/reader.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qa.kinds import asks, misfit
from qa.model import Hit, Mode
from qa.reader import Reading, Reads, probability
from qa.retriever import NOISE_FACTOR

# How many of the best passages are read at most, and at least.
READ, LEAST_READ = 8, 4

# What lies beyond these says no more.
_MOST_RELEVANT, _WIDEST_MARGIN, _LONGEST_LEAD = 8.0, 15.0, 0.2
# How it was chosen, and what it costs: docs/reader.md.
_THRESHOLD = 0.14


@dataclass(frozen=True, slots=True)
class Weights:
    """What reading adds to retrieval's score at most, for relevance.

    `kind` is added for each unit of how ill the words fit what is asked for. `base` and `sure` are
    the offset and the weights of the confidence's log odds, by the names of `signs`.
    """

    relevance: float
    kind: float
    base: float
    sure: Mapping[str, float]

    @property
    def most(self) -> float:
        """The largest joined sum, so that scores end at 1."""
        return 1.0 + self.relevance


FITTED = Weights(
    relevance=0.2,
    kind=0.02,
    base=-2.615,
    sure={
        "dense": 4.374,
        "coverage": 0.24,
        "relevance": -0.056,
        "margin": 0.262,
        "kind": -0.23,
        "lead": 3.559,
    },
)


def read(reader: Reads, question: str, hits: Sequence[Hit], shown: int) -> list[Hit]:
    """The hits read and joined: those to be shown, and more where another could still come first.

    Args:
        reader: reads.
        question: as it was understood.
        hits: what retrieval found, best first, in hybrid mode.
        shown: how many of them will be shown.
    """
    first = min(READ, max(LEAST_READ, shown))
    readings = reader.read(question, [hit.passage for hit in hits[:first]])
    if not _safe(question, hits, readings):
        readings += reader.read(question, [hit.passage for hit in hits[first:READ]])
    return joined(question, hits, readings)


def _safe(question: str, hits: Sequence[Hit], readings: Sequence[Reading]) -> bool:
    """Whether no passage that is not read yet could come first, whatever reading says of it."""
    unread = hits[len(readings) : READ]
    if not unread:
        return True
    leader = max(
        _read(question, hit, reading, FITTED).score
        for hit, reading in zip(hits, readings, strict=False)
    )
    return leader * FITTED.most >= unread[0].score + FITTED.relevance


def joined(
    question: str, hits: Sequence[Hit], readings: Sequence[Reading], weights: Weights = FITTED
) -> list[Hit]:
    """The hits that were read, best first, with their spans; those beyond them follow as they were.

    Args:
        question: as it was understood.
        hits: what retrieval found, best first, in hybrid mode.
        readings: what reading says of the first of them.
        weights: how they are joined.
    """
    read = [
        _read(question, hit, reading, weights) for hit, reading in zip(hits, readings, strict=False)
    ]
    read.sort(key=lambda hit: (-hit.score, hit.passage.id))
    rest = hits[len(read) :]
    if read and rest:
        # Unread passages keep their order below those that were read.
        share = min(1.0, read[-1].score / max(rest[0].score, 1e-9))
        rest = [replace(hit, score=hit.score * share) for hit in rest]
    return [replace(hit, rank=rank) for rank, hit in enumerate([*read, *rest], start=1)]


def of(hits: Sequence[Hit], _mode: Mode, weights: Weights = FITTED) -> float:
    """The probability that the first hit answers; 0 without hits. The hits have been `joined`."""
    if not hits:
        return 0.0
    seen = signs(hits, weights)
    return probability(
        weights.base + sum(weight * seen[name] for name, weight in weights.sure.items())
    )


def signs(hits: Sequence[Hit], weights: Weights = FITTED) -> dict[str, float]:
    """What tells whether the first hit answers: its signals, and its lead over the second."""
    first = hits[0].signals
    lead = (hits[0].score - hits[1].score) * weights.most if len(hits) > 1 else _LONGEST_LEAD
    return {**first, "relevance": _logit(first["relevance"]), "lead": min(lead, _LONGEST_LEAD)}


def threshold(_mode: Mode) -> float:
    """The confidence below which nothing here answers."""
    return _THRESHOLD


def _read(question: str, hit: Hit, reading: Reading, weights: Weights) -> Hit:
    margin = min(max(reading.answerable, -_WIDEST_MARGIN), _WIDEST_MARGIN)
    kind = misfit(question, reading.span.text) if reading.span else 0.0
    # Words to look for have no answer: reading knows questions only.
    gain = weights.relevance * reading.relevance + weights.kind * kind if asks(question) else 0.0
    # What is not prose reads well and says little: it gains as little as it kept of its score.
    total = hit.score + gain * (NOISE_FACTOR if hit.passage.noise else 1.0)
    signals = {**hit.signals, "relevance": reading.relevance, "margin": margin, "kind": kind}
    return replace(hit, score=total / weights.most, span=reading.span, signals=signals)


def _logit(probability: float) -> float:
    """The log odds, within what says something."""
    kept = min(max(probability, 1e-9), 1 - 1e-9)
    return min(max(math.log(kept / (1 - kept)), -_MOST_RELEVANT), _MOST_RELEVANT)
