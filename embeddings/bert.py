"""BERT's forward pass in NumPy, from the mapped weights of a MiniLM model.

Devlin et al., 2019 (arXiv 1810.04805); mean pooling as in Sentence-BERT (arXiv 1908.10084). Exact
to float32 rounding, so that it and sentence-transformers can share an index.
"""

import json
import mmap
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

# Padding costs more than small batches do.
_BATCH = 8
_ROWS = 128


@dataclass(frozen=True, slots=True)
class Norm:
    """Scale and shift of a layer normalisation."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights as stored, shape (out, in), and bias."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """One transformer layer."""

    query: Linear
    key: Linear
    value: Linear
    attention_out: Linear
    attention_norm: Norm
    up: Linear
    down: Linear
    norm: Norm


@dataclass(frozen=True, slots=True)
class Bert:
    """The weights of a model; `words` stays on disk, only the rows of a text are read."""

    words: Floats
    positions: Floats
    kinds: Floats
    norm: Norm
    layers: tuple[Layer, ...]
    heads: int
    epsilon: float


def load(folder: Path) -> Bert:
    """The weights of a BERT model in a folder, mapped from `model.safetensors`."""
    config = json.loads((folder / "config.json").read_text())
    tensors = _tensors(folder / "model.safetensors")

    def norm(name: str) -> Norm:
        return Norm(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def linear(name: str) -> Linear:
        return Linear(tensors[f"{name}.weight"], tensors[f"{name}.bias"])

    def layer(prefix: str) -> Layer:
        return Layer(
            query=linear(f"{prefix}.attention.self.query"),
            key=linear(f"{prefix}.attention.self.key"),
            value=linear(f"{prefix}.attention.self.value"),
            attention_out=linear(f"{prefix}.attention.output.dense"),
            attention_norm=norm(f"{prefix}.attention.output.LayerNorm"),
            up=linear(f"{prefix}.intermediate.dense"),
            down=linear(f"{prefix}.output.dense"),
            norm=norm(f"{prefix}.output.LayerNorm"),
        )

    return Bert(
        words=tensors["embeddings.word_embeddings.weight"],
        positions=tensors["embeddings.position_embeddings.weight"],
        kinds=tensors["embeddings.token_type_embeddings.weight"],
        norm=norm("embeddings.LayerNorm"),
        layers=tuple(
            layer(f"encoder.layer.{number}") for number in range(config["num_hidden_layers"])
        ),
        heads=config["num_attention_heads"],
        epsilon=config["layer_norm_eps"],
    )


def forward(bert: Bert, ids: Ints, mask: Ints, kinds: Ints | None = None) -> Floats:
    """The hidden state of each token after the last layer.

    Args:
        bert: the weights.
        ids: tokens, shape (texts, tokens).
        mask: 1 for a token, 0 for padding, same shape.
        kinds: 0 for the first text and 1 for the second of a pair, same shape; None is all 0.

    Returns:
        Shape (texts, tokens, width).
    """
    kind_rows = bert.kinds[0] if kinds is None else bert.kinds[kinds]
    hidden = bert.words[ids] + bert.positions[: ids.shape[1]] + kind_rows
    hidden = _normalised(hidden, bert.norm, bert.epsilon)
    bias = None if mask.all() else ((1 - mask)[:, None, None, :] * np.float32(-1e9))
    bias = None if bias is None else bias.astype(np.float32)
    for layer in bert.layers:
        mixed = _attended(hidden, layer, bert.heads, bias)
        hidden = _normalised(mixed + hidden, layer.attention_norm, bert.epsilon)
        hidden = _normalised(_fed_forward(hidden, layer) + hidden, layer.norm, bert.epsilon)
    return hidden


def mean_pooled(hidden: Floats, mask: Ints) -> Floats:
    """Unit vectors: the mean over each text's tokens, shape (texts, width)."""
    weights = mask[:, :, None].astype(np.float32)
    mean = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
    unit: Floats = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    return unit


