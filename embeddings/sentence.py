"""sentence-transformers: any model, and bulk encoding."""

import contextlib
import hashlib
import logging
import os
import textwrap
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

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
# Asking an unreachable hub file by file, with its own retries, takes more than a minute.
_REACH_SECONDS = 10


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
        with _quiet():
            if Path(name).is_dir():
                # The same folder, from wherever the name is read again.
                folder = str(Path(name).resolve())
                return cls(folder, _from_folder(folder), fingerprint)
            return cls(name, _from_hub(name), fingerprint)

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


def _from_folder(folder: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    try:
        return SentenceTransformer(folder, local_files_only=True)
    except Exception as error:  # loaders raise what they like for a damaged file
        raise EncoderError(
            f"The folder {folder} holds no whole model ({_why(error)}). "
            "Give a folder that SentenceTransformer.save has written, or a model's hub name."
        ) from error


def _from_hub(name: str) -> "SentenceTransformer":
    from sentence_transformers import SentenceTransformer

    if name.startswith((".", "/", "~")):
        raise EncoderError(f"There is no folder '{name}'. Give a model's folder or its hub name.")
    try:
        return SentenceTransformer(name, local_files_only=True)
    except Exception as missing:  # as above
        if os.environ.get("HF_HUB_OFFLINE", "0").lower() not in {"0", "", "false"}:
            raise _not_had(name, "HF_HUB_OFFLINE is set and no copy is on disk") from missing
    try:
        _reach_hub()
        return SentenceTransformer(name)
    except Exception as error:  # as above, and what networks raise
        raise _not_had(name, _why(error)) from error


def _reach_hub() -> None:
    from huggingface_hub import constants, get_session

    get_session().head(constants.ENDPOINT, timeout=_REACH_SECONDS)


def _not_had(name: str, why: str) -> EncoderError:
    return EncoderError(
        f"The model {name} cannot be had ({why}). "
        "Give the path of a model's folder, or connect to the network to download it."
    )


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {textwrap.shorten(str(error), 160, placeholder=' …')}"


def _fingerprint(model: "SentenceTransformer") -> str:
    """A short hash of everything that vectors depend on: weights, modules, prompts, length."""
    import torch

    total = hashlib.sha256(repr(model).encode())
    total.update(repr((sorted((model.prompts or {}).items()), model.max_seq_length)).encode())
    for name, tensor in sorted(model.state_dict().items()):
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        total.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    return total.hexdigest()[:16]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps loading bars and warnings of the libraries from the user, and leaves them as found."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging as model_logging

    levels = hub_logging.get_verbosity(), model_logging.get_verbosity()
    bars = model_logging.is_progress_bar_enabled()
    hub_logging.set_verbosity(logging.ERROR)
    model_logging.set_verbosity(logging.ERROR)
    model_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        hub_logging.set_verbosity(levels[0])
        model_logging.set_verbosity(levels[1])
        if bars:
            model_logging.enable_progress_bar()
