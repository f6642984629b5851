"""Dates as articles write them: "Sept. 10-13", "the 10th of September 2019", "late on Monday"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from qa.values.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Day:
    """A day, month or year: what is not said is None."""

    year: int | None = None
    month: int | None = None
    day: int | None = None


@dataclass(frozen=True, slots=True)
class Date:
    """A stretch of time from `first` to `last`, which are equal unless it is a range.

    `weekday` counts from Monday as 0, `clock` is in minutes after midnight, `part` is a season or
    what part of the time is meant ("early"), `bound` how the event lies to it ("before").
    """

    first: Day = Day()
    last: Day = Day()
    weekday: int | None = None
    clock: int | None = None
    part: str | None = None
    bound: str | None = None

    @property
    def is_range(self) -> bool:
        """Whether a beginning and another end were said."""
        return self.first != self.last


_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()

# "may" and "march" are months only with a capital.
_M = (
    r"(?:[Jj]anuary|[Ff]ebruary|March|[Aa]pril|May|[Jj]une|[Jj]uly|[Aa]ugust|[Ss]eptember"
    r"|[Oo]ctober|[Nn]ovember|[Dd]ecember|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?)"
    r"(?![A-Za-z])"
)
_D = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?![\w%]|[.,:]\d)"
_Y = r"(?:1\d|20)\d\d(?![\w%]|[.,]\d)"
_TO = r"\s*(?:[-–—]|\b(?:to|until|till|through)\b)\s*(?:the\s+)?"
_CALENDAR = re.compile(
    rf"""
      \b(?P<y1>{_Y})-(?P<m1>\d\d)-(?P<d1>\d\d)\b
    | \b(?P<m2>{_M})\s*(?P<d2>{_D})(?:{_TO}(?:(?P<mm2>{_M})\s*)?(?P<dd2>{_D}))?
        (?:,?\s*(?P<y2>{_Y}))?
    | \b(?P<d3>{_D})(?:\s+(?:of\s+)?(?P<m3>{_M}))?{_TO}
        (?P<dd3>{_D})\s+(?:of\s+)?(?P<mm3>{_M})(?:,?\s+(?P<y3>{_Y}))?
    | \b(?P<d4>{_D})\s+(?:of\s+)?(?P<m4>{_M})(?:,?\s+(?P<y4>{_Y}))?
    | \b(?P<m5>{_M})(?:{_TO}(?P<mm5>{_M}))?(?:,?\s+(?:of\s+)?(?P<y5>{_Y}))?
    | (?<![$€£¥\d.,-])\b(?P<y6>{_Y})(?:{_TO}(?P<yy6>{_Y}))?
    | \b(?P<y7>(?:1[5-9]|20)\d0)s\b
    """,
    re.VERBOSE,
)
_WEEKDAY = re.compile(r"\b(?:" + "|".join(name.title() for name in _WEEKDAYS) + r")s?\b")
_CLOCK = re.compile(
    r"\b(?P<word>noon|midnight)\b"
    r"|\b(?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))?\s*(?P<half>[ap])\.?m\b\.?"
    r"|\b(?P<hour24>[01]?\d|2[0-3]):(?P<minute24>\d\d)\b"
)
_PART = re.compile(r"\b(spring|summer|autumn|fall|winter|early|late|mid|beginning|start|end)\b")
_SEASONS = frozenset("spring summer fall winter".split())
_BOUND = re.compile(r"\b(before|after|since|until|till|by)\b")
_BESIDE = frozenset(
    "in on at the of from and during around about year month morning afternoon evening night this "
    "local time o'clock".split()
)


def parse(text: str) -> Date | None:
    """The date that a text states, None if it states none, several, or more than a date."""
    rest = re.sub(r"\b[Bb]etween\s+(.+?)\s+and\s+", r"\1 to ", text)
    calendar, rest = _taken(_CALENDAR, rest)
    clock, rest = _taken(_CLOCK, rest)
    weekday, rest = _taken(_WEEKDAY, rest)
    if not (calendar or clock or weekday or re.fullmatch(rf"\W*(?:the\s+)?{_PART.pattern}", rest)):
        return None
    rest = rest.casefold()
    part, rest = _taken(_PART, rest)
    bound, rest = _taken(_BOUND, rest)
    if any(word not in _BESIDE for word in re.findall(r"[\w']+", rest)):
        return None
    first, last = _days(calendar) if calendar else (Day(), Day())
    return Date(
        first,
        last,
        _WEEKDAYS.index(weekday.group().casefold().rstrip("s")) if weekday else None,
        _minutes(clock) if clock else None,
        part.group().replace("autumn", "fall") if part else None,
        bound.group() if bound else None,
    )


def spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where in `text[start:end]` dates stand, with the word before that bounds them."""
    for pattern in (_CALENDAR, _WEEKDAY, _CLOCK):
        for match in pattern.finditer(text, start, end):
            before = re.search(
                r"\b(?:before|after|since|until|by|early|late|mid)[\s-]+(?:in\s+)?$",
                text[start : match.start()],
                re.IGNORECASE,
            )
            yield (start + before.start() if before else match.start()), match.end()


