import pytest

from qa.kinds import misfit


@pytest.mark.parametrize(
    ("question", "fits", "does_not"),
    [
        ("where will they meet?", "Lisbon", "September"),
        ("When did it open?", "4 May 2021", "Amos Tredwick"),
        ("In what year did it open?", "2021", "Amos Tredwick"),
        ("How many seals were counted?", "two hundred", "Amos Tredwick"),
        ("how long is the pier", "200 metres", "Amos Tredwick"),
        ("why did she leave?", "because it rained", "1998"),
        ("who runs it?", "Amos Tredwick", "12 June"),
        ("Which city is it in?", "Lisbon", "1998"),
    ],
)
def test_words_of_another_kind_than_asked_for_fit_ill(question, fits, does_not):
    assert misfit(question, fits) == 0.0
    assert misfit(question, does_not) < -1.0


def test_a_question_that_asks_for_no_kind_is_answered_by_any():
    said = ("1998", "Lisbon", "two hundred", "because it rained")
    assert [misfit("what does it say?", words) for words in said] == [0.0] * 4
