"""An encoder that tests can reason about: no model, no file, the same vectors everywhere."""

import re
import zlib
from collections.abc import Callable, Sequence

import numpy as np

from embeddings.encoder import Offsets, Vectors

WORD = re.compile(r"\w+")
TOKEN = re.compile(r"\w+|[^\w\s]")


class ToyEncoder:
    """Texts that share words are alike: a hashed bag of casefolded words, of unit length."""

    name = "toy"
    fingerprint = "toy:1"
    dimensions = 256
    max_tokens = 64

    def encode_documents(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self.encode_query(text)
            if progress is not None:
                progress(1)
        return vectors

    def encode_query(self, text: str) -> Vectors:
        vector = np.zeros(self.dimensions, np.float32)
        for token in TOKEN.findall(text)[: self.max_tokens - 2]:
            if WORD.fullmatch(token):
                vector[_bucket(token, self.dimensions)] += 1
        length = float(np.linalg.norm(vector))
        if length:
            return vector / np.float32(length)
        vector[0] = 1
        return vector

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        return [[match.span() for match in TOKEN.finditer(text)] for text in texts]


def _bucket(word: str, dimensions: int) -> int:
    """Column of a word; a plural falls on its singular, column 0 is the empty text's."""
    stem = word.casefold()
    if len(stem) > 3:
        stem = stem.removesuffix("s")
    return 1 + zlib.crc32(stem.encode("utf-8", "surrogatepass")) % (dimensions - 1)
