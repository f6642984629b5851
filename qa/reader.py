"""Reads a question with passages: does it answer, with which words, or not at all."""

import math
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from qa.errors import ModelError
from qa.kinds import asks_who_that_is
from qa.lexical import STOP_WORDS
from qa.model import DEFAULT_READER, Passage, Span
from qa.sentences import paragraphs, sentences

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from embeddings.adapter import Adapter, Pair, Scores
    from embeddings.bert import Bert, Floats

LONGEST_SPAN = 30

# What a passage without a single token says: nothing.
_SILENT = -30.0
_DANGLING = ",;:!?–—-…|/"
# A full stop stays with what it shortens: "the U.S.", "Acme Inc."
_DOTTED = re.compile(r"(?:^|[\s(])(?:(?:[^\W\d_]\.){2,}|(?:Jr|Sr|Inc|Ltd|Co|Corp|Bros)\.)$")
_QUOTES = "“‘«\"'"
_PARTNERS = {"(": ")", "[": "]", "{": "}", "“": "”", "‘": "’", "«": "»", '"': '"', "'": "'"}
_OPENING = {close: opened for opened, close in _PARTNERS.items()}
# From here on scripts are written without spaces, and a token is a character.
_UNSPACED = "\u2e80"
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading says of one passage.

    `relevance` is the probability that the passage answers. `span` are the words most likely to be
    the answer, whether or not there is one; `answerable` says by how much they beat "not here", in
    logits: above 0 the passage seems to answer.
    """

    relevance: float
    span: Span | None
    answerable: float


class Reads(Protocol):
    """Reads a question with passages."""

    @property
    def name(self) -> str:
        """Tells this reader from others."""

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """What each passage says to the question, in the order of the passages."""


class Reader:
    """Reads passages with the default encoder's weights, changed for reading; threads may share it.

    Example:
        >>> reader = Reader.load()  # doctest: +SKIP
        >>> reader.read("where will they meet?", passages)[0].span.text  # doctest: +SKIP
    """

    def __init__(
        self, name: str, model: "Bert", adapter: "Adapter", tokenizer: "Tokenizer"
    ) -> None:
        self.name = name
        self._model = model
        self._adapter = adapter
        self._tokenizer = tokenizer

    @classmethod
    def load(cls, path: Path | None = None) -> "Reader":
        """The reader in a file, or the one that comes with the package.

        Raises:
            ModelError: the file is missing, damaged or no reader, or the default weights are.
        """
        from embeddings import adapter
        from embeddings.encoder import default_model
        from embeddings.errors import EncoderError

        try:
            base, tokenizer = default_model()
            trained = adapter.load(path or Path(__file__).with_name("reader.safetensors"))
            name = path.name if path else DEFAULT_READER
            return cls(name, adapter.merged(base, trained), trained, tokenizer)
        except EncoderError as error:
            raise ModelError(str(error)) from error

    def read(self, question: str, passages: Sequence[Passage]) -> list[Reading]:
        """What each passage says to the question, in the order of the passages."""
        from embeddings import adapter

        pairs = adapter.paired(
            self._tokenizer,
            question,
            [(passage.citation.title, passage.text) for passage in passages],
        )
        scored = adapter.scores(self._model, self._adapter, pairs)
        return [
            decoded(question, passage.text, pair, scores)
            for passage, pair, scores in zip(passages, pairs, scored, strict=True)
        ]


def decoded(question: str, text: str, pair: "Pair", scores: "Scores") -> Reading:
    """What the logits of a passage's tokens say of its text."""
    more_than_names = asks_who_that_is(question, text)
    span, answerable = marked(
        text, pair.offsets, scores.first, scores.last, scores.null, more_than_names=more_than_names
    )
    return Reading(probability(scores.relevance), span, answerable)


