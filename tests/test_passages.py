import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from qa.model import Article, Noise
from qa.passages import MAX_CHARACTERS, for_encoder, split
from qa.sentences import paragraphs, sentences


def tokens(texts):
    return [[match.span() for match in re.finditer(r"\w+|[^\w\s]", text)] for text in texts]


def article(text, title="Title"):
    return Article("a", "a.txt", title, text)


def cut(text, limit=24, noise=()):
    return split(article(text), noise, tokens, limit)


def texts(text, **options):
    return [text[piece.start : piece.end] for piece in cut(text, **options)]


PIECES = [
    "Kim will visit Russia. ", "He said: “We agree.” ", "\n\n", "\r\n\r\n", "\r", "\n", "\0", " ",
    "👩‍👩‍👧‍👦", "👍🏽", "e\u0301",
    "नमस्ते", "שלום עולם. ", "مرحبا ", "東京です。", "\u2028", "\u00a0",
    "x" * 400, "Dr. No. ", "\ufffd", "\u202e", "a", ". ", "!? ", "# Heading\n",
]  # fmt: skip
any_text = st.lists(st.sampled_from(PIECES) | st.text(max_size=12), max_size=30).map("".join)


@given(any_text, st.integers(1, 60), st.data())
@example("x" * 5000, 16, None)
@example("é " * 3000, 16, None)
def test_slices_are_disjoint_ordered_within_limits_and_miss_only_white_space(text, limit, data):
    noise = []
    if data is not None and text:
        borders = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
        pairs = zip(borders[::2], borders[1::2], strict=False)
        noise = [Noise(a, b, "caption") for a, b in pairs]
    pieces = cut(text, limit, noise)
    covered = [False] * len(text)
    here = 0
    for piece in pieces:
        passage = text[piece.start : piece.end]
        assert here <= piece.start < piece.end
        assert passage == passage.strip()
        assert len(passage) <= MAX_CHARACTERS
        assert sum(len(t) for t in tokens([passage[a:b] for a, b in piece.sentences])) <= limit
        assert piece.line == 1 + len(re.findall(r"\r\n|\r|\n", text[: piece.start]))
        assert (piece.sentences[0][0], piece.sentences[-1][1]) == (0, len(passage))
        covered[piece.start : piece.end] = [True] * len(passage)
        here = piece.end
    assert all(seen or char.isspace() for seen, char in zip(covered, text, strict=True))


@given(any_text)
def test_sentences_of_a_slice_are_exact_and_leave_out_only_white_space(text):
    for piece in cut(text):
        passage = text[piece.start : piece.end]
        joined = "".join(passage[a:b] for a, b in piece.sentences)
        assert "".join(joined.split()) == "".join(passage.split())


def test_short_paragraphs_stand_together_and_long_ones_are_cut_at_sentences():
    text = "One two three.\n\nFour five six.\n\n" + "Seven eight nine ten. " * 8
    assert texts(text) == [
        "One two three.\n\nFour five six.",
        ("Seven eight nine ten. " * 4).strip(),
        ("Seven eight nine ten. " * 4).strip(),
    ]


def test_a_paragraph_that_fits_is_never_split_over_two_passages():
    text = "A b c d e f g h i j k l.\n\n" + "M n o p q r s t u v w x."
    assert texts(text) == text.split("\n\n")


def test_noise_stands_alone_so_that_prose_never_borrows_its_words():
    caption = "Kim will meet Putin. Credit: AP"
    text = f"They talked.\n\n{caption}\n\nThey ate."
    start = text.index(caption)
    pieces = cut(text, noise=[Noise(start, start + len(caption), "caption")])
    found = [(text[piece.start : piece.end], piece.noise) for piece in pieces]
    assert found == [("They talked.", None), (caption, "caption"), ("They ate.", None)]


def test_a_heading_goes_with_what_it_heads():
    text = "A b c d e f g h i j.\n\n## The plan\n\n" + "K l m n o p q r s t u v w x."
    assert texts(text) == ["A b c d e f g h i j.", "## The plan\n\nK l m n o p q r s t u v w x."]


def test_passages_say_their_paragraph_and_line_whatever_the_line_ends():
    for end in ("\n", "\r\n", "\r"):
        text = f"A b c d e f g h i j.{end}{end}{end}K l m n o p q r s t u."
        assert [(p.paragraph, p.line) for p in cut(text, 12)] == [(1, 1), (2, 4)]


def test_a_megabyte_without_a_space_becomes_many_passages():
    pieces = cut("x" * 1_000_000, 128)
    assert sum(piece.end - piece.start for piece in pieces) == 1_000_000
    assert max(piece.end - piece.start for piece in pieces) <= MAX_CHARACTERS


@pytest.mark.parametrize("row", ["." * 200_000, "!?" * 100_000, '."' * 100_000])
def test_a_row_of_marks_however_long_is_split_like_any_other_text(row):
    # Read again from each mark, as it was once, the longest of these would take half an hour.
    pieces = cut(f"See page{row}3. Turn it.", 128)
    assert sum(piece.end - piece.start for piece in pieces) >= len(row)
    assert parted(f"See page{row}3. Turn it.") == [f"See page{row}3.", "Turn it."]


def test_a_cut_never_parts_a_letter_from_its_marks():
    text = "e\u0301" * 4000
    assert all(text[piece.start] == "e" for piece in cut(text, 128))


def test_the_title_is_given_to_the_encoder_before_the_passage():
    assert for_encoder("Kim in Russia", "He came by train.") == "Kim in Russia. He came by train."
    assert for_encoder("", "He came by train.") == "He came by train."


def parted(text):
    return [text[a:b] for a, b in sentences(text)]


def test_sentences_end_at_marks_but_not_at_abbreviations_initials_and_numbers():
    assert parted("It opens Sept. 10-13. Dr. Kim met J. Finer of the U.S. Navy at 3.5 p.m.") == [
        "It opens Sept. 10-13.",
        "Dr. Kim met J. Finer of the U.S. Navy at 3.5 p.m.",
    ]
    assert parted("George H.W. Bush and B.R. Ambedkar met. So did J. F. K.") == [
        "George H.W. Bush and B.R. Ambedkar met.",
        "So did J. F. K.",
    ]
    assert parted("He left the U.S. The talks went on. “Why?” he asked. No. 5 won.") == [
        "He left the U.S.",
        "The talks went on.",
        "“Why?” he asked.",
        "No. 5 won.",
    ]


def test_sentences_of_lists_break_at_each_item_and_of_wrapped_lines_do_not():
    assert parted("Bring:\n- bread\n- wine") == ["Bring:", "- bread", "- wine"]
    assert parted("They will meet\nin the city. Then\nthey eat.") == [
        "They will meet\nin the city.",
        "Then\nthey eat.",
    ]


def test_chinese_sentences_need_no_spaces():
    assert parted("東京です。大阪です。") == ["東京です。", "大阪です。"]


def test_paragraphs_are_what_blank_lines_part():
    text = " \n\nOne\ntwo\n \t\nThree\r\n\r\nFour\n"
    assert [text[a:b] for a, b in paragraphs(text)] == ["One\ntwo", "Three", "Four"]
