from hypothesis import given
from hypothesis import strategies as st

from qa.lexical import question_terms, terms, words


def test_forms_of_a_word_share_a_term():
    assert terms("meet meets meeting") == ["meet"] * 3
    assert terms("Défense DEFENSE défenses") == ["defens"] * 3
    assert terms("Shoigu Shoigu's Shoigu’s") == ["shoigu"] * 3


def test_abbreviations_and_numbers_are_one_term_with_or_without_full_stops():
    assert terms("U.S. US") == ["us", "us"]
    assert terms("3.5") == ["35"]


def test_a_missing_space_after_a_full_stop_parts_two_words():
    assert terms("Monday.They") == ["monday", "they"]


def test_chinese_is_taken_by_characters_so_that_parts_match():
    assert terms("北京大学") == ["北", "京", "大", "学"]


def test_words_of_grammar_are_no_terms_of_a_question():
    assert question_terms("Where will they meet?") == ["meet"]
    assert question_terms("What's the plan, and what isn't?") == ["plan"]


def test_a_question_of_nothing_but_grammar_keeps_its_words():
    assert question_terms("who is it?") == ["who", "is", "it"]


def test_a_question_names_each_term_once():
    assert question_terms("trains, train and training") == ["train"]


@given(st.text())
def test_words_stand_where_they_say(text):
    here = 0
    for start, end, term in words(text):
        assert here <= start < end <= len(text)
        assert term == terms(text[start:end])[0]
        here = end
