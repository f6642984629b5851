"""A reader on the encoder's own weights: low-rank changes to its layers, and two small heads.

LoRA: Hu et al., 2021 (arXiv 2106.09685). Read in NumPy, as `bert.py` runs the encoder.
"""

import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import bert
from .bert import Bert, Floats, Ints, Layer, Linear
from .errors import EncoderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FORMAT = "qa-reader-1"
SCALE = 2.0
# The longest input of the encoder, and what a question or title may take of it.
TOKENS = 256
QUESTION_TOKENS = 64
TITLE_TOKENS = 24

# What a token is part of; a token whose like stands on the other side has MATCHED added.
QUESTION, TITLE, TEXT, MATCHED = 0, 1, 2, 3
KINDS = 6

_BATCH = 4
_LARGEST = 16_000_000
_PARTS = ("query", "key", "value", "attention_out", "up", "down")


@dataclass(frozen=True, slots=True)
class Adapter:
    """What training changed: `down[part]` (rank, in) and `up[part]` (out, rank) of each layer.

    `span` (2, width) scores a token as first or last of the answer, `relevance` (1, width) the
    passage by its first token. `metadata` says how the file was made.
    """

    down: tuple[Mapping[str, Floats], ...]
    up: tuple[Mapping[str, Floats], ...]
    kinds: Floats
    span: Linear
    relevance: Linear
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage as tokens.

    `kinds` says what each token is part of. The passage's tokens begin at `begin`, and `offsets`
    are their `[start, end)` characters in the passage's text.
    """

    ids: list[int]
    kinds: list[int]
    begin: int
    offsets: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Scores:
    """Logits of one pair: the passage's tokens as first and as last of the answer.

    `null` is that of no answer, `relevance` that the passage answers.
    """

    first: Floats
    last: Floats
    null: float
    relevance: float


def load(path: Path) -> Adapter:
    """The adapter in a safetensors file.

    Raises:
        EncoderError: the file cannot be read, or is no adapter for a reader.
    """
    try:
        tensors, metadata = _tensors(path)
        layers = int(metadata["layers"])
        return Adapter(
            tuple({p: tensors[f"layers.{n}.{p}.down"] for p in _PARTS} for n in range(layers)),
            tuple({p: tensors[f"layers.{n}.{p}.up"] for p in _PARTS} for n in range(layers)),
            tensors["kinds"],
            Linear(tensors["span.weight"], tensors["span.bias"]),
            Linear(tensors["relevance.weight"], tensors["relevance.bias"]),
            metadata,
        )
    except OSError as error:
        raise EncoderError(
            f"Cannot read the reader {path}: {error.strerror}. Give the path of another."
        ) from error
    except KeyError as error:
        raise EncoderError(_foreign(path, f"{error.args[0]} is missing")) from error
    except (ValueError, TypeError, AttributeError, struct.error) as error:
        raise EncoderError(_foreign(path, str(error))) from error


def merged(base: Bert, adapter: Adapter) -> Bert:
    """The base with the adapter's changes in its weights; word rows and norms stay shared.

    Raises:
        EncoderError: the adapter was made for another model.
    """
    if len(adapter.down) != len(base.layers):
        raise EncoderError(
            f"The reader has {len(adapter.down)} layers, the model {len(base.layers)}: it was "
            "trained for another model."
        )
    try:
        layers = [
            _merged(layer, down, up)
            for layer, down, up in zip(base.layers, adapter.down, adapter.up, strict=True)
        ]
    except ValueError as error:
        raise EncoderError(f"The reader was trained for another model: {error}.") from error
    return replace(base, kinds=adapter.kinds, layers=tuple(layers))


def paired(
    tokenizer: "Tokenizer", question: str, passages: Sequence[tuple[str, str]]
) -> list[Pair]:
    """A question with each passage, given as (title, text): [CLS] question [SEP] title. text [SEP].

    What is too long loses its end: the question first, then the title, then the text.
    """
    first, last = _mark(tokenizer, "[CLS]"), _mark(tokenizer, "[SEP]")
    asked = tokenizer.encode(question, add_special_tokens=False).ids[:QUESTION_TOKENS]
    titles = {title: _title(tokenizer, title) for title, _ in passages}
    texts = tokenizer.encode_batch([text for _, text in passages], add_special_tokens=False)
    pairs = []
    for (title, _), encoding in zip(passages, texts, strict=True):
        heading = titles[title]
        begin = len(asked) + 2 + len(heading)
        ids = encoding.ids[: TOKENS - begin - 1]
        shared = set(asked) & {*heading, *ids}
        kinds = [QUESTION] + [QUESTION + MATCHED * (token in shared) for token in asked]
        kinds += [QUESTION] + [TITLE + MATCHED * (token in shared) for token in heading]
        kinds += [TEXT + MATCHED * (token in shared) for token in ids] + [TEXT]
        tokens = [first, *asked, last, *heading, *ids, last]
        pairs.append(Pair(tokens, kinds, begin, encoding.offsets[: len(ids)]))
    return pairs


def scores(model: Bert, adapter: Adapter, pairs: Sequence[Pair]) -> list[Scores]:
    """The logits of each pair, in their order; pairs of like length are read together.

    Args:
        model: the encoder merged with the adapter.
        adapter: the heads.
        pairs: what `paired` made.
    """

    def score(batch: tuple[list[int], Ints, Ints, Ints]) -> list[tuple[int, Scores]]:
        rows, ids, mask, kinds = batch
        hidden = bert.forward(model, ids, mask, kinds)
        spans = hidden @ adapter.span.weight.T + adapter.span.bias
        relevance = hidden[:, 0] @ adapter.relevance.weight[0] + adapter.relevance.bias[0]
        return [
            (row, _scores(pairs[row], spans[place], float(relevance[place])))
            for place, row in enumerate(rows)
        ]

    cores = _cores()
    batches = list(_batches(pairs, cores))
    with ThreadPoolExecutor(min(cores, max(1, len(batches)))) as pool:
        found = dict(one for scored in pool.map(score, batches) for one in scored)
    return [found[row] for row in range(len(pairs))]


def _scores(pair: Pair, spans: Floats, relevance: float) -> Scores:
    own = spans[pair.begin : pair.begin + len(pair.offsets)]
    return Scores(own[:, 0], own[:, 1], float(spans[0].sum()), relevance)


def _cores() -> int:
    """Cores that this process may use; BLAS keeps to one thread, so batches go side by side."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _title(tokenizer: "Tokenizer", title: str) -> list[int]:
    if not title.strip():
        return []
    ids: list[int] = tokenizer.encode(title, add_special_tokens=False).ids[:TITLE_TOKENS]
    return [*ids, _mark(tokenizer, ".")]


