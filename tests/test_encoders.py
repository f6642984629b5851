"""The real encoders; the toy ones need no test."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embeddings import notes
from embeddings.encoder import load
from embeddings.errors import EncoderError
from embeddings.sentence import SentenceEncoder
from embeddings.threads import settle
from embeddings.weights import NAME

pytestmark = pytest.mark.real

WORDS = (
    "the leaders will meet in a city far to the east of naïve 東京 😀 U.S. trade 1,234 agreements "
    "about anti-tank weapons, food-aid and e\u0301clairs שלום नमस्ते antidisestablishmentarianism"
).split()


@pytest.fixture(scope="module")
def encoder():
    return load()


def passages(count):
    """Texts of a fixed order: most of a paragraph's length, some cut off at 256 tokens, some odd."""
    dice = np.random.default_rng(7)
    lengths = [0, 300, *dice.geometric(0.04, count - 6)]
    texts = [" ".join(dice.choice(WORDS, length)) for length in lengths]
    return [*texts, "", "\x00\ufffd", "x" * 5000, " \n\t "]


def test_numpy_and_sentence_transformers_agree_on_200_passages(encoder):
    texts = passages(200)
    ours = np.concatenate(
        [encoder.encode_documents(texts[:100]), encoder.encode_documents(texts[100:])]
    )
    theirs = encoder._sentence().encode_documents(texts)
    assert (ours * theirs).sum(axis=1).min() >= 0.99999
    assert np.allclose(np.linalg.norm(ours, axis=1), 1.0, atol=1e-5)


def test_half_precision_stays_near_enough_to_share_an_index():
    slow = load()._sentence()
    texts = passages(40)
    exact, half = (slow._encoded(texts, half=kind) for kind in (False, True))
    assert not np.array_equal(exact, half)
    assert (exact * half).sum(axis=1).min() >= 0.9995


def test_whether_half_precision_pays_is_measured_once_and_remembered(monkeypatch, tmp_path):
    monkeypatch.setattr(notes, "_path", lambda name: tmp_path / name)
    tried = []
    monkeypatch.setattr(
        SentenceEncoder, "_tried", lambda _, texts: tried.append(len(texts)) is None
    )
    texts = ["The leaders will meet."] * 256
    first, second = (load()._sentence() for _ in range(2))

    vectors = [each.encode_documents(texts) for each in (first, second)]

    assert tried == [16]
    assert first._half
    assert second._half
    assert np.array_equal(*vectors)


def test_a_question_has_the_vector_of_the_same_passage(encoder):
    (passage,) = encoder.encode_documents(["where will they meet?"])
    assert encoder.encode_query("where will they meet?") @ passage == pytest.approx(1.0, abs=1e-5)


def test_the_vector_of_a_text_does_not_depend_on_its_neighbours(encoder):
    texts = passages(20)
    together = encoder.encode_documents(texts)
    for text, vector in zip(texts, together, strict=True):
        assert np.allclose(encoder.encode_documents([text])[0], vector, atol=1e-5)


def test_alike_texts_are_nearer_than_others(encoder):
    question = encoder.encode_query("Where is the summit held?")
    near, far = encoder.encode_documents(
        ["The leaders will meet in Geneva.", "Rice should be rinsed before it is cooked."]
    )
    assert question @ near > question @ far + 0.2


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_token_offsets_stand_in_order_inside_the_text_and_are_never_cut_off(text):
    (offsets,) = load().token_offsets([text])
    here = 0
    for start, end in offsets:
        assert here <= start <= end <= len(text)
        here = start
    (many,) = load().token_offsets(["word " * 2000])
    assert len(many) == 2000


def test_progress_counts_every_text(encoder):
    counts = []
    encoder.encode_documents(passages(10), counts.append)
    encoder._sentence().encode_documents(passages(10), counts.append)
    assert sum(counts) == 20


def test_encoding_nothing_gives_no_rows(encoder):
    assert encoder.encode_documents([]).shape == (0, 384)
    assert encoder.token_offsets([]) == []


