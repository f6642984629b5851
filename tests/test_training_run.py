"""The script that makes the reader, from a data set to a file that reads."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

import numpy as np

from embeddings import adapter
from qa import reading
from qa.model import Citation, Passage
from qa.reader import Reader

ROOT = Path(__file__).parent.parent
OWN = ROOT / "tests" / "data" / "own"

pytestmark = pytest.mark.real


@pytest.fixture
def bench(tmp_path):
    """Our own articles and questions in the layout of the public sets."""
    folder = tmp_path / "bench" / "xquad-en"
    folder.mkdir(parents=True)
    texts = {}
    for path in sorted((OWN / "articles").iterdir()):
        (found,) = reading.read_bytes(path.read_bytes(), path.name, path.name, str(path))
        texts[path.name] = found
    queries, judged = [], ["query-id\tcorpus-id\tscore"]
    for row in map(json.loads, (OWN / "questions.jsonl").read_text().splitlines()):
        name = row.get("source")
        said = [answer for answer in row.get("answers", ()) if answer in texts[name].text]
        spans = [{"doc": name, "start": texts[name].text.index(it), "text": it} for it in said]
        queries.append({**row, "spans": spans})
        if row["answerable"]:
            judged.append(f"{row['_id']}\t{name}\t1")
    corpus = [{"_id": name, "title": it.title, "text": it.text} for name, it in texts.items()]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        text = "\n".join(map(json.dumps, rows))
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "qrels.tsv").write_text("\n".join(judged) + "\n")
    return folder.parent


@pytest.mark.parametrize("processes", [1, 2])
def test_training_on_twenty_questions_writes_a_reader_that_reads(bench, tmp_path, processes):
    out = tmp_path / "reader.safetensors"
    done = subprocess.run(
        [
            sys.executable, "training/train.py", "--bench", bench, "--out", out, "--examples", "20",
            "--epochs", "4", "--processes", str(processes), "--rank", "4",
        ],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (loss,) = [float(line.split()[2]) for line in done.stdout.splitlines() if " loss " in line]
    assert 0 < loss < 10
    trained = adapter.load(out)
    assert all(np.abs(up).max() > 0 for layer in trained.up for up in layer.values())

    text = "The boat leaves from Port Annis."
    where = Citation("a", "Sennoe", "a.txt", None, None, 1, 1, 0, len(text), "0" * 64)
    (said,) = Reader.load(out).read("Where does the boat leave?", [Passage(1, text, where)])
    assert 0 < said.relevance < 1
    assert said.span.text in text
    assert out.stat().st_size < 3_000_000


def test_a_set_without_an_article_to_train_on_says_so(bench, tmp_path):
    folder = bench / "xquad-en"
    kept = [json.loads(line) for line in (folder / "queries.jsonl").read_text("utf-8").splitlines()]
    unanswerable = [row for row in kept if not row["answerable"] and "about" not in row]
    assert unanswerable
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, unanswerable)))
    command = [sys.executable, "training/train.py", "--bench", bench, "--examples", "20"]
    done = subprocess.run(
        [*command, "--out", tmp_path / "reader.safetensors"],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Nothing to train on" in done.stderr.splitlines()[-1]
