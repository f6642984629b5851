import datetime as dt

import pytest

from qa.dates import parse_day
from qa.errors import QaError


def test_a_year_or_month_means_its_first_day_or_its_last_at_the_end_of_a_range():
    assert parse_day("2023") == dt.date(2023, 1, 1)
    assert parse_day("2023", end=True) == dt.date(2023, 12, 31)
    assert parse_day("2024-02", end=True) == dt.date(2024, 2, 29)
    assert parse_day(" 2023-9-5 ", end=True) == dt.date(2023, 9, 5)


@pytest.mark.parametrize("text", ["", "yesterday", "2023-13", "2023-02-30", "23-01-01", "0000"])
def test_anything_else_is_an_error_that_shows_how_to_write_it(text):
    with pytest.raises(QaError, match="Write YYYY, YYYY-MM or YYYY-MM-DD"):
        parse_day(text)
