"""Days as publishers write them."""

import datetime as dt
import re
from functools import lru_cache

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:1[5-9]|20)\d\d)"
_WEEKDAY = r"(?:(?:Mon|Tues?|Wed(?:nes)?|Thu(?:rs)?|Fri|Sat(?:ur)?|Sun)(?:day)?\.?,?\s+)?"
_ZONE = r"(?:[A-Z]{2,5}(?:[+-]\d{1,2})?|[+-]\d\d:?\d\d|Z|Eastern|Pacific|Central)"
TIME = (
    r"(?:(?:at\s+)?\d{1,2}(?:[:.]\d\d){0,2}(?:\.\d+)?\s*[ap]\.?m\.?|"
    r"(?:at\s+)?\d{1,2}[:.]\d\d(?:[:.]\d\d)?(?:\.\d+)?|(?:at\s+)?\d{4}(?=\s*(?:GMT|UTC|hrs)))"
    rf"(?:\s*\(?{_ZONE}\)?|\s+hrs)*"
)
_SHAPES = tuple(
    re.compile(rf"(?:{TIME},?\s+)?{_WEEKDAY}{shape}(?:(?:,|T|,?\s+-|)\s*{TIME})?", re.IGNORECASE)
    for shape in (
        rf"{_YEAR}(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark){_DAY}",
        rf"{_DAY}(?:\s+of)?[\s-]+{_MONTH},?[\s-]+{_YEAR}",
        rf"{_MONTH}\s+{_DAY},?\s+{_YEAR}",
        rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.{_YEAR}",
        rf"(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})/{_YEAR}",
    )
)
# The only order of a date with a slash is the one in which both numbers can stand.
_MONTHS_A_YEAR = 12
_LONGEST = 60
_NO_DAY = re.compile(r"(?:\d{4}(?:[-/.]\d{1,2})?|n\.?\s?d\.?|none|null|unknown|-|)", re.IGNORECASE)


def written(text: str) -> bool:
    """Whether a text is a whole date in English, with or without a time, and nothing else."""
    return any(shape.fullmatch(text.strip()) for shape in _SHAPES)


def names_no_day(text: str) -> bool:
    """Whether a text says that there is no date, or only a year or month."""
    return _NO_DAY.fullmatch(text.strip()) is not None


def day(text: str) -> dt.date | None:
    """The day a text names in English, as it is where it was written; None if it names none.

    `03/04/2023` is two days, so none; `25/12/2023` is one.
    """
    for shape in _SHAPES:
        if match := shape.fullmatch(text.strip()):
            return _date(match.groupdict())
    return None


@lru_cache(maxsize=1024)
def day_in_any_language(text: str) -> dt.date | None:
    """The day that a field meant for dates names, in whatever language; None if it names none."""
    if written(text):
        return day(text)
    text = text.strip()
    # Without a year and a day the parser would fill in today's; long texts take it seconds.
    if len(text) > _LONGEST or not re.search(r"\d{4}", text) or "/" in text:
        return None
    import dateparser

    found = dateparser.parse(
        text, settings={"STRICT_PARSING": True, "PARSERS": ["absolute-time"], "DATE_ORDER": "YMD"}
    )
    return found.date() if found else None


def _date(parts: dict[str, str | None]) -> dt.date | None:
    if parts.get("first"):
        first, second = int(parts["first"] or 0), int(parts["second"] or 0)
        numbers = {(number, other) for number, other in ((first, second), (second, first))}
        possible = [(d, m) for d, m in numbers if m <= _MONTHS_A_YEAR]
        if len(possible) != 1:
            return None
        day_of_month, month = possible[0]
    else:
        day_of_month = int(parts["day"] or 0)
        month = _month(parts["month"] or "")
    try:
        return dt.date(int(parts["year"] or 0), month, day_of_month)
    except ValueError:
        return None


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text[:3].lower()) + 1
