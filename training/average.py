"""One reader of several: `python training/average.py A B --shares 3 7 --out FILE`.

The mean of the weights of models fine-tuned from one base generalises better than any of them
(model soups: Wortsman et al., 2022, arXiv 2203.05482). The mean of low-rank changes has the sum of
their ranks; the best approximation of the first one's rank is kept.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor


def main() -> None:
    """Reads the command line and averages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", type=Path, nargs="+")
    parser.add_argument("--shares", type=float, nargs="+", help="of each; equal if left out")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    options = parser.parse_args()
    abouts = []
    for path in options.readers:
        with safe_open(path, "pt") as file:
            abouts.append(file.metadata())
    shares = options.shares or [1.0] * len(options.readers)
    made = mean([load_file(path) for path in options.readers], shares)
    command = f"python training/average.py … --shares {' '.join(map(str, shares))}"
    about = {**abouts[0], "command": command, "of": json.dumps(abouts)}
    save_file(made, options.out, metadata=about)


def mean(readers: Sequence[dict[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """The mean of readers' tensors, weighted by shares, in half precision."""
    parts = [share / sum(shares) for share in shares]
    found: dict[str, Tensor] = {}
    for name, value in readers[0].items():
        if name.endswith(".up"):
            continue
        if name.endswith(".down"):
            other = name.removesuffix("down") + "up"
            changes = [each[other].float() @ each[name].float() for each in readers]
            found[other], found[name] = _factors(_weighted(changes, parts), value.shape[0])
        else:
            found[name] = _weighted([each[name].float() for each in readers], parts)
    return {name: value.half().contiguous() for name, value in found.items()}


def _weighted(tensors: Sequence[Tensor], parts: Sequence[float]) -> Tensor:
    return torch.stack([part * each for part, each in zip(parts, tensors, strict=True)]).sum(0)


def _factors(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The two factors of a matrix's best approximation of a rank (Eckart and Young, 1936)."""
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    root = values[:rank].sqrt()
    return left[:, :rank] * root, root[:, None] * right[:rank]


if __name__ == "__main__":
    main()
