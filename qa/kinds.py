"""What kind of words a question asks for, and how ill others fit it (pure)."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qa.values import Kind

# How a question asks, and the log odds of the kinds of its answers against those of all questions,
# where they speak against a kind, at least -3; counted on the training articles (docs/reader.md).
# Other text may be anything, a date or a name in words that are not known as such.
_ASKED: "tuple[tuple[str, Mapping[Kind, float]], ...]" = (
    (r"\bwhere\b", {"date": -2.5, "number": -1.8}),
    (
        r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b",
        {"name": -2.1, "number": -0.5},
    ),
    (
        r"\bhow (?:many|much|old|tall|high|deep|far|big|large|wide|heavy)\b|\bwhat percent",
        {"date": -2.8, "name": -3.0},
    ),
    (r"\bhow long\b", {"name": -2.2}),
    (r"\bwhy\b", {"date": -1.6, "number": -1.7, "name": -2.5}),
    (r"^\W*(?:who|whom|whose)\b", {"date": -3.0, "number": -3.0}),
    (
        r"\bwhich (?:city|country|state|person|company)\b|\bwhat (?:city|country|state)\b",
        {"date": -3.0, "number": -3.0},
    ),
)

_ASKS = re.compile(
    r"\?|\b(?:who|whom|whose|what|which|when|where|why|how)\b|"
    r"^\W*(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had)\b",
    re.IGNORECASE,
)

_WHO_IS = re.compile(r"^\W*who(?:['’]s|\s+(?:is|was|are|were))\s+(.+?)\W*$", re.IGNORECASE)
# Written with a capital too, but whoever holds it is asked for by name.
_OFFICE = re.compile(
    r"\b(?:president|minister|king|queen|pope|chancellor|governor|mayor|secretary|director|chief|"
    r"captain|coach|champion|ceo)\b",
    re.IGNORECASE,
)


def asks(question: str) -> bool:
    """Whether it is put as a question, and not as words to look for."""
    return _ASKS.search(question) is not None


def asks_who_that_is(question: str, text: str) -> bool:
    """Whether it asks who somebody is that a text names: no other name answers that."""
    found = _WHO_IS.match(question)
    if found is None or _OFFICE.search(found[1]):
        return False
    named = re.search(rf"\b{re.escape(found[1])}\b", text, re.IGNORECASE)
    return named is not None and all(word[0].isupper() for word in re.findall(r"\w+", named[0]))


def misfit(question: str, words: str) -> float:
    """How ill words fit a question by their kind, as log odds; 0 where nothing speaks against."""
    # Many patterns, which only a question needs.
    from qa.values import value_of

    for pattern, odds in _ASKED:
        if re.search(pattern, question, re.IGNORECASE):
            return odds.get(value_of(words).kind, 0.0)
    return 0.0
