"""Readers of others: tiny models of each kind, made here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import ToyEncoder

from embeddings.weights import default_weights
from qa import Bot
from qa.errors import ModelError
from qa.model import Citation, Passage
from qa.reader import Reader, probability
from qa.readers import load

pytestmark = pytest.mark.real

QUESTION = "where will they meet?"
# Most of the tokens that the tiny models take at once are less than a long passage's.
POSITIONS = 64
ODD = [
    "The ministers of both countries will meet in Lisbon on Monday.",
    "",
    " \n\t ",
    "\u200b",
    "cafe\u0301 in “Lisbon” 😀 部長会議 antidisestablishmentarianism",
    "x" * 300,
    "They met. " * 100,
]


def passage(text, title=""):
    where = Citation("a", title, "a.txt", None, None, 1, 1, 0, len(text), "")
    return Passage(1, text, where)


def made(folder, kind, change=lambda _model: None, **config):
    """A folder with a tiny model of random weights and the default model's tokenizer."""
    import torch
    import transformers

    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(default_weights().folder / "tokenizer.json"),
        model_max_length=POSITIONS, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]",
        unk_token="[UNK]", mask_token="[MASK]",
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    torch.manual_seed(7)
    sizes = {
        "vocab_size": 30522, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
        "intermediate_size": 64, "max_position_embeddings": POSITIONS,
    }  # fmt: skip
    model = getattr(transformers, kind)(transformers.BertConfig(**sizes, **config))
    with torch.no_grad():
        change(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def edited(folder, **values):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    return folder


def scorer_of(logit):
    """A change that gives a cross-encoder one logit for everything."""

    def change(model):
        model.classifier.weight.zero_()
        model.classifier.bias.fill_(logit)

    return change


def pointer_to(word):
    """A change that makes one word the likeliest answer wherever it stands, and [CLS] score 0.

    Attention and feed-forward add nothing, so that a token is its own word's row to the end.
    """

    def change(model):
        from transformers import AutoTokenizer

        rows = model.bert.embeddings
        tokenizer = AutoTokenizer.from_pretrained(default_weights().folder)
        for weights in (rows.word_embeddings, rows.position_embeddings, rows.token_type_embeddings):
            weights.weight.zero_()
        rows.word_embeddings.weight[tokenizer.convert_tokens_to_ids(word), :2] = 1.0
        rows.word_embeddings.weight[tokenizer.convert_tokens_to_ids(word), 2:4] = -1.0
        for layer in model.bert.encoder.layer:
            for part in (layer.attention.output.dense, layer.output.dense):
                part.weight.zero_()
                part.bias.zero_()
        model.qa_outputs.weight.zero_()
        model.qa_outputs.weight[:, :2] = 1.0
        model.qa_outputs.bias.zero_()

    return change


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folders of tiny models, each made once."""
    root = tmp_path_factory.mktemp("models")
    spans, scores = "BertForQuestionAnswering", "BertForSequenceClassification"
    return {
        "spans": made(root / "spans", spans),
        "lisbon": made(root / "lisbon", spans, pointer_to("lisbon")),
        "scores": made(root / "scores", scores, num_labels=1),
        "two": made(root / "two", scores, scorer_of(2.0), num_labels=1),
        "three labels": made(root / "labels", scores, num_labels=3),
        "encoder": made(root / "encoder", "BertModel"),
        "masked": made(root / "masked", "BertForMaskedLM"),
    }


@pytest.fixture(scope="module", params=["spans", "scores"])
def reader(request, folders):
    return load(folders[request.param])


def same(one, other):
    assert one.relevance == pytest.approx(other.relevance, abs=1e-5)
    assert one.answerable == pytest.approx(other.answerable, abs=1e-4)
    assert (one.span and one.span.text) == (other.span and other.span.text)


def test_each_passage_has_its_reading_in_its_place(reader):
    readings = reader.read(QUESTION, [passage(text) for text in ODD])

    assert len(readings) == len(ODD)
    for text, reading in zip(ODD, readings, strict=True):
        same(reading, reader.read(QUESTION, [passage(text)])[0])


@settings(max_examples=25)
@given(st.lists(st.text(max_size=200), max_size=4), st.text(max_size=80))
def test_spans_are_exact_and_relevance_is_a_probability(reader, texts, question):
    readings = reader.read(question, [passage(text) for text in texts])

    for text, reading in zip(texts, readings, strict=True):
        assert 0 <= reading.relevance <= 1
        assert reading.relevance == pytest.approx(probability(reading.answerable))
        if reading.span is not None:
            assert text[reading.span.start : reading.span.end] == reading.span.text != ""


def test_reading_again_says_the_same(reader):
    passages = [passage(text) for text in ODD]

    assert reader.read(QUESTION, passages) == reader.read(QUESTION, passages)


def test_a_question_as_long_as_may_be_asked_leaves_room_for_the_passage(reader):
    for question in ("where " * 333, "x" * 2000, "?" * 2000):
        assert len(reader.read(question, [passage(ODD[0])])) == 1


def test_a_question_answering_model_marks_the_word_that_it_points_to(folders):
    (reading,) = load(folders["lisbon"]).read(QUESTION, [passage(ODD[0], title="Of Lisbon")])

    assert (reading.span.start, reading.span.text) == (ODD[0].index("Lisbon"), "Lisbon")
    # Of a row with two 1, two -1 and 28 zeros LayerNorm makes each 1 sqrt(8); the first and the last
    # token each sum two of them, and [CLS] is 0.
    assert reading.answerable == pytest.approx(4 * 8**0.5, rel=1e-3)
    assert reading.relevance == pytest.approx(probability(reading.answerable))


@pytest.mark.parametrize("before", [0, 40, 60, 333, 1000])
def test_a_long_passage_is_read_to_its_end(folders, before):
    text = "They met. " * before + "In Lisbon. " + "They left. " * 50

    (reading,) = load(folders["lisbon"]).read(QUESTION, [passage(text)])

    assert (reading.span.start, reading.span.text) == (text.index("Lisbon"), "Lisbon")
    assert reading.answerable > 0


def test_the_words_of_the_question_are_no_answer(folders):
    here, not_here = load(folders["lisbon"]).read(
        "Lisbon or Athens?", [passage("In Lisbon."), passage("In Athens.")]
    )

    assert here.answerable > 0 >= not_here.answerable


def test_the_relevance_of_a_cross_encoder_is_the_sigmoid_of_its_logit_once(folders):
    (reading,) = load(folders["two"]).read(QUESTION, [passage(ODD[0])])

    assert reading.span is None
    assert reading.answerable == pytest.approx(2.0)
    assert reading.relevance == pytest.approx(0.880797, abs=1e-6)


@pytest.mark.parametrize("end", ["Sigmoid", "Identity"])
def test_the_logit_is_raw_whatever_a_cross_encoder_ends_in(folders, tmp_path, end):
    import torch
    from sentence_transformers import CrossEncoder

    ending = getattr(torch.nn, end)()
    CrossEncoder(str(folders["two"]), activation_fn=ending).save_pretrained(str(tmp_path))

    (reading,) = load(tmp_path).read(QUESTION, [passage(ODD[0])])

    assert reading.answerable == pytest.approx(2.0)


def test_a_cross_encoder_reads_the_title_before_the_text(folders):
    reader = load(folders["scores"])
    titled, joined, bare = reader.read(
        QUESTION, [passage(ODD[0], "A summit"), passage(f"A summit. {ODD[0]}"), passage(ODD[0])]
    )

    same(titled, joined)
    assert titled.answerable != pytest.approx(bare.answerable, abs=1e-6)


def test_a_reader_has_a_name(folders, monkeypatch):
    monkeypatch.chdir(folders["spans"].parent)

    assert load("default").name == "default"
    assert load("./spans").name == load(folders["spans"]).name == str(folders["spans"])
    assert load("scores").name == str(folders["scores"])


def test_a_file_of_ours_has_its_own_name(tmp_path):
    import qa.reader

    shipped = Path(qa.reader.__file__).with_name("reader.safetensors")
    (tmp_path / "mine.bin").symlink_to(shipped)

    assert isinstance(load(tmp_path / "mine.bin"), Reader)
    assert load(tmp_path / "mine.bin").name == "mine.bin"


@pytest.mark.parametrize("kind", ["lisbon", "two"])
def test_a_bot_answers_with_it(folders, tmp_path, kind):
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=str(folders[kind]), create=True)
    for name in ("one", "two"):
        bot.add_text(f"A summit of {name}\n\nThey will meet in Lisbon, said {name}.", f"{name}.txt")

    answer = bot.ask(QUESTION)

    marked = {hit.span and hit.span.text for hit in answer.hits if "Lisbon" in hit.passage.text}
    assert marked == {"Lisbon" if kind == "lisbon" else None}
    assert 0 <= answer.confidence <= 1


def line(name):
    """The error that loading gives, one line without a traceback's words."""
    with pytest.raises(ModelError) as caught:
        load(name)
    said = str(caught.value)
    assert "\n" not in said
    assert "Traceback" not in said
    return said


def test_a_model_of_another_kind_is_refused(folders):
    said = line(folders["masked"])

    assert f"The model {folders['masked']} is made for BertForMaskedLM, not for reading" in said
    assert "Give a CrossEncoder" in said


def test_a_configuration_without_a_kind_is_refused(folders, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')

    assert "is made for nothing, not for reading" in line(tmp_path)


def test_a_cross_encoder_of_several_labels_is_refused(folders):
    assert "has 3 labels, and one is needed" in line(folders["three labels"])


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("BertForQuestionAnswering", "qa_outputs.bias"),
        ("BertForSequenceClassification", "classifier.bias"),
    ],
)
def test_a_model_whose_head_was_not_trained_is_refused(folders, tmp_path, kind, head, capfd):
    made(tmp_path, "BertModel", num_labels=1)
    edited(tmp_path, architectures=[kind])
    capfd.readouterr()

    said = line(tmp_path)

    assert f"{tmp_path} was not trained to read: its file has no weights for {head}" in said
    assert capfd.readouterr() == ("", "")