def compare(a: Date, b: Date) -> Verdict:
    """Whether two dates may be one; a date that leaves parts out agrees with one that says them."""
    if a.bound != b.bound:
        return "unsure"
    verdict = (_compare_ranges if a.is_range or b.is_range else _compare_days)(a, b)
    if verdict == "same" and a.part and b.part and a.part != b.part:
        return "unsure"
    return verdict


def _taken(pattern: re.Pattern[str], text: str) -> tuple[re.Match[str] | None, str]:
    """The first match, and the text without it."""
    match = pattern.search(text)
    return match, text if match is None else f"{text[: match.start()]} {text[match.end() :]}"


def _days(match: re.Match[str]) -> tuple[Day, Day]:
    said = {name.rstrip("0123456789"): part for name, part in match.groupdict().items() if part}
    year = int(said["y"]) if "y" in said else None
    if match["y7"]:
        return Day(year), Day(int(match["y7"]) + 9)
    if "yy" in said:
        return Day(year), Day(int(said["yy"]))
    month = _month(said.get("m") or said.get("mm"))
    day = _number(said.get("d"))
    first = Day(year, month, day)
    return first, Day(year, _month(said.get("mm")) or month, _number(said.get("dd")) or day)


def _month(said: str | None) -> int | None:
    if said is None:
        return None
    return int(said) if said.isdigit() else _MONTHS.index(said[:3].casefold()) + 1


def _number(said: str | None) -> int | None:
    return int(re.sub(r"\D", "", said)) if said else None


def _minutes(match: re.Match[str]) -> int:
    if match["word"]:
        return 12 * 60 if match["word"] == "noon" else 0
    if match["half"]:
        hour = int(match["hour"]) % 12 + (12 if match["half"] == "p" else 0)
        return hour * 60 + int(match["minute"] or 0)
    return int(match["hour24"]) * 60 + int(match["minute24"])


def _parts(date: Date) -> tuple[int | None, ...]:
    return date.first.year, date.first.month, date.first.day, date.weekday, date.clock


def _compare_days(a: Date, b: Date) -> Verdict:
    pairs = list(zip(_parts(a), _parts(b), strict=True))
    if any(x is not None and y is not None and x != y for x, y in pairs):
        return "differ"
    if a.part in _SEASONS and b.part in _SEASONS and a.part != b.part:
        return "differ"
    if (a.part in _SEASONS or b.part in _SEASONS) and a.part != b.part:
        return "unsure"
    more = any(x is not None and y is None for x, y in pairs)
    less = any(x is None and y is not None for x, y in pairs)
    # "Monday" and "in September" each say what the other does not; one month with a year here and
    # a weekday there is one all the same.
    if more and less:
        month = a.first.month
        return "same" if month is not None and month == b.first.month else "unsure"
    return "same"


def _compare_ranges(a: Date, b: Date) -> Verdict:
    if {a.weekday, b.weekday, a.clock, b.clock} != {None}:
        return "unsure"
    if None in {a.first.year, b.first.year}:  # then only the days of the year can be compared
        if None in {a.first.month, b.first.month}:
            return "unsure"
        a, b = _any_year(a), _any_year(b)
    a_low, a_high = _ordinal(a.first, last=False), _ordinal(a.last, last=True)
    b_low, b_high = _ordinal(b.first, last=False), _ordinal(b.last, last=True)
    if a_low > a_high or b_low > b_high:  # over New Year
        return "unsure"
    if (a_low, a_high) == (b_low, b_high):
        return "same"
    if a_high < b_low or b_high < a_low or (a.is_range and b.is_range):
        return "differ"
    # The month or year that a range lies in is a less exact form; a day inside it may be another.
    single = b if a.is_range else a
    outer = (
        (a_low <= b_low and b_high <= a_high)
        if single is a
        else (b_low <= a_low and a_high <= b_high)
    )
    return "same" if outer and single.first.day is None else "unsure"


def _any_year(date: Date) -> Date:
    return replace(date, first=replace(date.first, year=None), last=replace(date.last, year=None))


def _ordinal(day: Day, *, last: bool) -> int:
    """Days on a calendar of months of 31 days; an open part stands for its first or last."""
    year = day.year or 0
    month = day.month or (12 if last else 1)
    return (year * 12 + month) * 31 + (day.day or (31 if last else 1))
