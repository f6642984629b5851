"""The reader as torch trains it: the encoder's weights fixed, low-rank changes and heads beside."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from embeddings.adapter import FORMAT, KINDS, SCALE, Pair
from embeddings.bert import Bert, Layer, Linear

# Fixed weights and what passes through them; sums along the layers stay in single precision.
HALF = torch.bfloat16


class Changed(nn.Module):
    """A linear layer whose weights stay, and a low-rank change to it that is trained."""

    def __init__(self, linear: Linear, rank: int, kind: torch.dtype) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(np.array(linear.weight)).to(kind))
        self.register_buffer("bias", torch.from_numpy(np.array(linear.bias)).to(kind))
        out, inner = self.weight.shape
        self.down = nn.Parameter(torch.randn(rank, inner) / math.sqrt(inner))
        self.up = nn.Parameter(torch.zeros(out, rank))

    def forward(self, hidden: Tensor) -> Tensor:
        """The layer's output with the change; shapes (tokens, in) and (tokens, out)."""
        low = F.linear(hidden, self.down.to(hidden.dtype))
        plain = F.linear(hidden, self.weight, self.bias)
        return torch.addmm(plain, low, self.up.to(hidden.dtype).T, alpha=SCALE)


class Block(nn.Module):
    """One transformer layer."""

    def __init__(
        self, layer: Layer, heads: int, epsilon: float, rank: int, kind: torch.dtype
    ) -> None:
        super().__init__()
        self.heads = heads
        self.epsilon = epsilon
        self.query = Changed(layer.query, rank, kind)
        self.key = Changed(layer.key, rank, kind)
        self.value = Changed(layer.value, rank, kind)
        self.attention_out = Changed(layer.attention_out, rank, kind)
        self.up = Changed(layer.up, rank, kind)
        self.down = Changed(layer.down, rank, kind)
        for name, norm in (("attention_norm", layer.attention_norm), ("norm", layer.norm)):
            self.register_buffer(f"{name}_weight", torch.from_numpy(np.array(norm.weight)))
            self.register_buffer(f"{name}_bias", torch.from_numpy(np.array(norm.bias)))

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The hidden states after this layer, shape (texts, tokens, width)."""
        shape = hidden.shape
        texts, tokens, width = shape
        kind = self.query.weight.dtype
        flat = hidden.to(kind).view(-1, width)
        query, key, value = (
            part(flat).view(texts, tokens, self.heads, -1).transpose(1, 2)
            for part in (self.query, self.key, self.value)
        )
        # Written out: on a CPU the backward pass of torch's own attention takes twice as long.
        seen = torch.matmul(query * query.shape[-1] ** -0.5, key.transpose(-1, -2)) + mask
        mixed = torch.matmul(seen.softmax(-1), value)
        mixed = self.attention_out(mixed.transpose(1, 2).reshape(-1, width)).view(shape)
        hidden = F.layer_norm(
            hidden + mixed, (width,), self.attention_norm_weight, self.attention_norm_bias,
            self.epsilon,
        )  # fmt: skip
        risen = self.down(F.gelu(self.up(hidden.to(kind).view(-1, width)))).view(shape)
        return F.layer_norm(
            hidden + risen, (width,), self.norm_weight, self.norm_bias, self.epsilon
        )


class Network(nn.Module):
    """The reader: scores of tokens as first and last of the answer, and of the passage."""

    def __init__(self, base: Bert, rank: int, kind: torch.dtype = HALF) -> None:
        super().__init__()
        self.kind = kind
        self.epsilon = base.epsilon
        self.register_buffer("words", torch.from_numpy(np.array(base.words)))
        self.register_buffer("positions", torch.from_numpy(np.array(base.positions)))
        self.register_buffer("norm_weight", torch.from_numpy(np.array(base.norm.weight)))
        self.register_buffer("norm_bias", torch.from_numpy(np.array(base.norm.bias)))
        rows = np.stack([base.kinds[min(kind % 3, 1)] for kind in range(KINDS)])
        self.kinds = nn.Parameter(torch.from_numpy(rows))
        self.layers = nn.ModuleList(
            Block(layer, base.heads, base.epsilon, rank, kind) for layer in base.layers
        )
        width = base.words.shape[1]
        self.span = nn.Linear(width, 2)
        self.relevance = nn.Linear(width, 1)

    def forward(self, ids: Tensor, kinds: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits, shapes (pairs, tokens, 2) and (pairs,)."""
        hidden = self.words[ids] + self.positions[: ids.shape[1]] + self.kinds[kinds]
        hidden = F.layer_norm(
            hidden, hidden.shape[-1:], self.norm_weight, self.norm_bias, self.epsilon
        )
        bias = torch.where(mask[:, None, None, :], 0.0, -1e9).to(self.kind)
        for layer in self.layers:
            hidden = layer(hidden, bias)
        return self.span(hidden), self.relevance(hidden[:, 0]).squeeze(-1)

    def restore(self, path: Path) -> None:
        """Takes what was trained from a file."""
        tensors = {name: value.float() for name, value in load_file(path).items()}
        missing = {name for name, _ in self.named_parameters()} - tensors.keys()
        if missing:
            raise ValueError(f"{path} lacks {min(missing)}")
        self.load_state_dict(tensors, strict=False)

    def save(self, path: Path, metadata: dict[str, str]) -> None:
        """Writes what was trained in half precision."""
        tensors = {
            name: value.detach().half().contiguous() for name, value in self.named_parameters()
        }
        about = {"format": FORMAT, "layers": str(len(self.layers)), **metadata}
        save_file(tensors, path, metadata=about)


def padded(pairs: Sequence[Pair]) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, kinds and mask of pairs, padded to the longest."""
    width = max(len(pair.ids) for pair in pairs)
    ids = torch.zeros(len(pairs), width, dtype=torch.long)
    kinds = torch.zeros(len(pairs), width, dtype=torch.long)
    mask = torch.zeros(len(pairs), width, dtype=torch.bool)
    for row, pair in enumerate(pairs):
        length = len(pair.ids)
        ids[row, :length] = torch.tensor(pair.ids)
        kinds[row, :length] = torch.tensor(pair.kinds)
        mask[row, :length] = True
    return ids, kinds, mask
