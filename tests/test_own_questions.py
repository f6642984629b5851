"""Laws of the set of our own in tests/data/own: it says what it claims to."""

import json
from pathlib import Path

from qa import reading

OWN = Path(__file__).parent / "data" / "own"


def questions():
    return [json.loads(line) for line in (OWN / "questions.jsonl").read_text().splitlines()]


def article(name):
    path = OWN / "articles" / name
    (found,) = reading.read_bytes(path.read_bytes(), name, name, str(path))
    return found


def test_half_of_the_questions_are_answered_by_the_articles():
    assert [question["answerable"] for question in questions()] == [True] * 10 + [False] * 10
    assert len({question["_id"] for question in questions()}) == 20


def test_every_accepted_answer_stands_in_an_article_that_it_is_said_to_come_from():
    for question in questions():
        names = [question[key] for key in ("source", "also_in") if key in question]
        assert len(names) > 0 or not question["answerable"]
        for said in question.get("answers", ()):
            assert any(said in article(name).text for name in names), (question["_id"], said)


def test_articles_that_differ_each_say_their_own():
    (question,) = (question for question in questions() if "differ" in question)
    for name, said in question["differ"].items():
        others = set(question["differ"].values()) - {said}
        assert said in article(name).text
        assert not any(other in article(name).text for other in others)


def test_the_page_and_the_front_matter_say_who_wrote_them_and_when():
    assert (article("kettle.html").author, str(article("kettle.html").date)) == (
        "Joan Pickersgill",
        "2022-01-20",
    )
    assert (article("conductor.md").author, str(article("conductor.md").date)) == (
        "Tom Wexcombe",
        "2023-10-05",
    )


def test_every_article_has_a_title_and_is_as_long_as_an_article():
    paths = sorted((OWN / "articles").iterdir())
    assert len(paths) == 10
    for path in paths:
        found = article(path.name)
        assert found.title
        assert 250 <= len(found.text.split()) <= 600
