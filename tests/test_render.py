import datetime as dt
import json
import re
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth

from qa.markdown import answer_markdown
from qa.model import (
    Agreement,
    Answer,
    Article,
    Citation,
    Hit,
    Passage,
    Said,
    Shown,
    Span,
    text_sha256,
)
from qa.render import answer_text, passage_in_article
from qa.schema import answer_json, as_dict, citation_as_dict, citation_from_dict
from qa.style import Style, clean

SCHEMA = json.loads(Path(__file__).parent.parent.joinpath("docs/answer.schema.json").read_text())
EVIL = "\x1b[31mred\x1b]8;;http://evil\x07\x9b2J\u202egnp"


def citation(text, **changes):
    whole = Citation(
        "a1", "A title", "news/a.txt", dt.date(2023, 9, 11), None, 2, 5, 10, 10 + len(text),
        text_sha256(text),
    )  # fmt: skip
    return replace(whole, **changes)


def hit(text="They will meet in Vladivostok.", rank=1, **changes):
    return Hit(
        rank, 0.91, Passage(7, text, citation(text), ((0, len(text)),)),
        signals={"dense": 0.61, "lexical": 0.4}, **changes,
    )  # fmt: skip


def with_span(text, words):
    found = hit(text, span=Span(text.index(words), text.index(words) + len(words), words, 0.9))
    return replace(found, passage=replace(found.passage, sentences=()))


def answer(*hits, status="answered"):
    return Answer("where will they meet?", "where will they meet?", status, 0.93, hits, 12)


def test_an_answer_shows_passage_title_date_and_citation():
    assert answer_text(answer(hit()), width=60) == (
        "In these passages                           confident (0.93)\n\n"
        "[1] A title (2023-09-11)\n"
        "    They will meet in Vladivostok.\n"
        "    news/a.txt:5 ¶2"
    )


def test_an_answer_that_is_none_says_so_before_the_nearest_passages():
    text = answer_text(answer(hit(), status="unanswered"), width=100)
    assert text.startswith(
        "Nothing here answers that (confidence 0.93). Passages mention its words, but none reads"
        " like an\nanswer. The nearest passages:\n\n[1]"
    )
    assert answer_text(answer(status="unanswered"), width=100).startswith("Nothing here")


CITY = Span(18, 29, "Vladivostok", 0.9)


def test_the_words_that_answer_head_the_answer_and_are_marked_in_the_passage():
    assert answer_text(answer(hit(span=CITY)), width=60) == (
        "Vladivostok                                 confident (0.93)\n\n"
        "[1] A title (2023-09-11)\n"
        "    They will meet in «Vladivostok».\n"
        "    news/a.txt:5 ¶2"
    )


def test_in_colour_the_answer_is_bold_and_underlined_without_quotes():
    text = answer_text(answer(hit(span=CITY)), width=60, style=Style(color=True))
    assert "in \x1b[1;4mVladivostok\x1b[0m." in text
    assert "«" not in text


def test_the_word_for_how_sure_an_answer_is_follows_its_confidence():
    firsts = [
        answer_text(replace(answer(hit(span=CITY)), confidence=sure), width=40).split("\n")[0]
        for sure in (0.8, 0.79, 0.5, 0.49)
    ]
    assert [line.split(maxsplit=1)[1] for line in firsts] == [
        "confident (0.80)", "likely (0.79)", "likely (0.50)", "unsure (0.49)",
    ]  # fmt: skip


def test_where_the_heading_is_too_narrow_the_confidence_has_a_line_of_its_own():
    lines = answer_text(answer(hit(span=CITY)), width=20).split("\n")
    assert lines[:2] == ["Vladivostok", "confident (0.93)"]


def test_where_nothing_answers_no_words_are_marked_and_nobody_agrees():
    same = Agreement("same", (Said("Vladivostok", (citation("x"),), (1,)),))
    found = replace(answer(hit(span=CITY), status="unanswered"), agreement=(same,))
    for text in (answer_text(found, width=100), answer_markdown(found)):
        assert "«" not in text
        assert "**Vladivostok**" not in text
        assert "agree" not in text


