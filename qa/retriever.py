"""Question to ranked passages: dense and lexical candidates, one weighted sum of their scores."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from qa import locations
from qa.conversation import Leans, Understood
from qa.duplicates import fold
from qa.errors import MismatchedLibrary, ModelError
from qa.lexical import question_terms
from qa.library import Library, Snapshot
from qa.model import EVERYTHING, Filters, Hit, Mode

if TYPE_CHECKING:
    from embeddings.encoder import Encoder, Vectors

# Chosen on one part of public sets and reported on another: docs/quality.md.
LEXICAL_WEIGHT = 0.7
COVERAGE_WEIGHT = 0.3
# What a caption or headline keeps of its score: it outranks only prose that is off the subject.
NOISE_FACTOR = 0.25

# What a passage loses for each point that it is off the subject of a conversation, and from which
# share of the best on it counts as being on it: docs/conversation.md.
_OFF_SUBJECT = {Leans.NOT: (1.0, 0.4), Leans.PARTLY: (2.0, 0.5)}
# The lead of the first article, as a share of its score, where a conversation is about it alone.
_SINGLED_OUT = 0.3

_CANDIDATES = 100
# From so many passages on, words and vectors are searched side by side: a thread costs 0.1 ms.
_APART = 200_000
# FTS5's k1 of BM25: a term can bring at most its idf times k1 + 1.
_K1 = 1.2

_T = TypeVar("_T")
_U = TypeVar("_U")


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched: the question, its terms, its vector unless the mode needs none."""

    text: str
    terms: tuple[str, ...]
    vector: "Vectors | None"
    mode: Mode = "hybrid"
    filters: Filters = EVERYTHING

    @classmethod
    def of(cls, text: str, vector: "Vectors | None", mode: Mode, filters: Filters) -> "Query":
        """A question with its terms."""
        return cls(text, tuple(question_terms(text)), vector, mode, filters)


def load_encoder(name: str | None) -> "Encoder":
    """The encoder of that name, or the default one; a path is taken from where it is given.

    Raises:
        ModelError: it cannot be loaded.
    """
    from embeddings.encoder import load
    from embeddings.errors import EncoderError

    path = locations.expanded(name) if name else None
    try:
        return load(str(path.resolve()) if path and path.is_dir() else name)
    except EncoderError as error:
        raise ModelError(str(error)) from error


def check_encoder(snapshot: Snapshot, encoder: "Encoder", folder: Path) -> None:
    """Holds an encoder against the vectors of a library in `folder`.

    Raises:
        MismatchedLibrary: they come from another one.
    """
    if snapshot.fingerprint != encoder.fingerprint:
        raise MismatchedLibrary(
            f"The library at {folder} was encoded by {snapshot.encoder}, not by {encoder.name} as "
            f"loaded now. Open it with its own model, or encode it again.",
            command=f"qa reindex --model {encoder.name}",
        )


def rank(library: Library, snapshot: Snapshot, query: Query, top_k: int) -> list[Hit]:
    """The best `top_k` passages, best first, ties by passage id, near-duplicates folded."""
    signals = _signals(library, snapshot, query, _candidates(top_k))
    return _hits(snapshot, signals, _scores(signals, query.mode), top_k)


def rank_understood(
    library: Library,
    snapshot: Snapshot,
    understood: Understood,
    query_of: Callable[[str], Query],
    top_k: int,
) -> list[Hit]:
    """As `rank`, for a question that may come after others.

    The questions before say what is on the subject, the question itself which of that answers. All
    are searched as one where the question says too little, or where it leans on those before and
    they single out one article. The signals are those of the question as it is understood.

    Args:
        library: is searched.
        snapshot: its version.
        understood: the question, with what came before.
        query_of: makes a query of a text.
        top_k: how many passages at most.
    """
    if not understood.context:
        return rank(library, snapshot, query_of(understood.searched), top_k)
    count = _candidates(top_k)
    before = _without_chatter(query_of(understood.context))
    subject = _signals(library, snapshot, before, count)
    if _is_about_all(snapshot, understood.leans, _scores(subject, before.mode)):
        hits = rank(
            library, snapshot, query_of(f"{understood.searched} {understood.context}"), top_k
        )
    else:
        query = query_of(understood.searched)
        signals = _signals(library, snapshot, query, count, list(subject))
        subject = _signals(library, snapshot, before, count, list(signals))
        on_subject = _scores(subject, before.mode)
        weight, share = _OFF_SUBJECT[understood.leans]
        least = share * max(on_subject.values(), default=0.0)
        scores = {
            key: score - weight * max(0.0, least - on_subject.get(key, 0.0))
            for key, score in _scores(signals, query.mode).items()
        }
        hits = _hits(snapshot, signals, scores, top_k)
    if understood.leans is Leans.NOT:
        return hits
    ids = [hit.passage.id for hit in hits]
    seen = _signals(library, snapshot, query_of(understood.text), count, ids)
    return [replace(hit, signals=seen[hit.passage.id]) for hit in hits]


