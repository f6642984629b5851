"""The growth benchmark works; what it measures is judged by nobody here."""

import importlib.util
import json
from pathlib import Path

import pytest
from toy import ToyEncoder

import qa.library


@pytest.fixture
def growth():
    path = Path(__file__).parent.parent / "benchmarks" / "growth.py"
    spec = importlib.util.spec_from_file_location("growth", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_library_is_grown_and_measured(growth, tmp_path, monkeypatch):
    monkeypatch.setattr(qa.library, "_SMALL", 100)
    folder = tmp_path / "sets" / "toy"
    folder.mkdir(parents=True)
    texts = [f"word{n} word{n * 7 % 13} word{n % 5} and more of it" for n in range(60)]
    for name, records in (("corpus", texts), ("queries", texts[:20])):
        lines = (json.dumps({"_id": str(n), "text": text}) for n, text in enumerate(records))
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    passages, questions = growth.read(tmp_path / "sets", 50, 10)
    assert (len(passages), len(questions)) == (50, 10)
    encoder = ToyEncoder()
    rows = list(
        growth.measure(
            tmp_path,
            (40, 200),
            (passages, encoder.encode_documents(passages)),
            (questions, encoder.encode_documents(questions)),
        )
    )
    assert [row.passages for row in rows] == [40, 200]
    assert [row.recall for row in rows] == [1.0, 1.0]
    assert rows[0].words_mb == 0 < rows[1].words_mb
    report = growth.table(rows, "toy")
    assert "Texts of toy." in report
    assert "| 200 | " in report
    assert "40 to 200: " in report


def test_a_folder_without_sets_is_told(growth, tmp_path):
    with pytest.raises(SystemExit, match=r"No corpus\.jsonl and queries\.jsonl"):
        growth.read(tmp_path, 5, 5)
