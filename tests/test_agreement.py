"""Who says the same, and where articles differ.

`data/agreement.jsonl` holds 125 pairs of invented passages: 34 that exclude each other, 34 that say
the same, 57 that do neither (another event, year or aspect, one of many, a place in a place, a
bound). The rules were made on the half that `is_for_tuning`; the other half was looked at once,
when they were done: "differ" had a precision of 15/16 and a recall of 15/17, "same" 17/17 and 17/19.
"""

import datetime as dt
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from qa.agreement import CONFIDENT, NEAR_THE_BEST, agree
from qa.model import Citation, Hit, Passage, Span

PAIRS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "agreement.jsonl").read_text("utf-8").splitlines()
]
QUESTION = "When did Halvorsen visit Lirand?"
MARCH = "Ingrid Halvorsen visited Lirand in «March», a spokesman said."
JULY = "In «July» Halvorsen visited Lirand to sign the accord."
IN_MARCH = "Halvorsen, who visited Lirand in «early March», has resigned."


def hit(rank, marked, article=None, **changes):
    """A hit whose answer stands between the marks."""
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    name = article or f"a{rank}"
    cited = Citation(name, "", f"{name}.txt", None, None, 1, 1, 0, len(text), "0" * 64)
    found = Hit(rank, 0.9, Passage(rank, text, cited), Span(start, end, text[start:end], 0.9))
    return replace(found, **changes)


def told(*hits, question=QUESTION):
    return [
        (item.kind, [(said.text, said.ranks) for said in item.answers])
        for item in agree(hits, question)
    ]


def is_for_tuning(pair):
    text = "".join([pair["question"], *pair["passages"]])
    return hashlib.sha256(text.encode()).digest()[0] % 2 == 0


def figures(pairs):
    """For each kind: how many were said rightly, said, and due."""
    said = [
        next(
            (kind for kind, _ in told(hit(1, one), hit(2, two), question=pair["question"])),
            "neither",
        )
        for pair in pairs
        for one, two in [pair["passages"]]
    ]
    due = [pair["expected"] for pair in pairs]
    return {
        kind: (
            sum(a == b == kind for a, b in zip(said, due, strict=True)),
            said.count(kind),
            due.count(kind),
        )
        for kind in ("differ", "same")
    }


def test_on_pairs_that_no_rule_was_made_for_it_is_precise_and_finds_most():
    kept = [pair for pair in PAIRS if not is_for_tuning(pair)]
    assert figures(kept) == {"differ": (15, 16, 17), "same": (17, 17, 19)}


def test_on_the_pairs_that_the_rules_were_made_on_it_is_never_wrong():
    made_on = [pair for pair in PAIRS if is_for_tuning(pair)]
    assert figures(made_on) == {"differ": (16, 16, 17), "same": (14, 14, 15)}


def test_articles_that_exclude_each_other_stand_side_by_side():
    assert told(hit(1, MARCH), hit(3, JULY)) == [("differ", [("March", (1,)), ("July", (3,))])]


def test_articles_that_say_the_same_stand_together_against_one_that_does_not():
    assert told(hit(1, MARCH), hit(2, JULY), hit(3, IN_MARCH)) == [
        ("differ", [("March", (1, 3)), ("July", (2,))]),
        ("same", [("March", (1, 3))]),
    ]


def test_copies_are_cited_but_are_no_voice_of_their_own():
    copy = hit(9, MARCH).citation
    (same,) = agree([hit(1, MARCH, also_in=(copy,)), hit(2, IN_MARCH)], QUESTION)
    assert [cited.article_id for cited in same.answers[0].citations] == ["a1", "a9", "a2"]
    assert agree([hit(1, MARCH, also_in=(copy,))], QUESTION) == ()


def test_one_article_neither_agrees_nor_differs_with_itself():
    assert told(hit(1, MARCH, "a"), hit(2, JULY, "a")) == []
    assert told(hit(1, MARCH, "a"), hit(2, IN_MARCH, "a")) == []
    assert told(hit(1, MARCH, "a"), hit(2, JULY, "b"), hit(3, JULY, "a")) == [
        ("same", [("July", (2, 3))])
    ]


def test_an_article_that_knows_both_answers_does_not_differ():
    both = "Halvorsen visited Lirand in «March». Her July journey to Orvo was cancelled."
    assert told(hit(1, both), hit(2, JULY)) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"span": None},
        {"span": Span(3, 7, "July", CONFIDENT - 0.01)},
        {"score": 0.9 * NEAR_THE_BEST - 0.01},
    ],
)
def test_an_answer_that_is_not_sure_is_not_compared(changes):
    assert told(hit(1, MARCH), hit(2, JULY, **changes)) == []


def test_articles_of_other_years_that_name_no_year_may_speak_of_two_events():
    first, second = hit(1, MARCH), hit(2, JULY)

    def of(found, year, month):
        cited = replace(found.citation, date=dt.date(year, month, 1))
        return replace(found, passage=replace(found.passage, citation=cited))

    assert told(of(first, 2020, 4), of(second, 2022, 8)) == []
    assert len(told(of(first, 2020, 4), of(second, 2020, 8))) == 1


def test_the_question_may_be_typed_in_lower_case():
    assert len(told(hit(1, MARCH), hit(2, JULY), question="when did halvorsen visit lirand")) == 1


def test_a_capital_in_a_title_or_a_shouted_question_makes_no_name():
    left = hit(2, "In «July» Halvorsen left Lirand for good.")
    cited = replace(left.citation, title="Halvorsen's Visit In Lirand Ends")
    titled = replace(left, passage=replace(left.passage, citation=cited))
    for question in (QUESTION, QUESTION.title(), QUESTION.upper()):
        assert told(hit(1, MARCH), titled, question=question) == []
        assert len(told(hit(1, MARCH), hit(2, JULY), question=question)) == 1


def test_nothing_found_agrees_with_nothing():
    assert agree([], QUESTION) == ()