def _is_about_all(snapshot: Snapshot, leans: Leans, subject: Mapping[int, float]) -> bool:
    """Whether a question is about the one thing that those before it were about."""
    if leans is not Leans.PARTLY:
        return leans is Leans.WHOLLY
    order = sorted(subject, key=lambda key: (-subject[key], key))
    articles = {
        key: (passage.citation.article_id, passage.citation.source)
        for key, passage in snapshot.passages(order).items()
    }
    second = next((key for key in order if articles[key] != articles[order[0]]), None)
    if second is None:
        return bool(order)
    return subject[order[0]] - subject[second] >= _SINGLED_OUT * subject[order[0]]


def _without_chatter(query: Query) -> Query:
    """The query without words about asking, which several questions repeat."""
    from qa.phrases import content

    terms = dict.fromkeys(term for _, _, term in content(query.text))
    return replace(query, terms=tuple(terms) or query.terms)


def _candidates(top_k: int) -> int:
    return max(_CANDIDATES, 2 * top_k)


def _scores(signals: Mapping[int, Mapping[str, float]], mode: Mode) -> dict[int, float]:
    return {passage_id: fused(found, mode) for passage_id, found in signals.items()}


def _hits(
    snapshot: Snapshot,
    signals: Mapping[int, Mapping[str, float]],
    scores: dict[int, float],
    top_k: int,
) -> list[Hit]:
    noise = snapshot.noise(list(scores))
    scores.update((key, min(scores[key], scores[key] * NOISE_FACTOR)) for key in noise)
    order = sorted(scores, key=lambda passage_id: (-scores[passage_id], passage_id))
    hits: list[Hit] = []
    # Copies take places among the best, so twice as many are looked at each time too few are left.
    looked_at = top_k + _CANDIDATES // 10
    while True:
        passages = snapshot.passages(order[:looked_at])
        folded = fold(passages.values())[:top_k]
        if len(folded) == top_k or looked_at >= len(order):
            break
        looked_at *= 2
    for place, (passage, copies) in enumerate(folded, start=1):
        hits.append(
            Hit(place, scores[passage.id], passage, None, signals[passage.id], tuple(copies))
        )
    return hits


def fused(signals: Mapping[str, float], mode: Mode) -> float:
    """One score from the signals of a passage; in hybrid mode their weighted mean."""
    if mode != "hybrid":
        return signals[mode]
    weighted = (
        signals["dense"]
        + LEXICAL_WEIGHT * signals["lexical"]
        + COVERAGE_WEIGHT * signals["coverage"]
    )
    return weighted / (1.0 + LEXICAL_WEIGHT + COVERAGE_WEIGHT)


def _signals(
    library: Library, snapshot: Snapshot, query: Query, k: int, others: Sequence[int] = ()
) -> dict[int, dict[str, float]]:
    """What each side says of each candidate that either of them found, and of the others.

    dense is the cosine, lexical BM25 as a share of the most that the question's terms could bring,
    coverage the share of their rareness (idf) that the passage holds.
    """
    words = library.words(snapshot)
    idf = words.idf(query.terms)
    rareness = sum(idf.values()) or 1.0  # a lone accent or sound mark is a question without a term

    def by_words() -> dict[int, float]:
        if query.mode == "dense":
            return {}
        found = words.lexical(query.terms, k, query.filters)
        return {passage_id: score / (rareness * (_K1 + 1)) for passage_id, score in found}

    if query.vector is None:
        lexical = by_words()
        return {key: {"lexical": lexical.get(key, 0.0)} for key in {*lexical, *others}}
    vectors = library.vectors(snapshot)
    near = partial(vectors.search, query.vector, k, library.allowed(snapshot, query.filters))
    nearest, lexical = _both(near, by_words, apart=len(vectors) > _APART)
    dense = dict(nearest)
    dense |= _cosines(snapshot, query.vector, [key for key in others if key not in dense])
    if query.mode == "dense":
        return {passage_id: {"dense": score} for passage_id, score in dense.items()}
    dense |= _cosines(snapshot, query.vector, [key for key in lexical if key not in dense])
    held = words.held(query.terms, list(dense))
    return {
        passage_id: {
            "dense": score,
            "lexical": lexical.get(passage_id, 0.0),
            "coverage": sum(idf[term] for term in idf if term in held[passage_id]) / rareness,
        }
        for passage_id, score in dense.items()
    }


def _both(one: Callable[[], _T], other: Callable[[], _U], *, apart: bool) -> tuple[_T, _U]:
    """What two steps give, the first in a thread of its own where that pays."""
    if not apart:
        return one(), other()
    with ThreadPoolExecutor(1) as pool:
        begun = pool.submit(one)
        second = other()
        return begun.result(), second


def _cosines(snapshot: Snapshot, vector: "Vectors", ids: Sequence[int]) -> dict[int, float]:
    if not ids:
        return {}
    return dict(zip(ids, (snapshot.vectors_of(ids) @ vector).tolist(), strict=True))
