"""Which reader a name means: our own, a cross-encoder, or a question answering model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qa import locations
from qa.errors import ModelError
from qa.model import DEFAULT_READER, Passage
from qa.reader import Reader, Reading, Reads, marked, probability

if TYPE_CHECKING:
    from embeddings.pairs import PairScorer, SpanScorer, Window


def load(name: str | Path) -> Reads:
    """The reader of that name: "default", a file of our own, a model's folder or its hub name.

    Raises:
        ModelError: it cannot be loaded, or does not read.
    """
    if name == DEFAULT_READER:
        return Reader.load()
    path = locations.expanded(name)
    if path.is_file() or path.suffix == ".safetensors":
        return Reader.load(path)
    if not path.is_dir() and (isinstance(name, Path) or name.startswith((".", "/", "~"))):
        raise ModelError(
            f"There is no file or folder '{name}'. Give a reader's file, a model's folder or its "
            "hub name."
        )
    return _of_others(str(path))


def _of_others(name: str) -> Reads:
    from embeddings import pairs
    from embeddings.errors import EncoderError

    try:
        found = pairs.load(name)
    except EncoderError as error:
        raise ModelError(str(error)) from error
    return SpanReader(found) if isinstance(found, pairs.SpanScorer) else RelevanceReader(found)


@dataclass(frozen=True, slots=True)
class RelevanceReader:
    """Reads with a CrossEncoder: how relevant a passage is, and no words of it."""

    scorer: "PairScorer"

    @property
    def name(self) -> str:
        """The model's folder or hub name."""
        return self.scorer.name

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """What each passage says to the question, in the order of the passages."""
        logits = self.scorer.logits(question, [_titled(passage) for passage in passages])
        return [Reading(probability(logit), None, logit) for logit in logits]


@dataclass(frozen=True, slots=True)
class SpanReader:
    """Reads with an extractive question answering model: the words, and whether they answer."""

    scorer: "SpanScorer"

    @property
    def name(self) -> str:
        """The model's folder or hub name."""
        return self.scorer.name

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """What each passage says to the question, in the order of the passages."""
        found = self.scorer.windows(question, [passage.text for passage in passages])
        return [
            _read(passage.text, windows) for passage, windows in zip(passages, found, strict=True)
        ]


def _titled(passage: Passage) -> str:
    title = passage.citation.title.strip()
    return f"{title}. {passage.text}" if title else passage.text


def _read(text: str, windows: "Sequence[Window]") -> Reading:
    # As in SQuAD 2.0: a window without the answer says "not here" too, so the least of them counts.
    null = min(window.null for window in windows)
    found = (marked(text, each.offsets, each.first, each.last, null) for each in windows)
    span, answerable = max(found, key=lambda one: one[1])
    return Reading(probability(answerable), span, answerable)
