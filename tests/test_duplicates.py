from qa.duplicates import fold
from qa.model import Citation, Passage

TEXT = (
    "Moscow has confirmed a planned meeting between the two leaders in the far east of the land, "
    "according to a statement that the government published on its website on Monday evening"
)


def passage(number, text, article="a"):
    citation = Citation(article, "T", f"{article}.txt", None, None, 1, 1, 0, len(text), "0" * 64)
    return Passage(number, text, citation)


def folded(*passages):
    return [(kept.id, [copy.article_id for copy in copies]) for kept, copies in fold(passages)]


def test_a_copy_in_another_article_is_folded_and_its_citation_kept():
    copy = TEXT.replace("planned", "scheduled") + "."
    assert folded(passage(1, TEXT), passage(2, copy, "b"), passage(3, TEXT, "c")) == [
        (1, ["b", "c"])
    ]


def test_passages_that_differ_in_a_number_a_name_or_a_negation_are_not_copies():
    for word, other in (("two", "2"), ("Monday", "Tuesday"), ("has", "has not")):
        assert folded(passage(1, TEXT), passage(2, TEXT.replace(word, other), "b")) == [
            (1, []),
            (2, []),
        ]


def test_an_article_that_repeats_itself_is_not_folded():
    assert folded(passage(1, TEXT), passage(2, TEXT)) == [(1, []), (2, [])]


def test_passages_on_one_subject_in_other_words_are_not_copies():
    other = "The government said on its website that the leaders would meet in the far east"
    assert folded(passage(1, TEXT), passage(2, other, "b")) == [(1, []), (2, [])]


def test_passages_of_a_word_or_two_are_compared_as_they_are():
    assert folded(passage(1, "yes"), passage(2, "yes", "b"), passage(3, "well", "c")) == [
        (1, ["b"]),
        (3, []),
    ]
