"""The articles and questions of our own that a reader is trained on are what they say."""

import json
from pathlib import Path

import pytest

TRAINING = Path(__file__).parent.parent / "training"


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def texts():
    return {row["_id"]: row["text"] for row in rows(TRAINING / "written" / "corpus.jsonl")}


@pytest.fixture(scope="module")
def queries():
    return rows(TRAINING / "written" / "queries.jsonl")


def test_answers_are_quoted_to_the_character(texts, queries):
    spans = [(row, span) for row in queries for span in row.get("spans", ())]
    assert len(spans) > 10_000
    for row, span in spans:
        start = span["start"]
        assert texts[span["doc"]][start : start + len(span["text"])] == span["text"], row["_id"]
        assert row["answers"] == [span["text"]]


def test_a_question_has_an_answer_or_an_article_that_lacks_it(texts, queries):
    for row in queries:
        assert row["answerable"] is ("spans" in row), row["_id"]
        assert row["answerable"] or row["about"] in texts, row["_id"]


def test_what_only_looks_like_an_answer_stands_in_the_article_too(texts, queries):
    tempting = [row for row in queries if "plausible_answers" in row]
    assert len(tempting) > 1_000
    for row in tempting:
        assert all(words in texts[row["about"]] for words in row["plausible_answers"]), row["_id"]


def test_judgements_name_the_article_of_every_answer(queries):
    lines = (TRAINING / "written" / "qrels.tsv").read_text("utf-8").splitlines()[1:]
    judged = dict(line.split("\t")[:2] for line in lines)
    assert judged == {row["_id"]: row["spans"][0]["doc"] for row in queries if row["answerable"]}


def test_questions_on_passages_of_others_hold_none_of_their_text_but_the_answer():
    for path in sorted((TRAINING / "more").iterdir()):
        for row in rows(path):
            known = {"_id", "text", "answerable", "light", "answers", "spans", "about"}
            assert set(row) <= known | {"plausible_answers"}, row["_id"]


def test_no_two_questions_have_one_name(queries):
    names = [row["_id"] for row in queries]
    for path in sorted((TRAINING / "more").iterdir()):
        names += [row["_id"] for row in rows(path)]
    assert len(set(names)) == len(names)
