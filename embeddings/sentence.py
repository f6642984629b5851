"""sentence-transformers: any model, and bulk encoding."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import hub
from .encoder import Offsets, Vectors
from .errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Small batches of like length beat large ones on a CPU.
_BATCH = 16
# Between two reports of progress.
_CHUNK = 256
# For a model that names no limit: longer passages blur.
_MAX_TOKENS = 512
# sentence-transformers takes the first of these that a model has as the prompt of passages.
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")


class SentenceEncoder:
    """A model that sentence-transformers loads, with its own prompts for questions and passages.

    Threads may share it: they take turns, since a tokenizer's settings are changed by its use.
    """

    def __init__(
        self, name: str, model: "SentenceTransformer", fingerprint: str | None = None
    ) -> None:
        if not getattr(model.tokenizer, "is_fast", False):
            raise EncoderError(f"{name} has no fast tokenizer, which offsets need. Name another.")
        self.name = name
        self._model = model
        self._turn = threading.Lock()
        self.dimensions = int(model.get_embedding_dimension() or 0)
        self.fingerprint = fingerprint or f"sentence-transformers:{_fingerprint(model)}"
        prompts = model.prompts or {}
        prompt = next((prompts[key] for key in _DOCUMENT_PROMPTS if prompts.get(key)), "")
        taken = len(self.token_offsets([prompt])[0])
        self.max_tokens = int(model.max_seq_length or _MAX_TOKENS) - taken

    @classmethod
    def load(cls, name: str, fingerprint: str | None = None) -> "SentenceEncoder":
        """The model at a path or of a hub name; the disk is tried before the network.

        Raises:
            EncoderError: it cannot be had.
        """

        def get(found: str, on_disk: bool) -> "SentenceEncoder":  # noqa: FBT001 -- as hub calls it
            from sentence_transformers import SentenceTransformer

            return cls(found, SentenceTransformer(found, local_files_only=on_disk), fingerprint)

        return hub.load(name, get)

    def encode_documents(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> Vectors:
        """Unit vectors of passages, shape (len(texts), dimensions); `progress` gets counts done."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda row: -len(texts[row]))
        for begin in range(0, len(order), _CHUNK):
            rows = order[begin : begin + _CHUNK]
            with self._turn:
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
        with self._turn:
            found: Vectors = self._model.encode_query(
                text, normalize_embeddings=True, show_progress_bar=False
            )
        return found.astype(np.float32)

    def token_offsets(self, texts: Sequence[str]) -> list[Offsets]:
        """Character offsets of each text's tokens, special tokens left out."""
        if not texts:
            return []
        with self._turn:
            found = self._model.tokenizer(
                list(texts),
                add_special_tokens=False,
                return_offsets_mapping=True,
                truncation=False,
                verbose=False,
            )
        return [[(start, end) for start, end in offsets] for offsets in found["offset_mapping"]]


def _fingerprint(model: "SentenceTransformer") -> str:
    """A short hash of everything that vectors depend on: weights, modules, prompts, length."""
    import torch

    total = hashlib.sha256(repr(model).encode())
    total.update(repr((sorted((model.prompts or {}).items()), model.max_seq_length)).encode())
    for name, tensor in sorted(model.state_dict().items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()[:16]