def test_of_a_long_passage_the_sentences_around_the_answer_are_shown():
    long = "Nobody knew. " * 30
    text = f"{long}\n\nThe city is Orvo. It lies by the sea.\n\n{long}"
    shown = answer_text(answer(with_span(text, "Orvo")), width=60)
    assert "\n    … The city is «Orvo». It lies by the sea. …\n" in shown
    assert "Nobody" not in shown
    assert "Nobody" in answer_text(answer(hit(text)), width=60)


def test_sentences_that_stand_apart_have_dots_between_them():
    text = "Where do they meet? " + "Nobody knew that. " * 20 + "It is Orvo. " + "Rain. " * 60
    shown = answer_text(answer(with_span(text, "Orvo")), width=500)
    assert "\n    Where do they meet? … Nobody knew that. " in shown
    assert " Nobody knew that. It is «Orvo». Rain. " in shown
    assert " Rain. …\n" in shown


def agreement():
    one, two = citation("x"), citation("y", article_id="b", source="b.txt")
    return (
        Agreement("differ", (Said("August", (one,), (1,)), Said("July", (two,), (3,)))),
        Agreement("same", (Said("10–13 September", (one, two), (1, 2)),)),
    )


def test_articles_that_differ_or_agree_are_named_under_the_answer():
    found = replace(answer(hit(span=CITY)), agreement=agreement())
    assert answer_text(found, width=60).split("\n")[1:3] == [
        "August [1] · July [3]: the articles differ",
        "10–13 September [1][2]: 2 articles agree",
    ]
    assert "- August \\[1\\] · July \\[3\\]: the articles differ\n" in answer_markdown(found)


def test_copies_count_as_articles_that_agree():
    copies = tuple(citation("x", article_id=name) for name in "abc")
    found = replace(answer(hit()), agreement=(Agreement("same", (Said("1", copies, (1, 2)),)),))
    assert "1 [1][2]: 3 articles agree" in answer_text(found, width=60)


def test_json_says_who_agrees():
    found = as_dict(replace(answer(hit(span=CITY)), agreement=agreement()))
    jsonschema.validate(found, SCHEMA)
    assert [item["kind"] for item in found["agreement"]] == ["differ", "same"]
    assert [said["text"] for said in found["agreement"][0]["answers"]] == ["August", "July"]
    said = found["agreement"][1]["answers"][0]
    assert said["ranks"] == [1, 2]
    assert [cited["source"] for cited in said["citations"]] == ["news/a.txt", "b.txt"]


def test_words_of_the_question_are_set_off_in_colour_only():
    lines = answer_text(answer(hit()), width=60, style=Style(color=True))
    assert "\x1b[1mmeet\x1b[0m" in lines
    assert "\x1b" not in answer_text(answer(hit()), width=60)


def test_copies_in_other_articles_are_cited():
    copied = hit(also_in=(citation("x", source="b.txt", line=9, paragraph=3),))
    assert "\n    also in b.txt:9 ¶3" in answer_text(answer(copied), width=60)


def test_more_hits_go_on_where_the_last_ones_ended():
    text = answer_text(answer(hit(), hit(rank=2)), width=60, start=1)
    assert text.startswith("[2]")


def test_words_are_marked_when_they_are_likely_an_answer():
    doubtful = replace(hit(rank=2, span=CITY), span=replace(CITY, score=0.4))
    text = answer_text(answer(hit(span=CITY), doubtful), width=100)
    assert text.count("«Vladivostok»") == 1
    sure = answer_text(answer(hit(span=CITY), hit(rank=2, span=CITY)), width=100)
    assert sure.count("«Vladivostok»") == 2
    first = answer(replace(doubtful, rank=1))
    assert "«Vladivostok»" in answer_text(first, width=100)
    unsure = answer_text(replace(first, confidence=0.3), width=100)
    assert unsure.startswith("Perhaps in these passages ")
    assert unsure.splitlines()[0].endswith(" unsure (0.30)")
    assert "«" not in unsure


