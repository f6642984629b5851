"""Normal forms of what answers say: dates, numbers, names and other text (pure).

"Sept. 10-13" and "10–13 September" are one date, "1.2 million" and "1,200,000" one number. Where a
text is no clear value of a kind it stays text, and where two values may both be true `compare` is
unsure: better silent than wrong.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from qa.lexical import question_terms, terms
from qa.values import dates, names, numbers
from qa.values.dates import Date
from qa.values.names import Name
from qa.values.numbers import Number
from qa.values.verdict import Verdict

__all__ = ["Date", "Kind", "Number", "Value", "Verdict", "compare", "value_of", "whole"]

Kind = Literal["date", "number", "name", "text"]

_REACH = 40
_NEGATIONS = frozenset("no not never none neither nor without".split())


@dataclass(frozen=True, slots=True)
class Value:
    """What an answer says; `words` are its content terms, and of the rest what its kind needs."""

    kind: Kind
    words: frozenset[str]
    date: Date | None = None
    number: Number | None = None
    name: Name | None = None


def value_of(text: str) -> Value:
    """The value that a text states if it states one and nothing else, else the text itself."""
    plain = " ".join(text.split()).strip(" ,;:.!?\"'“”‘’()[]«»")
    words = frozenset(question_terms(plain)) | (_NEGATIONS & set(terms(plain)))
    if (date := dates.parse(plain)) is not None:
        return Value("date", words, date=date)
    if (number := numbers.parse(plain)) is not None:
        return Value("number", words, number=number)
    if (name := names.parse(plain)) is not None:
        return Value("name", words, name=name)
    return Value("text", words)


def whole(text: str, start: int, end: int) -> tuple[int, int]:
    """The span widened to the dates and numbers it cuts into ("12" of "at least 12 million")."""
    left, right = max(0, start - _REACH), min(len(text), end + _REACH)
    around = [(start, end)]
    for spans in (dates.spans, numbers.spans):
        around += [(a, b) for a, b in spans(text, left, right) if a < end and b > start]
    return min(a for a, _ in around), max(b for _, b in around)


def compare(a: Value, b: Value) -> Verdict:
    """Whether two answers say the same, exclude each other, or neither surely."""
    if a.date and b.date:
        return dates.compare(a.date, b.date)
    one, other = _number(a), _number(b)
    if one and other:
        verdict = numbers.compare(one, other)
        years = bool(a.date or b.date)
        return "unsure" if years and verdict == "differ" and one.unit | other.unit else verdict
    if a.name and b.name:
        return names.compare(a.name, b.name)
    if "text" in {a.kind, b.kind} and _is_said_by(a.words, b.words):
        return "same"
    return "unsure"


def _number(value: Value) -> Number | None:
    """The value as a number; a bare year may have been one."""
    day = value.date.first if value.date else None
    if day and day.year and value.date == Date(day, day) and day.month is None:
        return Number(Decimal(day.year), Decimal(day.year))
    return value.number


def _is_said_by(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether one of two texts holds the other's words and at least half as many."""
    if a & _NEGATIONS != b & _NEGATIONS or not a or not b:
        return False
    return (a <= b or b <= a) and 2 * min(len(a), len(b)) >= max(len(a), len(b))
