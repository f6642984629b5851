from hypothesis import given
from hypothesis import strategies as st

from qa.duplicates import ALIKE, fold
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


@given(st.lists(st.lists(st.sampled_from("abcd"), min_size=1, max_size=12), max_size=8))
def test_nothing_that_is_alike_is_missed(texts):
    def runs(text):
        words = text.split()
        return {tuple(words[at : at + 3]) for at in range(len(words) - 2)} or {tuple(words)}

    def alike(one, other):
        return len(runs(one) & runs(other)) >= ALIKE * len(runs(one) | runs(other))

    passages = [passage(n, " ".join(words), str(n)) for n, words in enumerate(texts)]
    kept = []
    for each in passages:
        if not any(alike(each.text, other.text) for other in kept):
            kept.append(each)
    assert [each.id for each, _ in fold(passages)] == [each.id for each in kept]