def test_a_model_with_code_of_its_own_is_refused_and_the_code_not_run(folders, tmp_path):
    folder = made(tmp_path / "model", "BertForQuestionAnswering")
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    edited(folder, model_type="own", auto_map={"AutoConfig": "own.Config"})

    assert "brings code of its own, which is not run" in line(folder)
    assert not (tmp_path / "ran").exists()


def test_a_cross_encoder_with_modules_of_its_own_is_refused_and_they_are_not_run(folders, tmp_path):
    from sentence_transformers import CrossEncoder

    folder = tmp_path / "model"
    CrossEncoder(str(folders["scores"])).save_pretrained(str(folder))
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    (folder / "modules.json").write_text('[{"idx": 0, "name": "0", "path": "", "type": "own.Own"}]')

    assert f"The folder {folder} holds no whole model" in line(folder)
    assert not (tmp_path / "ran").exists()


def test_loading_is_silent_even_where_the_libraries_warn(folders, tmp_path, capfd, caplog):
    for file in folders["two"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    # Taken for a SentenceTransformer that becomes a CrossEncoder, which is worth a warning to them.
    (tmp_path / "modules.json").write_text("[]")
    capfd.readouterr()
    load(tmp_path)

    assert capfd.readouterr() == ("", "")
    assert caplog.messages == []


@pytest.mark.parametrize("kind", ["spans", "scores"])
@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_damaged_folder_is_named(folders, tmp_path, kind, name):
    for file in folders[kind].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 50 if file.name == name else None])

    assert f"The folder {tmp_path} holds no whole model" in line(tmp_path)