def test_a_question_imports_no_torch():
    script = (
        "import sys; from embeddings.encoder import load; load().encode_query('where?');"
        "print(*{'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"


def test_a_model_that_cannot_be_had_offline_is_one_line_that_names_it(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EncoderError, match="The model no/such-model cannot be had") as caught:
        load("no/such-model")
    assert "\n" not in str(caught.value)


def test_a_hub_out_of_reach_is_one_line_soon_and_nothing_on_stderr(monkeypatch, capfd):
    from huggingface_hub import constants

    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")  # the discard port: closed
    begin = time.monotonic()
    with pytest.raises(EncoderError, match=r"no/such-model cannot be had .* connect") as caught:
        load("no/such-model")
    assert "\n" not in str(caught.value)
    assert time.monotonic() - begin < 30
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", "{}"),
        ("config.json", "not JSON"),
        ("config.json", '{"model_type": "bert", "hidden_size": "wide"}'),
        ("modules.json", '[{"idx": 0, "name": "0", "path": "", "type": "os.system"}]'),
        ("notes.txt", "no model at all"),
    ],
)
def test_a_folder_without_a_whole_model_is_one_line_that_names_it(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(EncoderError, match="holds no whole model") as caught:
        load(str(tmp_path))
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_to_nowhere_is_not_asked_of_the_hub():
    with pytest.raises(EncoderError, match=r"There is no folder '\./nowhere'"):
        load("./nowhere")


def test_a_model_without_a_fast_tokenizer_is_refused():
    with pytest.raises(EncoderError, match="old-model has no fast tokenizer"):
        SentenceEncoder("old-model", SimpleNamespace(tokenizer=object()))


@pytest.fixture(scope="module")
def asymmetric(tmp_path_factory):
    """The default weights, saved with a prompt for questions and one for passages."""
    from sentence_transformers import SentenceTransformer

    from embeddings.weights import default_weights

    model = SentenceTransformer(str(default_weights().folder))
    model.prompts = {"query": "query: ", "document": "passage: "}
    folder = tmp_path_factory.mktemp("model")
    model.save(str(folder))
    return str(folder)


def test_a_model_at_a_path_uses_its_own_prompts_and_has_its_own_fingerprint(asymmetric, encoder):
    model = load(asymmetric)
    assert model.name == asymmetric
    assert model.fingerprint not in {encoder.fingerprint, load(NAME).fingerprint}
    text = "where will they meet?"
    assert model.encode_query(text) @ encoder.encode_query(f"query: {text}") > 0.9999
    (passage,) = model.encode_documents([text])
    assert passage @ encoder.encode_query(f"passage: {text}") > 0.9999
    assert load(asymmetric).fingerprint == model.fingerprint


def test_a_prompt_takes_its_tokens_from_the_passage(asymmetric):
    assert load(asymmetric).max_tokens == 256 - len(["passage", ":"])


def test_a_model_in_a_folder_has_the_same_name_from_everywhere(asymmetric, monkeypatch):
    monkeypatch.chdir(Path(asymmetric).parent)
    model = load(f"./{Path(asymmetric).name}")
    assert model.name == asymmetric
    assert model.fingerprint == load(asymmetric).fingerprint


def test_loading_a_model_leaves_the_libraries_as_loud_as_they_were(asymmetric, capfd):
    from transformers.utils import logging

    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    load(asymmetric)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before
    assert capfd.readouterr().err == ""


def test_threads_may_share_a_model(asymmetric):
    model = load(asymmetric)
    texts = passages(12)
    alone = [model.encode_query(text) for text in texts]
    with ThreadPoolExecutor(4) as pool:
        offsets = [pool.submit(model.token_offsets, ["word " * 400]) for _ in texts]
        vectors = list(pool.map(model.encode_query, texts))
    assert np.allclose(vectors, alone, atol=1e-5)
    assert {len(found.result()[0]) for found in offsets} == {400}


def test_threads_are_settled_unless_the_environment_says_how(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    settle()
    assert (os.environ["OMP_WAIT_POLICY"], os.environ["OPENBLAS_NUM_THREADS"]) == ("PASSIVE", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS")
    settle()
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
