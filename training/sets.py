"""Data sets in BEIR layout: what a set asks, and what it says of an article and a passage."""

import gzip
import json
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

from asked import Candidate

from qa.model import Passage

# Our own articles and questions: what people keep, asked as they ask it.
WRITTEN = Path(__file__).parent / "written"
# Questions of our own on passages of public sets.
MORE = Path(__file__).parent / "more"


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file, which may be packed."""
    packed = path.with_name(path.name + ".gz")
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def questions(
    folder: Path, docs: Container[str]
) -> tuple[list[dict[str, Any]], dict[str, set[str]]]:
    """The questions of a set and our own on it, judged or without an answer; and judgements.

    Args:
        folder: the set's.
        docs: the ids of its articles; our own questions on others are left out.
    """
    queries = rows(folder / "queries.jsonl")
    judged = _judged(folder / "qrels.tsv")
    more = MORE / f"{folder.name}.jsonl"
    for row in rows(more) if more.exists() else ():
        if article(row, set()) not in docs:
            continue
        queries.append(row)
        if row["answerable"]:
            judged[row["_id"]] = {row["spans"][0]["doc"]}
    kept = [row for row in queries if row["_id"] in judged or row.get("answerable") is False]
    return kept, judged


def _judged(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in path.read_text("utf-8").splitlines()[1:]:
        question, doc, grade = line.split("\t")
        if int(grade) > 0:
            found.setdefault(question, set()).add(doc)
    return found


def article(row: dict[str, Any], relevant: set[str]) -> str:
    """The document that a question is about."""
    if row.get("spans"):
        return str(row["spans"][0]["doc"])
    return str(row.get("about") or min(relevant, default=""))


def spans(row: dict[str, Any], passage: Passage) -> tuple[tuple[int, int], ...]:
    """The answers inside a passage, as offsets of its text."""
    where = passage.citation
    found = []
    for span in row.get("spans", []):
        start = span["start"] - where.start
        end = start + len(span["text"])
        if span["doc"] == where.article_id and passage.text[max(0, start) : end] == span["text"]:
            found.append((start, end))
    return tuple(dict.fromkeys(found))


def plausible(row: dict[str, Any], passage: Passage) -> tuple[tuple[int, int], ...]:
    """What looks like the answer in the passage that the question was written about."""
    if passage.citation.article_id != row.get("about"):
        return ()
    return tuple(
        (passage.text.index(answer), passage.text.index(answer) + len(answer))
        for answer in row.get("plausible_answers", ())
        if passage.text.count(answer) == 1
    )


def told(row: dict[str, Any], passage: Passage) -> bool:
    """Whether a passage of a relevant article may hold the answer."""
    if row.get("spans"):
        return bool(spans(row, passage))
    return True


def evidenced(row: dict[str, Any], candidates: list[Candidate]) -> list[Candidate]:
    """For answers without spans, only passages with a sentence of the evidence stay relevant."""
    sentences = row.get("evidence")
    if row.get("spans") or not isinstance(sentences, list):
        return candidates
    kept = [each["text"].strip() for each in sentences]
    return [
        replace(each, relevant=each.relevant and any(text in each.text for text in kept))
        for each in candidates
    ]
