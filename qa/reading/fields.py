"""Values of fields that people fill in by hand, as the types that articles have."""

import datetime as dt

from qa.reading import days
from qa.reading.decoding import without_surrogates


def one_line(value: object) -> str | None:
    """A field's text on one line: several values with commas between them; None for nothing.

    Raises:
        ValueError: it is neither text, nor a number, nor a list of those.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, list):
        return ", ".join(filter(None, map(one_line, value))) or None
    if isinstance(value, dict) and "name" in value:
        return one_line(value["name"])
    if not isinstance(value, str | int | float | dt.date):
        raise ValueError(f"{str(value)[:40]!r} is no text")  # noqa: TRY004 -- a value of a file, not of the program
    return without_surrogates(" ".join(str(value).split())) or None


def date(value: object) -> dt.date | None:
    """A field's day; None for nothing, or a year or month without a day.

    Raises:
        ValueError: it names no day, or could be two.
    """
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    text = one_line(value)
    if text is None or days.names_no_day(text):
        return None
    found = days.day_in_any_language(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no date, so none is kept. Write it like 2023-09-12.")
    return found
