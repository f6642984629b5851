"""Why a passage came, and why nothing answers, as a person reads it."""

from qa.lexical import unmentioned
from qa.model import Answer, Citation, Hit, Passage, Span
from qa.reasons import why, why_unanswered

TEXT = "The meeting takes place in Vladivostok on 12 September."


def hit(span=None, noise=None, margin=3.0):
    citation = Citation("a", "Leaders", "a.txt", None, None, 1, 1, 0, len(TEXT), "0" * 64)
    place = None if span is None else TEXT.index(span)
    marked = None if span is None else Span(place, place + len(span), span, 0.9)
    signals = {"dense": 0.61, "margin": margin}
    return Hit(1, 0.91, Passage(1, TEXT, citation, noise=noise), marked, signals)


def unanswered(*hits, question="?"):
    words = tuple(unmentioned(question, hits))
    return Answer(question, question, "unanswered", 0.1, hits, 1, words)


def test_a_passage_is_explained_by_what_it_states_says_and_is():
    assert why(hit("Vladivostok"), "Where will the leaders meet?") == (
        "gives a name; says 'leaders', 'meet' as 'meeting'; from the body. "
        "Score 0.91: alike in meaning (cosine) 0.61, its words against none +3.0"
    )


def test_a_date_is_told_from_a_name():
    assert why(hit("12 September"), "when?").startswith("gives a date")


def test_words_that_are_likely_no_answer_are_not_said_to_state_anything():
    assert "gives" not in why(hit("Vladivostok", margin=-2.0), "Where will they meet?")


def test_words_that_the_passage_lacks_are_named():
    assert "does not say 'population'" in why(hit(), "What is the population of Vladivostok?")


def test_what_is_no_prose_is_named():
    assert "a caption, not prose" in why(hit(noise="caption"), "meet")


def test_nothing_answers_because_no_passage_mentions_a_word():
    answer = unanswered(hit(), question="What is the population of Vladivostok?")
    assert why_unanswered(answer) == "No passage found mentions 'population'."


def test_several_words_are_listed():
    answer = unanswered(hit(), question="population and mayor of Sapporo")
    said = "No passage found mentions 'population', 'mayor' or 'Sapporo'."
    assert why_unanswered(answer) == said


def test_nothing_answers_although_all_words_are_there():
    answer = unanswered(hit(), question="Who met in Vladivostok in September?")
    assert answer.unmentioned == ("met",)
    answer = unanswered(hit(), question="Whose meeting in Vladivostok?")
    assert why_unanswered(answer) == "Passages mention its words, but none reads like an answer."


def test_nothing_answers_because_nothing_was_found():
    assert why_unanswered(unanswered()) == "No passage shares a word or a meaning with it."
