"""sentence-transformers: any model, and bulk encoding."""

import contextlib
import hashlib
import io
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from .encoder import Offsets, Vectors
from .errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Small batches of like length beat large ones on a CPU.
_BATCH = 16
# Between two reports of progress.
_CHUNK = 64


class SentenceEncoder:
    """A model that sentence-transformers loads, with its own prompts for questions and passages."""

    def __init__(
        self, name: str, model: "SentenceTransformer", fingerprint: str | None = None
    ) -> None:
        self.name = name
        self._model = model
        self.dimensions = int(model.get_embedding_dimension() or 0)
        self.max_tokens = int(model.max_seq_length or 512)
        if not getattr(model.tokenizer, "is_fast", False):
            raise EncoderError(f"{name} has no fast tokenizer, which offsets need. Name another.")
        self.fingerprint = fingerprint or f"{name}:{_fingerprint(model)}"

    @classmethod
    def load(cls, name: str, fingerprint: str | None = None) -> "SentenceEncoder":
        """The model at a path or of a hub name; the disk is tried before the network.

        Raises:
            EncoderError: it cannot be had.
        """
        with _quiet():
            return cls(name, _loaded(name), fingerprint)

    def encode_documents(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors of passages, shape (len(texts), dimensions); `progress` gets counts done."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for begin in range(0, len(order), _CHUNK):
            rows = order[begin : begin + _CHUNK]
            vectors[rows] = self._model.encode_document(
                [texts[row] for row in rows],
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
            if progress:
                progress(len(rows))
        return vectors

    def encode_query(self, text: str) -> Vectors:
        """Unit vector of one question, shape (dimensions,)."""
        found: Vectors = self._model.encode_query(
            text, normalize_embeddings=True, show_progress_bar=False
        )
        return found.astype(np.float32)

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        """Character offsets of each text's tokens, special tokens left out."""
        if not texts:
            return []
        found = self._model.tokenizer(
            list(texts),
            add_special_tokens=False,
            return_offsets_mapping=True,
            truncation=False,
            verbose=False,
        )
        return [[(start, end) for start, end in offsets] for offsets in found["offset_mapping"]]


def _loaded(name: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(name, local_files_only=True)
    except (OSError, ValueError, RuntimeError) as missing:
        if os.environ.get("HF_HUB_OFFLINE", "0").lower() not in {"0", "", "false"}:
            raise _not_had(name, missing) from missing
    try:
        return SentenceTransformer(name)
    except (OSError, ValueError, RuntimeError) as error:
        raise _not_had(name, error) from error


def _not_had(name: str, error: Exception) -> EncoderError:
    why = str(error).strip().partition("\n")[0][:160]
    return EncoderError(
        f"The model {name} cannot be had ({type(error).__name__}: {why}). "
        "Give the path of a model's folder, or connect to the network to download it."
    )


def _fingerprint(model: "SentenceTransformer") -> str:
    """A short hash of everything that vectors depend on: weights, modules, prompts, length."""
    total = hashlib.sha256(repr(model).encode())
    total.update(repr(sorted((model.prompts or {}).items())).encode())
    for name, tensor in sorted(model.state_dict().items()):
        total.update(name.encode())
        total.update(tensor.detach().cpu().contiguous().view(-1).float().numpy().tobytes())
    return total.hexdigest()[:16]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps loading bars and warnings of the libraries from the user."""
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