def test_a_folder_without_a_model_is_named(tmp_path):
    (tmp_path / "notes.txt").write_text("no model at all")
    said = line(tmp_path)

    assert f"The folder {tmp_path} holds no whole model" in said
    assert "there is no config.json" in said


@pytest.mark.parametrize("lacks", ["fast tokenizer", "padding token"])
def test_a_tokenizer_that_lacks_what_reading_needs_is_refused(folders, monkeypatch, lacks):
    from types import SimpleNamespace

    import transformers

    tokenizer = SimpleNamespace(is_fast=lacks != "fast tokenizer", pad_token=None)
    monkeypatch.setattr(transformers.AutoTokenizer, "from_pretrained", lambda *_, **__: tokenizer)

    assert f"has no {lacks}, which" in line(folders["spans"])


def test_a_hub_name_that_cannot_be_had_is_one_line_that_names_it(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    said = line("no/such-reader")

    assert "The model no/such-reader cannot be had" in said
    assert "connect to the network" in said


@pytest.mark.parametrize("name", ["./nowhere", "~/no/where", "/no/where"])
def test_a_path_to_nowhere_is_not_asked_of_the_hub(name):
    assert f"There is no file or folder '{name}'" in line(name)


def test_a_missing_file_of_ours_is_named():
    assert "nowhere.safetensors" in line("nowhere.safetensors")


def test_nothing_is_written_to_the_terminal(folders):
    script = (
        "import sys; from qa.readers import load; from test_other_readers import ODD, passage\n"
        "for name in sys.argv[1:]: load(name).read('where?', [passage(text) for text in ODD])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folders["spans"]), str(folders["scores"])],
        capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("", "")
