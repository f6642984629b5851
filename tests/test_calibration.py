"""Confidence fitted to questions of one's own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.calibration import Calibration, Example, Graded, fit, from_json, graded, to_json
from qa.errors import QaError
from qa.model import Answer, Citation, Hit, Passage


def found(confidence, *, right, answerable=True):
    return Graded(confidence, right, answerable)


def answer(text, source="a.txt"):
    citation = Citation("a", "T", source, None, None, 1, 1, 0, len(text), "0" * 64)
    return Answer("?", "?", "answered", 0.7, (Hit(1, 0.9, Passage(1, text, citation)),), 1)


MIXED = [
    *(found(0.9, right=True) for _ in range(20)),
    *(found(0.6, right=True) for _ in range(20)),
    *(found(0.6, right=False, answerable=False) for _ in range(20)),
    *(found(0.1, right=False, answerable=False) for _ in range(20)),
]


def test_a_confidence_that_is_right_half_of_the_time_becomes_a_half():
    assert fit(MIXED).of(0.6) == pytest.approx(0.5, abs=0.1)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_order_of_answers_stays_and_confidence_is_a_probability(a, b):
    made = Calibration(0.7, -0.4, 0.3)
    assert 0.0 <= made.of(a) <= 1.0
    assert (made.of(a) <= made.of(b)) or a > b


def test_the_threshold_lets_the_share_that_was_asked_for_go_unanswered():
    answerable = [found(n / 100, right=n > 20) for n in range(1, 100)]
    made = fit(answerable, refused=0.1)
    refused = sum(made.of(each.confidence) < made.threshold for each in answerable)
    assert refused / len(answerable) == pytest.approx(0.1, abs=0.02)


def test_too_few_wrong_answers_are_an_error_that_says_how_many_are_needed():
    with pytest.raises(QaError, match="10 were answered right and 0 were not; 5 of each"):
        fit([found(0.9, right=True)] * 10)


def test_nothing_is_fitted_where_the_surer_answers_are_the_wrong_ones():
    with pytest.raises(QaError, match="the surer answers were the wrong ones"):
        fit([*[found(0.9, right=False)] * 10, *[found(0.1, right=True)] * 10])


def test_a_calibration_is_kept_as_it_is():
    assert from_json(to_json(Calibration(0.5, -1.25, 0.3))) == Calibration(0.5, -1.25, 0.3)


def test_an_answer_is_right_when_its_first_passage_says_it():
    said = Example("where?", answers=("New  York",))
    assert graded(said, answer("They met in new york.")).right
    assert not graded(said, answer("They met in Boston.")).right


def test_an_answer_is_right_when_it_comes_from_the_source():
    assert graded(Example("?", source="a.txt"), answer("x", "news/a.txt")).right
    assert not graded(Example("?", source="a.txt"), answer("x", "b.txt")).right


def test_no_passage_is_right_for_a_question_without_an_answer():
    assert graded(Example("?"), answer("anything")) == Graded(0.7, right=False, answerable=False)
