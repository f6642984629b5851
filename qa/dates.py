"""Days as people type them in filters: a year, a month or a day."""

import calendar
import datetime as dt
import re

from qa.errors import QaError

_DAY = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?")


def parse_day(text: str, *, end: bool = False) -> dt.date:
    """The first day of a year, month or day written as YYYY, YYYY-MM or YYYY-MM-DD.

    Args:
        text: what was typed.
        end: take the last day instead, for the upper end of a range.

    Raises:
        QaError: it is none of the three, or no day of the calendar.
    """
    match = _DAY.fullmatch(text.strip())
    year, month, day = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    try:
        month = month or (12 if end else 1)
        day = day or (calendar.monthrange(year, month)[1] if end else 1)
        return dt.date(year, month, day)
    except (ValueError, calendar.IllegalMonthError) as error:
        raise QaError(f"'{text}' is no date. Write YYYY, YYYY-MM or YYYY-MM-DD.") from error
