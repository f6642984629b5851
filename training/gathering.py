"""Questions of sets with their candidates.

Every set is indexed by `qa` itself, so that the negatives are what our own retriever takes for
answers.
"""

import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from asked import CANDIDATES, Asked, Candidate, cached
from parts import TRAINED, part, part_of_question
from sets import WRITTEN, article, evidenced, plausible, questions, rows, spans, told

from embeddings.encoder import Vectors
from qa.bot import Bot
from qa.lexical import question_terms, terms
from qa.library import Snapshot
from qa.model import EVERYTHING, Hit, Passage
from qa.retriever import Query, rank

# So far down a question is followed that only makes sense with its article at hand.
LIGHT = 400
# Questions of a set of which those outside training are ranked in full and measured.
MEASURED = 2400
# Sets that share articles.
_SAME_ARTICLES = {"squad2": "xquad-en", "xquad-en": "squad2"}


def gather(bench: Path, work: Path, names: Sequence[str], limit: int | None = None) -> list[Asked]:
    """The questions of sets with their candidates; `work` keeps libraries and results."""
    found: list[Asked] = []
    for name in names:
        folder = WRITTEN if name == WRITTEN.name else bench / name
        path = work / f"{name}-{limit or 'all'}.jsonl"
        found += cached(path, _gathered(folder, work, limit))
    return found


def _gathered(folder: Path, work: Path, limit: int | None) -> Iterator[Asked]:
    corpus = rows(folder / "corpus.jsonl")
    queries, judged = questions(folder, {row["_id"] for row in corpus})
    if limit is not None:
        queries = random.Random(0).sample(queries, min(limit, len(queries)))
        kept = set().union(*(judged.get(row["_id"], set()) for row in queries))
        corpus = [row for row in corpus if row["_id"] in kept]
    titles = {row["_id"]: row.get("title") or "" for row in corpus}
    measured = _sample(queries)
    bot = Bot.open(work / f"{folder.name}-{limit or 'all'}", create=True)
    # Half precision is three times as fast, and which passages are hard hangs on no digit.
    with torch.autocast("cpu", dtype=torch.bfloat16):
        bot.add_text("\n".join(json.dumps(row) for row in corpus), "corpus.jsonl")
        vectors = bot.encoder().encode_documents([row["text"] for row in queries])
    library = bot._library  # noqa: SLF001 - the candidates are taken below the public door
    with library.snapshot() as snapshot:
        places: dict[str, list[Passage]] = {}
        for each in snapshot.articles():
            places[each.id] = snapshot.passages_of(each.id, each.origin)
        near = Near(snapshot, [passage for each in places.values() for passage in each])
        for row, vector in zip(queries, vectors, strict=True):
            relevant = judged.get(row["_id"], set())
            title = titles.get(article(row, relevant), "")
            own = part_of_question(folder.name, title, row["_id"])
            light = row.get("light", False)
            if own == "train":
                hits = near.hits(row["text"], vector, LIGHT if light else CANDIDATES)
            elif row["_id"] in measured:
                query = Query.of(row["text"], vector, "hybrid", EVERYTHING)
                hits = rank(library, snapshot, query, LIGHT if light else CANDIDATES)
            else:
                continue
            if light:
                doc = article(row, relevant)
                hits = [hit for hit in hits if hit.citation.article_id == doc]
                if not hits:
                    continue
            yield Asked(
                folder.name,
                row["_id"],
                row["text"],
                title,
                own,
                row.get("answerable") is not False,
                tuple(row.get("answers", ())),
                tuple(_candidates(row, hits, relevant, titles, places)),
            )


def _candidates(
    row: dict[str, Any],
    hits: Sequence[Hit],
    relevant: set[str],
    titles: dict[str, str],
    places: dict[str, list[Passage]],
) -> list[Candidate]:
    """What was found, and after it the passages that answer and were not found."""
    candidates = [
        replace(
            _candidate(hit),
            relevant=hit.citation.article_id in relevant,
            spans=spans(row, hit.passage),
            near=hit.citation.article_id == row.get("about"),
            plausible=plausible(row, hit.passage),
        )
        for hit in hits
    ]
    seen = {candidate.text for candidate in candidates}
    for doc in sorted(relevant | {span["doc"] for span in row.get("spans", [])}):
        candidates += [
            Candidate(doc, titles[doc], passage.text, True, spans(row, passage), found=False)
            for passage in places.get(doc, [])
            if passage.text not in seen and told(row, passage)
        ]
    return evidenced(row, candidates)


