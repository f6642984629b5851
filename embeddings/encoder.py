"""What an encoder is, and which engine runs which weights."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

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