def test_hits_are_explained_with_the_answer():
    assert "cosine" in answer_text(answer(hit()), width=200, explain=True)


def test_citations_are_links_where_the_terminal_has_them():
    style = Style(link=lambda item: f"file:///{item.source}")
    assert "\x1b]8;;file:///news/a.txt\x1b\\news/a.txt:5 ¶2\x1b]8;;\x1b\\" in answer_text(
        answer(hit()), width=60, style=style
    )


@given(st.text(alphabet=st.characters(codec="utf-8")), st.integers(1, 90))
def test_no_control_character_of_an_article_reaches_a_terminal_and_no_line_is_too_wide(text, width):
    evil = EVIL + text
    found = Hit(1, 1.0, Passage(1, evil, citation(evil, title=evil, source=evil)))
    marked = replace(found, span=Span(2, len(evil), evil[2:], 0.9))
    same = Agreement("same", (Said(evil, (found.citation,), (1,)),))
    shown = Shown(Article("a", evil, evil, evil), (), citation(evil, start=0), evil)
    for screen in (
        answer_text(replace(answer(found), question=evil), width=width, explain=True),
        answer_text(replace(answer(marked), agreement=(same,)), width=width),
        passage_in_article(shown, width=width),
    ):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", screen)
        assert all(wcswidth(line) <= max(width, 8) for line in screen.split("\n"))


def test_control_characters_are_shown_not_dropped():
    assert clean("a\x1b[0m\x00\x7f\x9b\r\n") == "a␛[0m␀␡\\u009b \n"


@pytest.mark.parametrize(
    "found", [answer(), answer(hit(), hit(rank=2)), answer(status="unanswered")]
)
def test_json_is_as_its_schema_says(found):
    jsonschema.validate(json.loads(answer_json(found)), SCHEMA)
    spanned = answer(hit(span=Span(18, 29, "Vladivostok", 0.9)))
    jsonschema.validate(as_dict(spanned), SCHEMA)
    assert as_dict(spanned)["hits"][0]["span"]["text"] == "Vladivostok"


def test_json_holds_every_character_by_value_and_none_that_a_terminal_obeys():
    text = answer_json(answer(hit(EVIL)))
    assert json.loads(text)["hits"][0]["text"] == EVIL
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text)


def test_json_on_one_line_is_one_line():
    assert "\n" not in answer_json(answer(hit("two\nlines")), indent=None)


def test_a_citation_survives_json():
    for kept in (citation("x"), citation("y", date=None, url="http://x")):
        assert citation_from_dict(json.loads(json.dumps(citation_as_dict(kept)))) == kept


def test_markdown_quotes_passages_and_escapes_what_articles_say():
    text = answer_markdown(answer(hit("Is *this* <b>bold</b>?\n\nNo.")))
    assert "> Is \\*this\\* \\<b\\>bold\\</b\\>?\n>\n> No." in text
    assert "1. **A title (2023-09-11)** — news/a.txt:5" in text


def test_markdown_has_the_answer_in_bold():
    text = answer_markdown(answer(hit(span=CITY)))
    assert "**Vladivostok** — _confident (0.93)_" in text
    assert "> They will meet in **Vladivostok**." in text


def test_the_cited_passage_has_a_bar_beside_it_in_its_article():
    text = "One.\n\nTwo two.\n\nThree.\n\nFour.\n\nFive."
    start = text.index("Two")
    cited = citation("Two two.", start=start, end=start + 8)
    shown = Shown(Article("a", "s", "t", text), (), cited, "s")
    assert passage_in_article(shown, width=40, context=1) == "  One.\n\n┃ Two two.\n\n  Three."
    assert passage_in_article(replace(shown, citation=None), width=40).endswith("  Five.")
