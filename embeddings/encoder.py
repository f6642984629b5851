"""What an encoder is, and which engine runs which weights."""

import functools
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from . import bert, weights

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
Offsets = list[tuple[int, int]]


class Encoder(Protocol):
    """Turns texts into unit vectors whose inner product says how alike they are.

    `fingerprint` is equal for two encoders only if their vectors may stand in one index.
    """

    @property
    def name(self) -> str:
        """What `load` takes to get this encoder again."""

    @property
    def fingerprint(self) -> str:
        """Identifies the weights and settings that the vectors depend on."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    @property
    def max_tokens(self) -> int:
        """How many tokens of a text are read, special tokens included; the rest is cut off."""

    def encode_documents(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors of passages, shape (len(texts), dimensions); `progress` gets counts done."""

    def encode_query(self, text: str) -> Vectors:
        """Unit vector of one question, shape (dimensions,)."""

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        """Character offsets `[start, end)` of each text's tokens, special tokens left out."""


# Importing and loading torch takes 5 to 6 s, in which NumPy encodes 170 passages on one thread:
# fewer never gain. What torch gains then is the other cores; two have caught up by about 350.
_BULK = 256


def load(name: str | None = None) -> Encoder:
    """The encoder of that name: None or the default's name for the default weights.

    Args:
        name: path or hub name of a sentence-transformers model.

    Raises:
        EncoderError: the model cannot be had.
    """
    if name is None or name == weights.NAME:
        return DefaultEncoder()
    from .sentence import SentenceEncoder

    return SentenceEncoder.load(name)


def default_model() -> "tuple[bert.Bert, Tokenizer]":
    """The default weights and their tokenizer, which encoder and reader share.

    Raises:
        EncoderError: they cannot be had.
    """
    with _loading:
        return _model(weights.default_weights().folder)


# Encoder and reader are loaded side by side, and share one copy of the weights.
_loading = threading.Lock()


@functools.lru_cache(maxsize=1)
def _model(folder: Path) -> "tuple[bert.Bert, Tokenizer]":
    return bert.load(folder), bert.tokenizer(folder)


class DefaultEncoder:
    """The default weights: questions and small batches in NumPy, bulk by sentence-transformers."""

    name = weights.NAME
    max_tokens = 256

    def __init__(self) -> None:
        found = weights.default_weights()
        self.fingerprint = f"{weights.NAME}:{found.sha256[:16]}"
        self._folder = found.folder
        self._bert, self._tokenizer = default_model()
        self.dimensions = int(self._bert.words.shape[1])
        self._bulk: Encoder | None = None
        self._loading = threading.Lock()

    def encode_documents(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors of passages, shape (len(texts), dimensions); `progress` gets counts done."""
        if len(texts) > _BULK or self._bulk is not None:
            return self._sentence().encode_documents(texts, progress)
        vectors = bert.encode(
            self._bert, self._tokenizer.encode_batch(list(texts)), self.max_tokens
        )
        if progress:
            progress(len(texts))
        return vectors

    def encode_query(self, text: str) -> Vectors:
        """Unit vector of one question, shape (dimensions,)."""
        vector: Vectors = bert.encode(self._bert, [self._tokenizer.encode(text)], self.max_tokens)[
            0
        ]
        return vector

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        """Character offsets of each text's tokens, special tokens left out."""
        found = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.offsets for encoding in found]

    def _sentence(self) -> Encoder:
        with self._loading:
            if self._bulk is None:
                from .sentence import SentenceEncoder

                self._bulk = SentenceEncoder.load(str(self._folder), self.fingerprint)
        return self._bulk
