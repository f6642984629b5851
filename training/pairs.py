"""Training pairs for the reader, from data sets in BEIR layout.

Every set is indexed by `qa` itself, so that the negatives are what our own retriever takes for
answers. Sets are parted by article, and an article's title decides its part in every set.
"""

import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from near_misses import near_miss

from embeddings.encoder import Vectors
from qa.bot import Bot
from qa.lexical import STOP_WORDS, question_terms, terms
from qa.library import Snapshot
from qa.model import EVERYTHING, Hit, NoiseKind, Passage
from qa.retriever import Query, rank

# Our own articles and questions: what people keep, asked as they ask it.
WRITTEN = Path(__file__).parent / "written"
# Questions of our own on passages of public sets.
MORE = Path(__file__).parent / "more"
# Shares of articles, by the hash of the title, that are kept for tests.
TRAINED = {
    "squad2": 1 / 3, "squadshifts-wiki": 1 / 3, "xquad-en": 1 / 3, "nq-qed": 1 / 5, "clapnq": 1 / 5,
    WRITTEN.name: 1 / 6,
}  # fmt: skip
TUNING = 0.12
HELD_OUT = ("inscit", "cast21", "time", "realtimeqa-2022")
CANDIDATES = 20
# So far down a question is followed that only makes sense with its article at hand.
LIGHT = 400
# Questions of a set of which those outside training are ranked in full and measured.
MEASURED = 2400
# Shares of questions asked in another form, and of groups that are read without their title.
KEY_WORDS, LOWER_CASE, UNTITLED = 0.1, 0.2, 0.15
# Shares of answered questions that are also asked wrongly, and of unanswerable ones that are read
# with the passage they were written about.
ASKED_WRONGLY, WRITTEN_ABOUT = 0.5, 0.75
_PLACES = ("spans", "plausible")
# Sets that share articles.
_SAME_ARTICLES = {"squad2": "xquad-en", "xquad-en": "squad2"}
# An answer of more characters hardly stands in another article by chance.
UNLIKELY = 12


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that the retriever found, or that holds the answer.

    `spans` are `[start, end)` of answers in `text`; `relevant` is what the set says of its article.
    `near` is a passage that an unanswerable question was written about, `plausible` the words in it
    that look like the answer.
    """

    doc: str
    title: str
    text: str
    relevant: bool
    spans: tuple[tuple[int, int], ...] = ()
    dense: float = 0.0
    lexical: float = 0.0
    coverage: float = 0.0
    found: bool = True
    near: bool = False
    plausible: tuple[tuple[int, int], ...] = ()
    score: float = 0.0
    noise: NoiseKind | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a set with its candidates, best first; `part` is train, tune or test.

    `origin` is the set that it comes from, where it is asked of another.
    """

    name: str
    id: str
    text: str
    title: str
    part: str
    answerable: bool
    answers: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage: whether it answers, and where.

    `span` is None when the place is unknown; in a passage that does not answer it is what looks
    most like an answer.
    """

    question: str
    title: str
    text: str
    answers: bool
    span: tuple[int, int] | None = None


def part(name: str, title: str) -> str:
    """The part that an article of a set belongs to."""
    if name not in TRAINED:
        return "test"
    place = int(hashlib.sha256(_plain(title).encode()).hexdigest()[:8], 16) / 2**32
    if place < TRAINED[name]:
        return "test"
    return "tune" if place < TRAINED[name] + TUNING else "train"


def _part(name: str, title: str, question: str) -> str:
    if title or name not in TRAINED:
        return part(name, title)
    # Questions that no article answers are few, and none is for training.
    return "tune" if hashlib.sha256(question.encode()).digest()[0] % 3 == 0 else "test"


def as_typed(question: str, dice: random.Random) -> str:
    """The question as people type it: one in five in lower case, one in ten as key words."""
    chance = dice.random()
    plain = question.lower().rstrip("?. ")
    if chance < KEY_WORDS:
        words = [word for word in plain.split() if word not in STOP_WORDS]
        return " ".join(words) if len(words) > 1 else plain
    return plain if chance < KEY_WORDS + LOWER_CASE else question


def groups(asked: Asked, negatives: int, dice: random.Random) -> list[Pair]:
    """A pair that answers, where there is one, and hard ones that do not.

    The negatives are candidates, the best ones more often, and the passage that answers with a
    question that it nearly answers. A passage of a relevant article that holds the words of an
    answer is left out: it may answer as well.
    """
    titled = dice.random() >= UNTITLED

    def pair(candidate: Candidate, text: str, *, answers: bool) -> Pair:
        spans = candidate.spans if answers else candidate.plausible
        span = min(spans, key=lambda it: it[1] - it[0]) if spans else None
        return Pair(text, candidate.title if titled else "", candidate.text, answers, span)

    bad = [each for each in asked.candidates if each.found and _silent(each, asked)]
    question = as_typed(asked.text, dice)
    pairs = []
    good = _answering(asked)
    if good:
        chosen = dice.choice(good)
        pairs.append(pair(chosen, question, answers=True))
        if dice.random() < ASKED_WRONGLY:
            others = [each.text for each in dice.sample(bad, min(2, len(bad)))]
            wrong = near_miss(asked.text, chosen.text, others, asked.answers, dice)
            if wrong:
                pairs.append(Pair(as_typed(wrong, dice), pairs[0].title, chosen.text, False))
    near = [each for each in bad if each.near]
    if near and dice.random() < WRITTEN_ABOUT:
        return [*pairs, pair(near[0], question, answers=False)]
    wanted = min(len(bad), negatives, 3)
    for low, high in dice.sample(((0, 3), (1, 8), (3, CANDIDATES)), k=wanted):
        pool = bad[low:high] or bad
        pairs.append(pair(dice.choice(pool), question, answers=False))
    return pairs


def _answering(asked: Asked) -> list[Candidate]:
    """The passages that answer, those with the words of the answer before others."""
    if not asked.answerable:
        return []
    spoken = [each for each in asked.candidates if each.spans]
    return spoken or [each for each in asked.candidates if each.relevant][:1]


def _silent(candidate: Candidate, asked: Asked) -> bool:
    """Whether a passage surely does not answer."""
    if not asked.answerable:
        return True
    if candidate.spans:
        return False
    text = candidate.text.casefold()
    holds = any(answer.casefold() in text for answer in asked.answers)
    if candidate.relevant:
        return bool(asked.answers) and not holds and asked.name != "clapnq"
    return not any(len(answer) > UNLIKELY and answer.casefold() in text for answer in asked.answers)


def training(
    asked: Iterable[Asked], part_name: str = "train", held_out: Iterable[str] = ()
) -> list[Asked]:
    """The questions of a part, without those whose article or text is held out in any set.

    Args:
        asked: questions of all parts.
        part_name: train or tune.
        held_out: titles of articles of the sets that are held out whole.
    """
    every = list(asked)
    kept_out = {_plain(title) for title in held_out}
    kept_out |= {_plain(each.title) for each in every if each.part == "test"}
    kept_out -= {""}
    texts = {
        candidate.text
        for each in every
        if each.part == "test"
        for candidate in each.candidates
        if candidate.spans
    }
    return [
        each
        for each in every
        if each.part == part_name
        and _plain(each.title) not in kept_out
        and not any(candidate.text in texts for candidate in each.candidates if candidate.spans)
    ]


def held_out_titles(bench: Path) -> list[str]:
    """The titles of all articles of the sets that are held out whole."""
    return [
        row.get("title") or "" for name in HELD_OUT for row in rows(bench / name / "corpus.jsonl")
    ]


def gather(bench: Path, work: Path, names: Sequence[str], limit: int | None = None) -> list[Asked]:
    """The questions of sets with their candidates; `work` keeps libraries and results."""
    found: list[Asked] = []
    for name in names:
        kept = work / f"{name}-{limit or 'all'}.jsonl"
        if not kept.exists():
            work.mkdir(parents=True, exist_ok=True)
            folder = WRITTEN if name == WRITTEN.name else bench / name
            lines = [json.dumps(asdict(each)) for each in _gathered(folder, work, limit)]
            unfinished = kept.with_suffix(".tmp")
            unfinished.write_text("\n".join(lines), encoding="utf-8")
            unfinished.replace(kept)
        found += [_asked(json.loads(line)) for line in kept.read_text("utf-8").split("\n") if line]
    return found


def _gathered(folder: Path, work: Path, limit: int | None) -> Iterator[Asked]:
    corpus = rows(folder / "corpus.jsonl")
    queries, judged = _questions(folder)
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
        for article in snapshot.articles():
            places[article.id] = snapshot.passages_of(article.id, article.origin)
        near = Near(snapshot, [passage for each in places.values() for passage in each])
        for row, vector in zip(queries, vectors, strict=True):
            relevant = judged.get(row["_id"], set())
            title = titles.get(_article(row, relevant), "")
            own = _part(folder.name, title, row["_id"])
            light = row.get("light", False)
            if own == "train":
                hits = near.hits(row["text"], vector, LIGHT if light else CANDIDATES)
            elif row["_id"] in measured:
                query = Query.of(row["text"], vector, "hybrid", EVERYTHING)
                hits = rank(library, snapshot, query, LIGHT if light else CANDIDATES)
            else:
                continue
            if light:
                doc = _article(row, relevant)
                hits = [hit for hit in hits if hit.citation.article_id == doc]
                if not hits:
                    continue
            candidates = [
                replace(
                    _candidate(hit),
                    relevant=hit.citation.article_id in relevant,
                    spans=_spans(row, hit.passage),
                    near=hit.citation.article_id == row.get("about"),
                    plausible=_plausible(row, hit.passage),
                )
                for hit in hits
            ]
            seen = {candidate.text for candidate in candidates}
            for doc in sorted(relevant | {span["doc"] for span in row.get("spans", [])}):
                candidates += [
                    Candidate(
                        doc, titles[doc], passage.text, True, _spans(row, passage), found=False
                    )
                    for passage in places.get(doc, [])
                    if passage.text not in seen and _told(row, passage)
                ]
            yield Asked(
                folder.name,
                row["_id"],
                row["text"],
                title,
                own,
                row.get("answerable") is not False,
                tuple(row.get("answers", ())),
                tuple(_evidenced(row, candidates)),
            )


def _questions(folder: Path) -> tuple[list[dict[str, Any]], dict[str, set[str]]]:
    """The questions of a set and our own on it, judged or without an answer; and judgements."""
    queries = rows(folder / "queries.jsonl")
    judged = _judged(folder / "qrels.tsv")
    more = MORE / f"{folder.name}.jsonl"
    for row in rows(more) if more.exists() else ():
        queries.append(row)
        if row["answerable"]:
            judged[row["_id"]] = {row["spans"][0]["doc"]}
    kept = [row for row in queries if row["_id"] in judged or row.get("answerable") is False]
    return kept, judged


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
        kept = work / f"{name}-off-topic-{'-'.join(parts)}-{count}.jsonl"
        if not kept.exists():
            lines = [json.dumps(asdict(each)) for each in _foreign(name, work, asked, count, parts)]
            kept.write_text("\n".join(lines), encoding="utf-8")
        found += [_asked(json.loads(line)) for line in kept.read_text("utf-8").split("\n") if line]
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


def _sample(queries: Sequence[dict[str, Any]]) -> set[str]:
    """The questions that are asked for figures: as many as can be measured in minutes."""
    order = sorted(queries, key=lambda row: hashlib.sha256(row["_id"].encode()).digest())
    return {row["_id"] for row in order[:MEASURED]}


def _evidenced(row: dict[str, Any], candidates: list[Candidate]) -> list[Candidate]:
    """For answers without spans, only passages with a sentence of the evidence stay relevant."""
    sentences = row.get("evidence")
    if row.get("spans") or not isinstance(sentences, list):
        return candidates
    kept = [each["text"].strip() for each in sentences]
    return [
        replace(each, relevant=each.relevant and any(text in each.text for text in kept))
        for each in candidates
    ]


def _told(row: dict[str, Any], passage: Passage) -> bool:
    if row.get("spans"):
        return bool(_spans(row, passage))
    return True


def _spans(row: dict[str, Any], passage: Passage) -> tuple[tuple[int, int], ...]:
    """The answers inside a passage, as offsets of its text."""
    where = passage.citation
    found = []
    for span in row.get("spans", []):
        start = span["start"] - where.start
        end = start + len(span["text"])
        if span["doc"] == where.article_id and passage.text[max(0, start) : end] == span["text"]:
            found.append((start, end))
    return tuple(dict.fromkeys(found))


def _plausible(row: dict[str, Any], passage: Passage) -> tuple[tuple[int, int], ...]:
    """What looks like the answer in the passage that the question was written about."""
    if passage.citation.article_id != row.get("about"):
        return ()
    return tuple(
        (passage.text.index(answer), passage.text.index(answer) + len(answer))
        for answer in row.get("plausible_answers", ())
        if passage.text.count(answer) == 1
    )


def _article(row: dict[str, Any], relevant: set[str]) -> str:
    """The document that a question is about."""
    if row.get("spans"):
        return str(row["spans"][0]["doc"])
    return str(row.get("about") or min(relevant, default=""))


def _judged(path: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in path.read_text("utf-8").splitlines()[1:]:
        question, doc, grade = line.split("\t")
        if int(grade) > 0:
            found.setdefault(question, set()).add(doc)
    return found


def rows(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSONL file, which may be packed."""
    packed = path.with_name(path.name + ".gz")
    data = gzip.decompress(packed.read_bytes()) if packed.exists() else path.read_bytes()
    return [json.loads(line) for line in data.splitlines() if line.strip()]


def _asked(row: dict[str, Any]) -> Asked:
    candidates = tuple(
        Candidate(**{**each, **{name: tuple(map(tuple, each[name])) for name in _PLACES}})
        for each in row.pop("candidates")
    )
    return Asked(**{**row, "answers": tuple(row["answers"]), "candidates": candidates})


def _plain(title: str) -> str:
    """A title without case, spaces and punctuation, and without the section after it."""
    return "".join(char for char in title.partition(" > ")[0].casefold() if char.isalnum())