def _candidate(hit: Hit) -> Candidate:
    return Candidate(
        hit.citation.article_id,
        hit.citation.title,
        hit.passage.text,
        relevant=False,
        score=round(hit.score, 5),
        noise=hit.passage.noise,
        **{key: round(float(value), 5) for key, value in hit.signals.items()},
    )


def _sample(queries: Sequence[dict[str, Any]]) -> set[str]:
    """The questions that are asked for figures: as many as can be measured in minutes."""
    order = sorted(queries, key=lambda row: hashlib.sha256(row["_id"].encode()).digest())
    return {row["_id"] for row in order[:MEASURED]}


def off_topic(
    work: Path, asked: Sequence[Asked], count: int, parts: Sequence[str] = ("tune", "test")
) -> list[Asked]:
    """Questions of other sets, asked of each set: no article there answers them.

    Args:
        work: keeps the libraries that `gather` made.
        asked: what `gather` gave, of all sets.
        count: questions for each set and part.
        parts: the parts that questions are taken from. For training only passages of articles
            that are trained on are candidates, and none that says the words of an answer.
    """
    found: list[Asked] = []
    for name in dict.fromkeys(each.name for each in asked):
        path = work / f"{name}-off-topic-{'-'.join(parts)}-{count}.jsonl"
        found += cached(path, _foreign(name, work, asked, count, parts))
    return found


def _foreign(
    name: str, work: Path, asked: Sequence[Asked], count: int, parts: Sequence[str]
) -> Iterator[Asked]:
    others = [each for each in asked if each.name not in {name, _SAME_ARTICLES.get(name)}]
    others.sort(key=lambda each: hashlib.sha256(f"{name} {each.id}".encode()).digest())
    bot = Bot.open(work / f"{name}-all")
    library = bot._library  # noqa: SLF001 - as above
    with library.snapshot() as snapshot:
        for own in parts:
            for each in [other for other in others if other.part == own][:count]:
                vector = bot.encoder().encode_query(each.text)
                query = Query.of(each.text, vector, "hybrid", EVERYTHING)
                candidates = tuple(map(_candidate, rank(library, snapshot, query, CANDIDATES)))
                if own == "train":
                    candidates = tuple(_strange(each, candidates))
                yield replace(
                    each, name=name, title="", part=own, answerable=False, answers=(),
                    candidates=candidates, origin=each.name,
                )  # fmt: skip


def _strange(asked: Asked, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    """Those that a question of another set may be trained with."""
    for each in candidates:
        text = each.text.casefold()
        said = any(answer.casefold() in text for answer in asked.answers)
        if not said and all(part(other, each.title) == "train" for other in TRAINED):
            yield each


class Near:
    """The passages of a library by cosine and coverage: nearly our ranking, for many questions."""

    def __init__(self, snapshot: Snapshot, passages: Sequence[Passage]) -> None:
        self._passages = passages
        self._vectors = snapshot.vectors_of([passage.id for passage in passages])
        self._terms = [
            frozenset(terms(f"{passage.citation.title} {passage.text}")) for passage in passages
        ]
        self._idf = snapshot.idf

    def hits(self, question: str, vector: Vectors, count: int) -> list[Hit]:
        """The best candidates for a question, best first."""
        cosines = self._vectors @ vector
        idf = self._idf(question_terms(question))
        whole = sum(idf.values()) or 1.0
        found = []
        for row in np.argsort(-cosines)[: 3 * count].tolist():
            held = sum(value for term, value in idf.items() if term in self._terms[row]) / whole
            found.append((float(cosines[row]) + held, row, held))
        found.sort(reverse=True)
        return [
            Hit(
                place, score, self._passages[row], None,
                {"dense": float(cosines[row]), "coverage": held},
            )
            for place, (score, row, held) in enumerate(found[:count], start=1)
        ]  # fmt: skip