def _mark(tokenizer: "Tokenizer", token: str) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise EncoderError(f"The tokenizer has no {token}: a reader needs the default model's.")
    return found


def _batches(pairs: Sequence[Pair], cores: int) -> Iterator[tuple[list[int], Ints, Ints, Ints]]:
    """Pairs of like length, padded to the longest: their rows, tokens, mask and kinds.

    They are as many as the cores, or as keep each of them small.
    """
    order = sorted(range(len(pairs)), key=lambda row: len(pairs[row].ids))
    size = min(_BATCH, -(-len(pairs) // cores))
    for start in range(0, len(order), max(1, size)):
        rows = order[start : start + size]
        shape = (len(rows), len(pairs[rows[-1]].ids))
        ids, mask, kinds = (np.zeros(shape, np.int64) for _ in range(3))
        for place, row in enumerate(rows):
            length = len(pairs[row].ids)
            ids[place, :length] = pairs[row].ids
            kinds[place, :length] = pairs[row].kinds
            mask[place, :length] = 1
        yield rows, ids, mask, kinds


def _merged(layer: Layer, down: Mapping[str, Floats], up: Mapping[str, Floats]) -> Layer:
    def linear(part: str) -> Linear:
        plain: Linear = getattr(layer, part)
        product: Floats = np.multiply(up[part], SCALE, dtype=np.float32) @ down[part]
        product += plain.weight
        return Linear(product, plain.bias)

    changed: dict[str, Any] = {part: linear(part) for part in _PARTS}
    return replace(layer, **changed)


def _foreign(path: Path, why: str) -> str:
    return (
        f"{path} is no reader of ours, or damaged: {why}. "
        "Install the package again, or give another file."
    )


def _tensors(path: Path) -> tuple[dict[str, Floats], dict[str, str]]:
    """The half-precision tensors of a safetensors file as float32, and its metadata."""
    if path.stat().st_size > _LARGEST:
        raise ValueError("it is too large")
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    if length > len(data) - 8:
        raise ValueError("its end is missing")
    header = json.loads(data[8 : 8 + length])
    metadata = header.pop("__metadata__", {})
    if metadata.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    found: dict[str, Floats] = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        if entry["dtype"] != "F16" or not 0 <= begin <= end <= len(data) - 8 - length:
            raise ValueError(f"the tensor {name} is not whole")
        values = np.frombuffer(data, np.float16, (end - begin) // 2, 8 + length + begin)
        found[name] = values.astype(np.float32).reshape(entry["shape"])
        if not np.isfinite(found[name]).all():
            raise ValueError(f"the tensor {name} holds values that are no numbers")
    return found, metadata
