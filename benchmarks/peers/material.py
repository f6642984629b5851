"""The passages and questions that all are measured on."""

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PUBLIC = ("xquad-en", "nq-qed")


@dataclass(frozen=True, slots=True)
class Question:
    """A question, and the ids of the passages that answer it."""

    text: str
    right: frozenset[str]


@dataclass(frozen=True, slots=True)
class Material:
    """A file of passages and questions about them; `judged` unless qa has learned from them."""

    name: str
    passages: Path
    count: int
    questions: Sequence[Question]
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Source:
    """Files of articles, and questions as the public sets or the samples have them."""

    name: str
    articles: Sequence[Path]
    asked: Sequence[Mapping[str, Any]]
    judged: bool = True


def sources(sets: Path) -> Iterator[Source]:
    """The sample articles, then the public sets that are there, else the articles of training."""
    asked = sets / "seeds" / "questions.jsonl"
    asked = asked if asked.is_file() else HERE / "questions.jsonl"
    yield Source("seeds", sorted((ROOT / "seeds").glob("*.txt")), list(read(asked)))
    there = [name for name in PUBLIC if (sets / name).is_dir()]
    for place in [sets / name for name in there] or [ROOT / "training" / "written"]:
        (corpus,) = place.glob("corpus.jsonl*")
        (queries,) = place.glob("queries.jsonl*")
        yield Source(place.name, [corpus], list(read(queries)), judged=bool(there))


def cut(source: Source, folder: Path, passages: int, questions: int) -> Material:
    """Cuts articles into a file in the folder, and samples questions that its passages answer."""
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / f"{source.name}.jsonl"
    # In a process of its own: what this one weighs would count as the peak of those it starts.
    command = [sys.executable, str(HERE / "cut.py"), str(out), str(passages)]
    subprocess.run([*command, *map(str, source.articles)], check=True)
    rows = list(read(out))
    found = [Question(row["text"], _right(row, rows)) for row in source.asked]
    found = [question for question in found if question.right]
    if len(found) > questions:
        found = random.Random(1).sample(found, questions)
    return Material(source.name, out, len(rows), found, source.judged)


def _right(question: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Passages that hold where an answer begins, or one of the given words."""
    spans = question.get("spans", ())
    words = question.get("any_of", ())
    return frozenset(
        row["id"]
        for row in rows
        if any(
            span["doc"] == row["article"] and row["start"] <= span["start"] < row["end"]
            for span in spans
        )
        or any(word in row["text"] for word in words)
    )


def read(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, gzipped or not."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)
