"""How sure an answer is: the probability that its first passage answers the question.

A logistic function (Platt, 1999) of what retrieval saw of the first passage and of its lead over
the second, fitted on one part of public sets and reported on another: docs/quality.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa.model import Hit, Mode


@dataclass(frozen=True, slots=True)
class _Model:
    """The weights of the features, and the probability that one answer in twenty stays below."""

    base: float
    weights: Mapping[str, float]
    threshold: float


_MODELS: Mapping[Mode, _Model] = {
    "hybrid": _Model(-6.52, {"dense": 7.38, "coverage": 2.66, "lead": 7.24}, 0.134),
    "dense": _Model(-5.92, {"dense": 7.12, "lead": 10.2}, 0.054),
    "lexical": _Model(-3.22, {"lexical": 5.22, "lead": 3.93}, 0.123),
}


def of(hits: Sequence[Hit], mode: Mode) -> float:
    """The probability that the first hit answers; 0 without hits."""
    if not hits:
        return 0.0
    lead = hits[0].score - hits[1].score if len(hits) > 1 else 0.0
    seen = {"lead": lead, **hits[0].signals}
    model = _MODELS[mode]
    total = model.base + sum(weight * seen[name] for name, weight in model.weights.items())
    return 1.0 / (1.0 + math.exp(-total))


def threshold(mode: Mode) -> float:
    """The confidence below which nothing here answers: one answerable question in twenty."""
    return _MODELS[mode].threshold
