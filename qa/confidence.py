"""How sure an answer is: the probability that its first passage answers the question.

A logistic function (Platt, 1999) of what retrieval saw, fitted on one part of public sets and
reported on another: docs/quality.md.
"""

import math
from collections.abc import Sequence

from qa.lexical import terms
from qa.model import Hit

# Below this, "nothing here answers that": about one answerable question in twenty is refused.
THRESHOLD = 0.3

_INTERCEPT = -6.0
_COSINE = 10.0
_COVERAGE = 2.0


def of(hits: Sequence[Hit], question_terms: Sequence[str]) -> float:
    """The probability that the first hit answers; 0 without hits."""
    if not hits:
        return 0.0
    best = hits[0]
    found = set(terms(f"{best.citation.title} {best.passage.text}"))
    coverage = sum(term in found for term in question_terms) / max(1, len(question_terms))
    total = _INTERCEPT + _COSINE * best.signals.get("dense", 0.0) + _COVERAGE * coverage
    return 1.0 / (1.0 + math.exp(-total))
