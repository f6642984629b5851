"""What the reader is trained on, as tokens, and how it is measured."""

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import numpy as np
import torch
from asked import Asked
from average import mean
from evaluate import Read, auroc, ece, exact, fit, overlap
from network import padded
from pairs import Pair
from train import example

from embeddings.encoder import default_model
from qa.joining import Weights
from qa.model import Citation, Hit, Passage, Span
from qa.reader import Reading

TEXT = "The Danube, which rises in Germany, flows to the Black Sea."


def tokens(pair):
    _, tokenizer = default_model()
    return example(tokenizer, pair)


def said(found, text):
    first, last = (place - found.tokens.begin for place in found.place)
    return text[found.tokens.offsets[first][0] : found.tokens.offsets[last][1]]


@pytest.mark.parametrize("answer", ["The Danube", "Germany", "Black Sea"])
def test_the_place_of_an_answer_covers_its_words(answer):
    start = TEXT.index(answer)

    found = tokens(Pair("which river?", "Rivers", TEXT, True, (start, start + len(answer))))

    assert said(found, TEXT) == answer


def test_a_pair_that_does_not_answer_points_to_its_first_token():
    assert tokens(Pair("which river?", "", TEXT, False)).place == (0, 0)


def test_an_answer_beyond_the_longest_input_has_no_place():
    text = "water " * 400 + "Danube"

    found = tokens(Pair("which river?", "", text, True, (len(text) - 6, len(text))))

    assert found.place is None
    assert len(found.tokens.ids) == 256


def test_words_on_both_sides_are_told_apart():
    found = tokens(Pair("which sea?", "Sea", "Black Sea", True, (0, 5))).tokens

    # [CLS] which sea ? [SEP] sea . black sea [SEP]
    assert found.kinds == [0, 0, 3, 0, 0, 4, 1, 2, 5, 2]


def test_padding_is_masked():
    short, long = (tokens(Pair("why?", "", text, False)).tokens for text in ("a", "a b c"))

    ids, kinds, mask = padded([short, long])

    assert ids.shape == kinds.shape == mask.shape == (2, len(long.ids))
    assert mask.sum(1).tolist() == [len(short.ids), len(long.ids)]


def test_an_answer_is_compared_without_case_articles_and_punctuation():
    assert exact("The Danube.", ["danube"])
    assert not exact("the Black Sea", ["danube"])
    assert overlap("the blue Danube", ["Danube"]) == pytest.approx(2 / 3)
    assert overlap("Rhine", ["Danube"]) == 0


def test_auroc_is_the_share_of_pairs_in_order():
    assert auroc([3, 2], [1, 0]) == 1
    assert auroc([1], [1]) == 0.5
    assert auroc([2, 0], [1]) == 0.5


def question(number, *, answerable=True, name="squad2"):
    """Retrieval puts the wrong passage first by a little, reading is sure of the right one."""
    scores = (0.5, 0.48) if answerable else (0.3, 0.2)
    hits = tuple(hit(place, score) for place, score in enumerate(scores))
    readings = (reading(0.1, -4.0), reading(0.9, 4.0) if answerable else reading(0.1, -4.0))
    asked = Asked(name, str(number), "which river?", "", "tune", answerable, (), ())
    return Read(asked, hits, readings, (False, answerable), None)


def hit(place, score):
    where = Citation("a", "T", "", None, None, 1, 1, 0, 4, "")
    signals = {"dense": score, "lexical": score, "coverage": score}
    return Hit(place + 1, score, Passage(place, "text", where), signals=signals)


def reading(relevance, margin):
    return Reading(relevance, Span(0, 4, "text", 0.5), margin)


def test_weights_are_fitted_to_put_passages_that_answer_first_and_to_be_sure_of_them():
    reads = [question(number) for number in range(20)]
    reads += [question(number, answerable=False) for number in range(20)]
    untouched = Weights(0.0, 0.0, 0.0, {})
    assert not any(each.right(untouched) for each in reads)

    fitted = fit(reads)

    assert [each.right(fitted) for each in reads] == [True] * 20 + [False] * 20
    sure = [each.confidence(fitted) for each in reads]
    assert min(sure[:20]) > 0.8
    assert max(sure[20:]) < 0.2


def test_the_calibration_error_is_the_gap_between_told_and_right():
    told = np.array([0.8] * 10 + [0.0] * 10)
    assert ece(told, np.array([True] * 8 + [False] * 12)) == pytest.approx(0)
    assert ece(told, np.array([False] * 20)) == pytest.approx(0.4)


def test_the_mean_of_readers_is_that_of_their_changes():
    def made(seed):
        torch.manual_seed(seed)
        return {"a.down": torch.randn(2, 6), "a.up": torch.randn(5, 2), "bias": torch.randn(3)}

    one, other = made(1), made(2)
    same = mean([one, one], [1, 1])
    assert torch.allclose(
        same["a.up"].float() @ same["a.down"].float(), one["a.up"] @ one["a.down"], atol=1e-2
    )
    # Of rank four, the mean is as near as two ranks come: nearer than either of the two.
    both = mean([one, other], [1, 3])
    wanted = (one["a.up"] @ one["a.down"] + 3 * other["a.up"] @ other["a.down"]) / 4
    gap = torch.dist(both["a.up"].float() @ both["a.down"].float(), wanted)
    assert gap < torch.dist(other["a.up"] @ other["a.down"], wanted)
    assert torch.allclose(both["bias"].float(), (one["bias"] + 3 * other["bias"]) / 4, atol=1e-2)
