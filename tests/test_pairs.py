"""The pairs that a reader is trained on."""

import random

import pytest

pytest.importorskip("torch")

from asked import Asked, Candidate
from near_misses import near_miss
from pairs import as_typed, groups
from parts import part, training

ANSWERING = Candidate("d1", "Rivers", "The Danube flows to the Black Sea.", True, ((4, 10),))
NEAR = Candidate("d2", "Rivers", "The Rhine flows to the North Sea.", False)
SAME = Candidate("d1", "Rivers", "Its source is in the Black Forest.", True)
ECHO = Candidate("d1", "Rivers", "Vienna lies on the Danube.", True)


def asked(**changes):
    values = {
        "name": "squad2", "id": "q", "text": "Which river flows to the Black Sea?",
        "title": "Rivers", "part": "train", "answerable": True, "answers": ("Danube",),
        "candidates": (NEAR, ANSWERING, SAME, ECHO),
    }  # fmt: skip
    return Asked(**{**values, **changes})


def seen(question, times=60):
    return [pair for seed in range(times) for pair in groups(question, 2, random.Random(seed))]


def test_a_pair_that_answers_has_the_words_of_the_answer():
    good = [pair for pair in seen(asked()) if pair.answers]

    assert {pair.text[slice(*pair.span)] for pair in good} == {"Danube"}


def test_negatives_come_from_what_was_found_and_from_the_same_article():
    assert {pair.text for pair in seen(asked()) if not pair.answers} == {NEAR.text, SAME.text}


def test_a_passage_that_was_not_found_is_no_negative():
    silent = Candidate("d1", "Rivers", "It is long.", True, found=False)

    texts = {pair.text for pair in seen(asked(candidates=(NEAR, ANSWERING, silent)))}

    assert silent.text not in texts


def test_a_question_without_an_answer_gives_only_negatives():
    pairs = seen(asked(answerable=False, answers=()))

    assert pairs
    assert not any(pair.answers or pair.span for pair in pairs)


def test_titles_are_dropped_now_and_then():
    assert {pair.title for pair in seen(asked())} == {"", "Rivers"}


def test_questions_are_also_asked_as_people_type_them():
    forms = {as_typed("Which river flows to the Black Sea?", random.Random(n)) for n in range(60)}

    assert forms == {
        "Which river flows to the Black Sea?",
        "which river flows to the black sea",
        "river flows black sea",
    }


def test_an_article_is_in_one_part_however_its_title_is_written():
    assert part("squad2", "Super Bowl 50") == part("xquad-en", "super_bowl_50")


def test_sets_that_are_held_out_are_only_for_tests():
    assert part("inscit", "Rivers") == part("time", "Any") == "test"


def test_an_article_of_a_test_is_not_trained_on_in_another_set():
    test = asked(name="xquad-en", title="RIVERS", part="test", candidates=())

    assert training([asked(), test]) == []


def test_a_text_of_a_test_is_not_trained_on_under_another_title():
    test = asked(name="xquad-en", title="Streams", part="test")

    assert training([asked(), test]) == []


def test_an_article_of_a_held_out_set_is_not_trained_on():
    assert training([asked()], "train", ["Rivers > Europe"]) == []


def test_the_rest_is_trained_on():
    assert training([asked(), asked(part="tune")]) == [asked()]


def wrongly(question, text, others=(), answers=()):
    return {near_miss(question, text, others, answers, random.Random(n)) for n in range(80)}


def test_a_near_miss_has_another_name_year_or_turn_of_phrase():
    found = wrongly(
        "When did the first ship of Otto Brand reach Lindby in 1904?",
        "In 1904 and 1911 ships of Mr Carl Hahn came to the town of Lindby.",
    )
    assert "When did the last ship of Otto Brand reach Lindby in 1904?" in found
    assert "When did the first ship of Otto Brand reach Lindby in 1911?" in found
    assert any("Carl Hahn" in question for question in found)
    assert any("did not" in question for question in found)
    assert "When did the first ship of Otto Brand reach Lindby in 1904?" not in found


def test_no_near_miss_puts_the_answer_into_the_question():
    text = "It was Carl Hahn who met Otto Brand."
    assert not any(
        "Hahn" in said for said in wrongly("Who met Otto Brand?", text, (), ["Carl Hahn"]) if said
    )


def test_a_question_with_nothing_to_exchange_has_no_near_miss():
    assert wrongly("why", "Rain falls.") == {None}


def test_a_passage_that_answers_is_also_asked_wrongly():
    river = "Which river that flows to the first sea crosses Vienna?"
    pairs = seen(asked(text=river))
    assert any(pair.text == ANSWERING.text and not pair.answers for pair in pairs)


def test_an_unanswerable_question_is_read_with_what_looks_like_its_answer():
    near = Candidate("d1", "Rivers", ECHO.text, False, near=True, plausible=((0, 6),))
    pairs = seen(asked(answerable=False, answers=(), candidates=(near, NEAR)))
    assert (False, (0, 6)) in {(pair.answers, pair.span) for pair in pairs}
