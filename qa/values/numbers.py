"""Numbers as articles write them: "1,200", "twelve hundred", "at least 3.4 million euros"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from qa.lexical import STOP_WORDS, terms
from qa.values.verdict import Verdict

Bound = Literal["exact", "about", "least", "most"]


@dataclass(frozen=True, slots=True)
class Number:
    """An amount from `low` to `high`, which are equal unless it is a range.

    `unit` holds the terms of what is counted; `step` is what one more of the last digit said would
    be worth, so "1.2 million" has a step of 100,000; `rounded` that it was said with such a word.
    """

    low: Decimal
    high: Decimal
    unit: frozenset[str] = frozenset()
    bound: Bound = "exact"
    step: Decimal = Decimal(1)
    rounded: bool = False


_ORDINAL_UNIT = "#"
_METRE = "m"
_MONEY = frozenset("$€£¥")
_SMALL = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
} | {
    word: 10 * number
    for number, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), start=3)
}
_SCALES = {
    "dozen": 12, "hundred": 100, "thousand": 10**3, "k": 10**3, "million": 10**6, "m": 10**6,
    "mn": 10**6, "billion": 10**9, "bn": 10**9, "trillion": 10**12, "tn": 10**12,
}  # fmt: skip
_ORDINALS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split(),
        start=1,
    )
}
_BOUNDS: tuple[tuple[Bound, str], ...] = (
    ("most", r"at most|up to|less than|fewer than|under|below|no(?:t)? more than"),
    ("least", r"at least|more than|over|above|no fewer than|no(?:t)? less than|upwards of"),
    (
        "about",
        r"about|around|roughly|nearly|almost|approximately|some|close to|(?:an )?estimated|~",
    ),
)
_UNITS = {
    "dollar": "$", "usd": "$", "us": "$", "euro": "€", "eur": "€", "per": "%", "percent": "%",
    "cent": "%", "pct": "%", "kilometr": "km", "kilomet": "km", "kms": "km", "metr": "m",
    "meter": "m", "mile": "mi", "kilogram": "kg", "kilo": "kg", "hr": "hour", "min": "minut",
    "person": "peopl", "australian": "a$", "aud": "a$", "canadian": "c$", "cad": "c$",
}  # fmt: skip

_SCALE = "dozen|hundred|thousand|million|billion|trillion|mn|bn|tn"
_WORD = "|".join(sorted([*_SMALL, *_SCALE.split("|")[:-3]], key=len, reverse=True))
_AND = r"(?:(?:(?<=hundred)|(?<=thousand)|(?<=million))\s+and)?"
_HALF = rf"(?:\s+and\s+a\s+half\b(?:[\s-]+(?:{_SCALE})\b)?)?"
_WORDS = rf"(?:(?:half )?a (?={_SCALE}))?\b(?:{_WORD})(?:{_AND}[\s-]+(?:{_WORD}))*\b{_HALF}"
_DIGITS = rf"\d+(?:,\d{{3}})*(?:\.\d+)?(?:\s?(?:{_SCALE}|[km])\b)?(?:st|nd|rd|th)?"
_MODIFIER = "|".join(pattern for _, pattern in _BOUNDS)
# Of lower-case text: to fold cases in a pattern of so many words is slow to compile.
_COUNTED = re.compile(
    rf"(?:(?<!\w)(?P<bound>{_MODIFIER})\s*)?(?:an?\s+(?=\d))?"
    r"(?P<minus>(?<![\w.,)%])(?:[-−–](?=[\d$€£¥])|minus\s))?"
    r"(?P<sign>(?:(?<![a-z])(?:us|a|c|nz|hk|s))?[$€£¥])?\s?"
    rf"(?<![\w.,])(?P<low>{_DIGITS}|{_WORDS})"
    rf"(?:\s*(?:-|–|—|\bto\b)\s*[$€£¥]?(?P<high>{_DIGITS}|{_WORDS}))?(?P<percent>\s?%)?"
)
_ORDINAL = re.compile(rf"(?:the\s+)?({'|'.join(_ORDINALS)}|\d+(?:st|nd|rd|th))\b")
_BELOW_ZERO = re.compile(r"\s*\bbelow zero\b")
# What may be no unit but a part of the amount: "2 and a half million".
_MORE = re.compile(rf"\d|\b(?:half|quarters?|below|{_SCALE})\b")
_SHORT = re.compile(r"\d\s?m$")
_LENGTHS = frozenset("high tall long wide deep thick away apart across".split())
_MOST_WORDS_OF_UNIT = 5
_THOUSAND = 1000
_HALVED = Decimal("0.5")
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


def parse(text: str) -> Number | None:
    """The number that a text states with its unit, None if it states none, several, or more."""
    text = _lower(text)
    if match := _ORDINAL.match(text):
        said = match[1].casefold()
        amount = Decimal(_ORDINALS.get(said) or int(re.sub(r"\D", "", said)))
        return Number(amount, amount, frozenset({_ORDINAL_UNIT}))
    lead = re.match(r"(?:(?:the|a total of|aged?|age of|of|an?)\s+)+(?=.)", text)
    match = _COUNTED.match(text) or (_COUNTED.match(text, lead.end()) if lead else None)
    if match is None:
        return None
    rest, below = _BELOW_ZERO.subn("", text[match.end() :])
    minus = match["minus"] or below
    if (
        re.match(r"[\w.]", rest)
        or _MORE.search(rest)
        or len(rest.split()) > _MOST_WORDS_OF_UNIT
        or (minus and match["high"])
    ):
        return None
    unit = _unit(match, rest)
    metres = _SHORT.search(match["high"] or match["low"]) is not None and not unit & _MONEY
    if metres and not set(_content(rest)[:1]) <= _LENGTHS:
        return None  # "5m people" are millions, "a 5m wall" is none
    low, step = _amount(match["low"], metres=metres)
    high, high_step = _amount(match["high"], metres=metres) if match["high"] else (low, step)
    scale = None if metres else _scale(match["high"] or match["low"])
    if scale and not _scale(match["low"]):  # "2 to 3 million"
        low, step = low * scale, step * scale
    if low > high:
        return None
    if minus:
        low, high = -high, -low
    unit |= {_METRE} if metres else frozenset()
    rounded = bool(scale and scale >= _THOUSAND)
    return Number(low, high, unit, _bound(match["bound"]), max(step, high_step), rounded)


def spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where in `text[start:end]` numbers stand, with what bounds and scales them."""
    return (match.span() for match in _COUNTED.finditer(_lower(text), start, end))


