"""Data sets in BEIR layout: `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` or `qrels/test.tsv`.

Each file may be packed and end in `.gz`.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qa.errors import QaError
from qa.evaluation.figures import Qrels, any_relevant


@dataclass(frozen=True, slots=True)
class DataSet:
    """A corpus as JSONL, questions by id, and what is relevant to those judged.

    The questions that are not judged have no answer in the corpus.
    """

    corpus: bytes
    questions: Mapping[str, str]
    qrels: Qrels


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a conversation, and as a person rewrote it to stand alone, if one did."""

    id: str
    question: str
    rewrite: str | None


def conversations(folder: Path) -> dict[str, list[Asked]]:
    """The conversations of a set by id, their questions in the order in which they were asked.

    Raises:
        QaError: there is no `conversations.jsonl`, or it is not what it should be.
    """
    talks: dict[str, list[Asked]] = {}
    for place, row in _rows(_file(folder, "conversations.jsonl")):
        try:
            turns = [
                Asked(str(turn["_id"]), str(turn["q"]), turn.get("rewrite") or None)
                for turn in row["turns"]
            ]
            talks[str(row["_id"])] = turns
        except (KeyError, TypeError, AttributeError) as error:
            raise QaError(
                f'{place} is no conversation. Write {{"_id": …, "turns": [{{"_id": …, "q": …}}]}}.'
            ) from error
    return talks


def load(folder: Path) -> DataSet:
    """The questions of a set that are judged, or known to have no answer in it.

    Raises:
        QaError: a file is missing or not what it should be.
    """
    if not folder.is_dir():
        raise QaError(f"No folder at {folder}. Give one that holds corpus.jsonl and qrels.tsv.")
    corpus = _bytes(_file(folder, "corpus.jsonl"))
    qrels = _qrels(_file(folder, "qrels.tsv", "qrels/test.tsv"))
    questions = {}
    for place, row in _rows(_file(folder, "queries.jsonl")):
        if not (isinstance(row, dict) and "_id" in row and isinstance(row.get("text"), str)):
            raise QaError(f'{place} has no question. Write {{"_id": …, "text": …}}.')
        if str(row["_id"]) in qrels or row.get("answerable") is False:
            questions[str(row["_id"])] = row["text"]
    unasked = qrels.keys() - questions.keys()
    if unasked:
        raise QaError(
            f"{folder} judges {len(unasked)} questions that queries.jsonl lacks, such as "
            f"{min(unasked)!r}. Check that both files are of one set."
        )
    return DataSet(corpus, questions, qrels)


def _file(folder: Path, *names: str) -> Path:
    """The first of the files that is there, packed or not."""
    for name in names:
        for path in (folder / name, folder / f"{name}.gz"):
            if path.is_file():
                return path
    raise QaError(f"No {' or '.join(names)} in {folder}. Give a folder in BEIR layout.")


def _bytes(path: Path) -> bytes:
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if path.suffix == ".gz" else data
    except (OSError, EOFError, zlib.error) as error:
        raise QaError(f"Cannot read {path}: {error}. Check the file.") from error


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    """The values of a JSONL file, each with its place."""
    for number, line in enumerate(_bytes(path).splitlines(), start=1):
        if line.strip():
            try:
                yield f"{path} line {number}", json.loads(line)
            except ValueError as error:
                raise QaError(
                    f"{path} line {number} is no JSON: {error}. Write one object a line."
                ) from error


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    """Grades by question and article; questions without a relevant article are left out."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in enumerate(_bytes(path).splitlines(), start=1):
        if number == 1 or not line.strip():
            continue  # the first line is a header
        fields = line.decode("utf-8", "replace").split("\t")
        try:
            question, article, grade = fields[0], fields[1], int(fields[2])
        except (IndexError, ValueError) as error:
            raise QaError(
                f"{path} line {number} is no judgement. Write question, article and a whole "
                "number, with tabs between them."
            ) from error
        qrels.setdefault(question, {})[article] = grade
    return {question: grades for question, grades in qrels.items() if any_relevant(grades)}
