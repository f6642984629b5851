"""sentence-transformers: any model, and bulk encoding."""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from . import hub, notes
from .encoder import Offsets, Vectors
from .errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

# Small batches of like length beat large ones on a CPU.
_BATCH = 16
# Half precision is used where it takes at most this share of the time and turns no vector further
# than this cosine from the exact one: vectors that near may stand in one index.
_PAYS = 0.8
_AS_GOOD = 0.9995
# Texts that this is measured on, and how often.
_TRIED, _TURNS = 16, 3
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
        self._half: bool | None = None
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
            chunk = [texts[row] for row in rows]
            with self._turn:
                if self._half is None and len(chunk) == _CHUNK:
                    self._half = self._half_pays(chunk[:: _CHUNK // _TRIED])
                vectors[rows] = self._encoded(chunk, half=bool(self._half))
            if progress:
                progress(len(rows))
        return vectors

    def _encoded(self, texts: Sequence[str], *, half: bool) -> Vectors:
        import torch

        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half):
            found: Vectors = self._model.encode_document(
                list(texts),
                batch_size=_BATCH,
                normalize_embeddings=True,
                show_progress_bar=False,
            )
        return found

    def _half_pays(self, texts: Sequence[str]) -> bool:
        """Whether bfloat16 is faster here and as good, measured once and remembered."""
        import torch

        if self._model.device.type != "cpu":
            return False
        cpu = f"{torch.backends.cpu.get_cpu_capability()} {torch.get_num_threads()}"
        key = f"{self.fingerprint} {torch.__version__} {cpu}"
        known = notes.remembered("half")
        if key not in known:
            known[key] = "yes" if self._tried(texts) else "no"
            notes.remember("half", known)
        return known[key] == "yes"

    def _tried(self, texts: Sequence[str]) -> bool:
        """Runs both in turns, so that a slow moment of the machine slows both."""
        exact, exact_seconds = self._timed(texts, half=False)
        half, half_seconds = self._timed(texts, half=True)
        for _ in range(_TURNS - 1):
            exact_seconds = min(exact_seconds, self._timed(texts, half=False)[1])
            half_seconds = min(half_seconds, self._timed(texts, half=True)[1])
        as_good = float((exact * half).sum(axis=1).min()) >= _AS_GOOD
        return as_good and half_seconds <= _PAYS * exact_seconds

    def _timed(self, texts: Sequence[str], *, half: bool) -> tuple[Vectors, float]:
        began = time.perf_counter()
        return self._encoded(texts, half=half), time.perf_counter() - began

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