def compare(a: Number, b: Number) -> Verdict:
    """Whether two amounts may be one: of other units never surely, rounded ones perhaps."""
    if (a.unit and b.unit and not a.unit & b.unit) or (_ORDINAL_UNIT in a.unit | b.unit) != (
        _ORDINAL_UNIT in a.unit & b.unit
    ):
        return "unsure"
    one, other = _lands(a), _lands(b)
    if one and other and one != other:
        return "unsure"
    if (a.low, a.high) == (b.low, b.high):
        return "same" if a.bound == b.bound or "exact" in {a.bound, b.bound} else "unsure"
    # "$7 million" may be the dollars of any country, "8m" millions; and what fell to -5 fell by 5.
    unclear = one != other or (_METRE in a.unit) != (_METRE in b.unit) or a.low == -b.low
    if unclear or _reaches(a, b) or _reaches(b, a):
        return "unsure"
    coarse = max(a, b, key=lambda number: number.step)
    gap = max(a.low - b.high, b.low - a.high)
    if gap > _slack(a, b, coarse):
        return "differ"
    exact = a.low == a.high and b.low == b.high and {a.bound, b.bound} <= {"exact", "about"}
    return "same" if exact and coarse.rounded and 2 * gap <= coarse.step else "unsure"


def _slack(a: Number, b: Number, coarse: Number) -> Decimal:
    """How far apart two amounts may be and still be one."""
    if {"least", "most"} & {a.bound, b.bound}:
        return Decimal(0)
    about = "about" in {a.bound, b.bound}
    return max(coarse.step / 2, abs(coarse.low) / 10 if about else Decimal(0))


def _reaches(a: Number, b: Number) -> bool:
    """Whether a bound of the one lets the other be true."""
    if a.bound == "least":
        return b.high >= a.low
    if a.bound == "most":
        return b.low <= a.high
    return a.low < a.high and a.low <= b.low and b.high <= a.high


def _lower(text: str) -> str:
    """The text in lower case and as long as it was: only letters that numbers are written with."""
    return text.translate(_LOWER)


def _bound(said: str | None) -> Bound:
    for bound, pattern in _BOUNDS:
        if said and re.fullmatch(pattern, said):
            return bound
    return "exact"


def _unit(match: re.Match[str], rest: str) -> frozenset[str]:
    found = {_UNITS.get(term, term) for term in terms(" ".join(_content(rest)))}
    if match["sign"]:
        found.add(match["sign"])
    found |= {unit[-1] for unit in found if unit[-1] in _MONEY}
    if match["percent"]:
        found.add("%")
    return frozenset(found)


def _lands(number: Number) -> frozenset[str]:
    """The dollars of one country that a number counts, if it says which: "a$"."""
    return frozenset(unit for unit in number.unit if unit[:-1] and unit[-1] in _MONEY)


def _content(text: str) -> list[str]:
    return [word for word in re.split(r"[\s-]+", text) if word and word not in STOP_WORDS]


def _scale(said: str) -> int | None:
    match = re.search(rf"({_SCALE}|(?<=[\d\s])[km])$", said)
    return _SCALES[match[1].casefold()] if match else None


def _amount(said: str, *, metres: bool) -> tuple[Decimal, Decimal]:
    """The amount, and the worth of one more of its last digit."""
    text = said.casefold()
    if not text[0].isdigit():
        return _spelled(text)
    digits = re.match(r"[\d,]+(?:\.\d+)?", text)
    plain = digits.group().rstrip(",").replace(",", "") if digits else "0"
    scale = Decimal(1 if metres else _scale(text) or 1)
    whole, _, fraction = plain.partition(".")
    zeros = len(whole) - len(whole.rstrip("0")) if not fraction and int(whole) else 0
    step = Decimal(10) ** (zeros if zeros > 1 else -len(fraction))
    return Decimal(plain) * scale, step * scale


def _spelled(text: str) -> tuple[Decimal, Decimal]:
    total = current = Decimal(0)
    step = Decimal(1)
    for word in re.split(r"[\s-]+", text):
        if word in _SCALES:
            scale = _SCALES[word]
            current = (current or Decimal(1)) * scale
            step = scale * min(step, Decimal(1))
            if scale >= _THOUSAND:  # what was said before it is complete
                total, current = total + current, Decimal(0)
        elif word == "half":
            current += _HALVED
            step = _HALVED
        elif word in _SMALL:
            current += _SMALL[word]
            step = Decimal(1)
    return total + current, step
