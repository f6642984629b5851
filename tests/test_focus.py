from hypothesis import given
from hypothesis import strategies as st

from qa.focus import snippet
from qa.lexical import question_terms
from qa.model import Citation, Passage, Span
from qa.sentences import paragraphs, sentences

TEXT = (
    "The harbour of Orvo was busy. Gulls sat on the quay and cried. "
    "The ferry Sula will sail again on 3 October. Its owner said so. Nobody was surprised. "
    "In winter the ferry does not sail at all."
)


def passage(text, borders=None):
    cited = Citation("a", "T", "a.txt", None, None, 1, 1, 0, len(text), "0" * 64)
    if borders is None:
        borders = tuple(b for block in paragraphs(text) for b in sentences(text, *block))
    return Passage(1, text, cited, borders)


def span_of(text, words):
    start = text.index(words)
    return Span(start, start + len(words), words, 0.9)


def shown(text, words, question, max_characters):
    span = span_of(text, words) if words else None
    terms = frozenset(question_terms(question))
    return [text[a:b] for a, b in snippet(passage(text), span, terms, max_characters)]


def test_a_passage_that_fits_is_shown_whole():
    assert shown(TEXT, "3 October", "when does it sail?", 320) == [TEXT]


def test_the_sentence_of_the_span_is_shown_however_long_it_is():
    assert shown(TEXT, "3 October", "when does it sail?", 10) == [
        "The ferry Sula will sail again on 3 October."
    ]


def test_the_rest_goes_to_sentences_with_terms_not_yet_shown_and_then_to_neighbours():
    assert shown(TEXT, "3 October", "does the ferry sail in winter?", 90) == [
        "The ferry Sula will sail again on 3 October.",
        "In winter the ferry does not sail at all.",
    ]
    assert shown(TEXT, "3 October", "when?", 70) == [
        "The ferry Sula will sail again on 3 October. Its owner said so."
    ]


def test_a_neighbour_in_another_paragraph_is_left_out_unless_it_is_asked_for():
    text = "Gulls cried in the harbour.\n\nThe ferry sails on 3 October.\n\nIts owner said so."
    assert shown(text, "3 October", "when?", 60) == ["The ferry sails on 3 October."]
    assert shown(text, "3 October", "what did the owner say?", 60) == [
        "The ferry sails on 3 October.\n\nIts owner said so."
    ]


def test_without_a_span_the_sentence_with_most_terms_is_shown():
    assert shown(TEXT, None, "gulls on the quay", 40) == ["Gulls sat on the quay and cried."]


def test_a_passage_without_sentences_of_its_own_is_split_here():
    span = span_of(TEXT, "3 October")
    assert snippet(passage(TEXT, ()), span, frozenset(), 50) == ((63, 107),)


def test_a_passage_of_white_space_has_nothing_to_show():
    assert snippet(passage(" \n "), None, frozenset({"a"})) == ()


@given(st.data())
def test_stretches_are_ordered_inside_the_text_and_hold_the_span(data):
    text = data.draw(st.text(alphabet="ab .!?\n東。é", min_size=1, max_size=120))
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    with_span = data.draw(st.booleans()) and bool(text[start:end].strip())
    room = data.draw(st.integers(1, 120))
    span = Span(start, end, text[start:end], 0.5) if with_span else None
    if span and text[start:end].strip() != text[start:end]:
        return
    found = snippet(passage(text), span, frozenset({"a", "ab"}), room)
    borders = [offset for stretch in found for offset in stretch]
    assert borders == sorted(borders)
    assert all(0 <= a < b <= len(text) for a, b in found)
    assert bool(found) == bool(text.strip())
    if span:
        assert sum(a <= start and end <= b for a, b in found) == 1
    ends = {offset for border in passage(text).sentences for offset in border}
    if span is None:
        assert set(borders) <= ends
    assert len(found) <= 1 or sum(b - a for a, b in found) <= room
