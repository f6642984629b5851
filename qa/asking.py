"""A question put to a library: what a search finds, the answer made of it, and how sure that is."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from qa import calibration, confidence, joining, lexical, retriever
from qa.conversation import Conversation, Understood
from qa.library import Library
from qa.model import Answer, Filters, Hit, Mode

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from qa.reader import Reads


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what it is asked of, and how.

    `reader` is the name of what will read the best passages, None if nothing does.
    """

    question: str
    understood: Understood
    top_k: int
    mode: Mode
    filters: Filters
    reader: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, in which version, and the calibration that was kept there."""

    hits: list[Hit]
    version: int
    took_ms: Mapping[str, float]
    calibration: str | None


def understood(question: str, conversation: Conversation | None) -> Understood:
    """The question as it is understood after others, if there were any."""
    if not conversation:
        return Understood.alone(question)
    # Most questions are the first of theirs: they need no rules.
    from qa.understanding import understand

    return understand(question, conversation)


def search(library: Library, load: "Callable[[], Encoder]", asked: Asked) -> Found:
    """The passages nearest to a question, best first: at least `top_k`, and all that may be read.

    Args:
        library: is searched.
        load: gives the encoder of the library; it is not called where the mode needs none.
        asked: the question.

    Raises:
        MismatchedLibrary: the library's vectors come from another encoder.
    """
    began = time.perf_counter()
    encoder = None if asked.mode == "lexical" else load()
    encoding = time.perf_counter() - began

    def query_of(text: str) -> retriever.Query:
        nonlocal encoding
        started = time.perf_counter()
        vector = encoder.encode_query(text) if encoder else None
        encoding += time.perf_counter() - started
        return retriever.Query.of(text, vector, asked.mode, asked.filters)

    count = asked.top_k if asked.reader is None else max(asked.top_k, joining.READ)
    with library.snapshot() as snapshot:
        if encoder:
            # Another process may have encoded the library anew since the encoder was loaded.
            retriever.check_encoder(snapshot, encoder, library.folder)
        hits = retriever.rank_understood(library, snapshot, asked.understood, query_of, count)
        version = snapshot.version
        kept = snapshot.kept(calibration.kept_as(asked.mode, asked.reader))
    searching = time.perf_counter() - began - encoding
    took_ms = {"encode": encoding * 1e3, "search": searching * 1e3}
    return Found(hits, version, took_ms, kept)


def answer(asked: Asked, found: Found, reader: "Reads | None") -> Answer:
    """What was found, read and joined, with the confidence that ships; it is still to be judged."""
    hits, took_ms, said = found.hits, found.took_ms, asked.understood
    if reader and hits:
        began = time.perf_counter()
        hits = joining.read(reader, said.text, hits, asked.top_k)
        took_ms = {**took_ms, "read": (time.perf_counter() - began) * 1e3}
    made = Answer(
        question=asked.question,
        understood_as=said.text,
        carried=said.carried,
        status="unanswered",
        confidence=(joining if reader else confidence).of(hits, asked.mode),
        hits=tuple(hits[: asked.top_k]),
        unmentioned=tuple(lexical.unmentioned(said.searched, hits)),
        library_version=found.version,
        took_ms=took_ms,
    )
    if not reader:
        return made
    from qa.agreement import agree

    return replace(made, agreement=agree(made.hits, said.text))


def judged(asked: Asked, found: Found, made: Answer, least: float | None) -> Answer:
    """The answer with the library's own confidence, if it was calibrated, and whether it answers.

    Args:
        asked: the question.
        found: what the answer was made of.
        made: the answer.
        least: the confidence below which it is unanswered; None takes the calibrated one.
    """
    sure = made.confidence
    threshold = (confidence if asked.reader is None else joining).threshold(asked.mode)
    if found.calibration:
        calibrated = calibration.from_json(found.calibration)
        sure, threshold = calibrated.of(sure), calibrated.threshold
    answers = bool(made.hits) and sure >= (threshold if least is None else least)
    return replace(made, confidence=sure, status="answered" if answers else "unanswered")
