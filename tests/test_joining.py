from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from qa import joining
from qa.model import Citation, Hit, Passage, Span
from qa.reader import Reading


def hit(number, score=0.5, dense=0.5, coverage=0.5):
    citation = Citation(f"a{number}", "T", "t.txt", None, None, 1, 1, 0, 4, "0" * 64)
    signals = {"dense": dense, "lexical": 0.3, "coverage": coverage}
    return Hit(number, score, Passage(number, "text", citation), signals=signals)


def reading(relevance=0.5, answerable=0.0):
    return Reading(relevance, Span(0, 4, "text", 0.5), answerable)


numbers = st.floats(0.0, 1.0)


@given(st.lists(st.tuples(numbers, numbers, st.floats(-60, 60)), max_size=8), st.integers(0, 8))
def test_joined_hits_are_the_same_passages_best_first_ranked_from_one(found, read):
    hits = [hit(number, score) for number, (score, _, _) in enumerate(sorted(found)[::-1], 1)]
    readings = [reading(relevance, margin) for _, relevance, margin in found[:read]]
    result = joining.joined("what is said?", hits, readings)
    assert sorted(one.passage.id for one in result) == [one.passage.id for one in hits]
    assert [one.rank for one in result] == list(range(1, len(hits) + 1))
    scores = [one.score for one in result]
    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)
    if readings:
        assert 0.0 <= joining.of(result, "hybrid") <= 1.0


def test_reading_moves_the_passage_that_answers_before_one_that_only_looks_like_it():
    hits = [hit(1, 0.62), hit(2, 0.60)]
    result = joining.joined("what is said?", hits, [reading(0.1, -4.0), reading(0.95, 5.0)])
    assert [one.passage.id for one in result] == [2, 1]
    assert result[0].span.text == "text"
    assert result[0].signals["relevance"] == 0.95


def test_what_was_not_read_follows_in_its_order_and_without_a_span():
    hits = [hit(1, 0.6), hit(2, 0.5), hit(3, 0.4)]
    result = joining.joined("what is said?", hits, [reading(0.9, 3.0)])
    assert [one.passage.id for one in result] == [1, 2, 3]
    assert [one.span is None for one in result] == [False, True, True]


def test_confidence_rises_with_relevance_margin_and_lead_and_is_nothing_without_hits():
    def sure(relevance, margin, other):
        hits = [hit(1, 0.6), hit(2, 0.6)]
        read = joining.joined(
            "what is said?", hits, [reading(relevance, margin), reading(other, -4.0)]
        )
        return joining.of(read, "hybrid")

    low = sure(0.5, 0.0, 0.4)
    assert low < sure(0.9, 0.0, 0.4)
    assert low < sure(0.5, 5.0, 0.4)
    assert low < sure(0.5, 0.0, 0.05)
    assert joining.of([], "hybrid") == 0.0
    alone = joining.joined("what is said?", [hit(1, 0.6)], [reading(0.9, 3.0)])
    assert joining.of(alone, "hybrid") > joining.of(
        [replace(alone[0]), *joining.joined("what is said?", [hit(2, 0.6)], [reading(0.9, 3.0)])],
        "hybrid",
    )


def test_noise_that_reads_like_an_answer_stays_below_prose():
    caption = hit(1, 0.2)
    caption = replace(caption, passage=replace(caption.passage, noise="caption"))
    result = joining.joined(
        "what is said?", [hit(2, 0.3), caption], [reading(0.1, -4.0), reading(0.99, 9.0)]
    )
    assert [one.passage.id for one in result] == [2, 1]


def test_words_of_a_kind_that_is_not_asked_for_stay_behind_those_that_may_be():
    hits = [hit(1, 0.52), hit(2, 0.50)]
    readings = [
        Reading(0.3, Span(0, 9, "September", 0.5), -4.0),
        Reading(0.3, Span(0, 4, "Bonn", 0.5), -4.0),
    ]
    assert joining.joined("where will they meet?", hits, readings)[0].passage.id == 2
    assert joining.joined("when will they meet?", hits, readings)[0].passage.id == 1