def marked(  # noqa: PLR0913 -- all that a model says of one text
    text: str,
    offsets: Sequence[tuple[int, int]],
    first: "Floats",
    last: "Floats",
    null: float,
    *,
    more_than_names: bool = False,
) -> tuple[Span | None, float]:
    """The likeliest words of a text, and by how much, in logits, they beat `null`.

    They stand in one sentence: of 6,569 answers in the public sets ten do not.

    Args:
        text: what was read.
        offsets: the `[start, end)` characters of its tokens.
        first: each token's logit as the first of the words.
        last: and as the last of them.
        null: the logit of "not here".
        more_than_names: whether the words have to hold one that is neither name nor stop word.
    """
    if not offsets:
        return None, _SILENT
    needed = _plain(text, offsets) if more_than_names else [True] * len(offsets)
    begin, stop, best = _best(first, last, _sentence_of(text, offsets), needed)
    if best == -math.inf:
        return None, _SILENT
    answerable = best - null
    start, end = _whole_words(text, offsets[begin][0], offsets[stop][1])
    start, end = _trimmed(text, start, end)
    if start >= end:
        return None, answerable
    return Span(start, end, text[start:end], probability(answerable)), answerable


def _sentence_of(text: str, offsets: Sequence[tuple[int, int]]) -> list[int]:
    """The number of the sentence that each token begins in."""
    begins = [start for block in paragraphs(text) for start, _ in sentences(text, *block)]
    return [bisect_right(begins, start) for start, _ in offsets]


def _plain(text: str, offsets: Sequence[tuple[int, int]]) -> list[bool]:
    """Which tokens begin a word that is neither name nor stop word."""
    return [
        text[start].islower()
        and not (start and text[start - 1].isalnum())
        and (word := _WORD.match(text, start)) is not None  # "ⓐ" is in lower case, but no letter
        and word[0] not in STOP_WORDS
        for start, _ in offsets
    ]


def _best(
    first: "Floats", last: "Floats", sentence: Sequence[int], needed: Sequence[bool]
) -> tuple[int, int, float]:
    """The first and last token of the likeliest span of at most LONGEST_SPAN tokens.

    It lies in one sentence and holds a token that is `needed`.
    """
    import numpy as np

    sums = first[:, None] + last[None, :]
    place, part = np.arange(len(first)), np.asarray(sentence)
    length = place[None, :] - place[:, None]
    apart = part[None, :] != part[:, None]
    seen = np.cumsum([0, *needed])
    lacking = seen[None, 1:] == seen[:-1, None]
    sums[(length < 0) | (length >= LONGEST_SPAN) | apart | lacking] = -np.inf
    begin, stop = divmod(int(sums.argmax()), len(place))
    return begin, stop, float(sums[begin, stop])


def _whole_words(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without a word cut in two; tokens may be parts of words."""
    while start > 0 and _one_word(text, start):
        start -= 1
    while end < len(text) and _one_word(text, end):
        end += 1
    return start, end


def _one_word(text: str, place: int) -> bool:
    """Whether the characters on both sides of a place belong to one word."""
    before, after = text[place - 1], text[place]
    if unicodedata.category(after).startswith("M") or "\u200d" in (before, after):
        return True
    return before.isalnum() and after.isalnum() and before < _UNSPACED and after < _UNSPACED


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space, dangling punctuation and halves of quotes or brackets."""
    while start < end:
        said = text[start:end]
        if _dangles(said[0]) or said[0] == "." or _lacks_partner(said, 0):
            start += 1
        elif _dangles(said[-1]) or _lacks_partner(said, len(said) - 1) or _ends_sentence(said):
            end -= 1
        elif said[0] in _QUOTES and _PARTNERS[said[0]] == said[-1]:
            start, end = start + 1, end - 1
        else:
            break
    return start, max(start, end)


def _dangles(char: str) -> bool:
    return char in _DANGLING or char.isspace()


def _ends_sentence(said: str) -> bool:
    return said[-1] == "." and _DOTTED.search(said) is None


def _lacks_partner(said: str, place: int) -> bool:
    """Whether a quote or bracket at an end of a span has no other half in it."""
    char = said[place]
    rest = said[:place] + said[place + 1 :]
    partner = _PARTNERS.get(char) or _OPENING.get(char)
    return partner is not None and partner not in rest


def probability(logit: float) -> float:
    """The probability of a logit."""
    return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit))))
