"""Whether what an answer quotes is what its citations cite, and still stands there."""

import json

import pytest
from toy import ToyEncoder

from qa import Bot, QaError
from qa.library import Library
from qa.schema import answer_json
from qa.verify import citations, verify

TEXT = "A summit\n\nThe two leaders will meet in Orvo in September.\n"


@pytest.fixture
def answer(tmp_path):
    """An answer as JSON values, with the words that answer marked in its hit."""
    (tmp_path / "summit.txt").write_text(TEXT)
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=None, create=True)
    bot.add(tmp_path / "summit.txt")
    values = json.loads(answer_json(bot.ask("Where will they meet?", top_k=1)))
    (hit,) = values["hits"]
    start = hit["text"].index("Orvo")
    hit["span"] = {"start": start, "end": start + 4, "text": "Orvo", "score": 0.9}
    return values


def found(tmp_path, *answers):
    """Of each citation: whether it is quoted exactly, is in the library and file, and holds."""
    text = "\n".join(map(json.dumps, answers))
    verified = verify(Library.open(tmp_path / "lib"), citations(text, "answer.json"))
    return [(each.quoted, each.library, each.file, each.holds) for each in verified]


def test_an_answer_as_it_was_given_holds(tmp_path, answer):
    assert found(tmp_path, answer) == [("exact", "exact", "exact", True)]
    answer["hits"][0]["span"] = None
    assert found(tmp_path, answer, answer) == [("exact", "exact", "exact", True)] * 2


def test_a_quotation_that_was_altered_is_seen_though_its_citation_is_right(tmp_path, answer):
    hit = answer["hits"][0]
    hit["text"] = hit["text"].replace("will meet", "will not meet")
    assert found(tmp_path, answer) == [("changed", "exact", "exact", False)]


@pytest.mark.parametrize("change", [{"text": "Lirand"}, {"start": 0}, {"end": 1}])
def test_words_marked_that_are_not_in_their_place_are_seen(tmp_path, answer, change):
    answer["hits"][0]["span"] |= change
    assert found(tmp_path, answer) == [("changed", "exact", "exact", False)]


def test_a_copy_in_another_article_is_cited_without_being_quoted(tmp_path, answer):
    hit = answer["hits"][0]
    hit["also_in"] = [hit["citation"]]
    assert found(tmp_path, answer) == [
        ("exact", "exact", "exact", True),
        (None, "exact", "exact", True),
    ]


@pytest.mark.parametrize("text", [None, 1, ["Orvo"]])
def test_a_quotation_that_is_no_text_is_an_error_that_names_the_file(answer, text):
    answer["hits"][0]["text"] = text
    with pytest.raises(QaError, match=r"answer\.json holds no answer"):
        citations(json.dumps(answer), "answer.json")