def tokenizer(folder: Path) -> "Tokenizer":
    """The tokenizer of a model's folder, which neither pads nor cuts off."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(folder / "tokenizer.json"))
    found.no_padding()
    found.no_truncation()
    return found


def encode(bert: Bert, encodings: "Sequence[Encoding]", max_tokens: int) -> Floats:
    """Unit vectors of tokenised texts, in their order; tokens beyond `max_tokens` are not read."""
    vectors = np.empty((len(encodings), bert.words.shape[1]), np.float32)
    for rows, ids, mask in _batches([_cut(item.ids, max_tokens) for item in encodings]):
        vectors[rows] = mean_pooled(forward(bert, ids, mask), mask)
    return vectors


def _cut(ids: list[int], max_tokens: int) -> list[int]:
    """The first tokens, and the end mark in the last place."""
    return ids if len(ids) <= max_tokens else [*ids[: max_tokens - 1], ids[-1]]


def _batches(texts: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], Ints, Ints]]:
    """Texts of like length together, padded to the longest: their rows, tokens and mask."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    for begin in range(0, len(order), _BATCH):
        rows = order[begin : begin + _BATCH]
        width = len(texts[rows[-1]])
        ids = np.zeros((len(rows), width), np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for place, row in enumerate(rows):
            ids[place, : len(texts[row])] = texts[row]
            mask[place, : len(texts[row])] = 1
        yield rows, ids, mask


def _attended(hidden: Floats, layer: Layer, heads: int, bias: Floats | None) -> Floats:
    texts, tokens, width = hidden.shape
    size = width // heads
    query, key, value = (
        _applied(hidden, part).reshape(texts, tokens, heads, size).transpose(0, 2, 1, 3)
        for part in (layer.query, layer.key, layer.value)
    )
    scores: Floats = query @ key.transpose(0, 1, 3, 2)
    scores *= np.float32(size**-0.5)
    if bias is not None:
        scores += bias
    scores -= scores.max(axis=-1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=-1, keepdims=True)
    joined = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, tokens, width)
    return _applied(joined, layer.attention_out)


def _fed_forward(hidden: Floats, layer: Layer) -> Floats:
    """Up to four times the width and down again, few enough tokens at a time for the cache."""
    flat = hidden.reshape(-1, hidden.shape[-1])
    fed = np.empty_like(flat)
    for begin in range(0, len(flat), _ROWS):
        risen = _gelu(_applied(flat[begin : begin + _ROWS], layer.up))
        fed[begin : begin + _ROWS] = _applied(risen, layer.down)
    return fed.reshape(hidden.shape)


def _applied(hidden: Floats, linear: Linear) -> Floats:
    flat = hidden.reshape(-1, hidden.shape[-1]) @ linear.weight.T
    flat += linear.bias
    return flat.reshape(*hidden.shape[:-1], -1)


def _normalised(hidden: Floats, norm: Norm, epsilon: float) -> Floats:
    centred: Floats = hidden - hidden.mean(axis=-1, keepdims=True)
    variance = np.einsum("...i,...i->...", centred, centred)[..., None] / hidden.shape[-1]
    centred /= np.sqrt(variance + np.float32(epsilon))
    centred *= norm.weight
    centred += norm.bias
    return centred


def _gelu(hidden: Floats) -> Floats:
    """The exact GELU, x/2 · (1 + erf(x/√2)); erf by Abramowitz and Stegun 7.1.26, error 1.5e-7.

    With their erf(z) = 1 - s(z)·exp(-z²) for z ≥ 0 that is max(x, 0) - |x|/2 · s · exp(-x²/2).
    """
    size = np.abs(hidden)
    t = size * np.float32(0.3275911 * 2**-0.5)
    t += 1
    np.reciprocal(t, out=t)
    tail = np.float32(1.061405429) * t
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(coefficient)
        tail *= t
    tail *= size
    tail *= np.float32(0.5)
    size *= size
    size *= np.float32(-0.5)
    tail *= np.exp(size, out=size)
    risen: Floats = np.maximum(hidden, 0)
    risen -= tail
    return risen


def _tensors(path: Path) -> dict[str, Floats]:
    """The float32 tensors of a safetensors file, as views of the mapped file."""
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    (length,) = struct.unpack_from("<Q", mapped)
    header = json.loads(mapped[8 : 8 + length])
    found: dict[str, Floats] = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        begin, end = entry["data_offsets"]
        values = np.frombuffer(mapped, np.float32, (end - begin) // 4, 8 + length + begin)
        found[name] = values.reshape(entry["shape"])
    return found
