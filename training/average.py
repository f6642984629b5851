"""One reader of several: `python training/average.py A B --out FILE`.

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
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    options = parser.parse_args()
    abouts = []
    for path in options.readers:
        with safe_open(path, "pt") as file:
            abouts.append(file.metadata())
    made = mean([load_file(path) for path in options.readers])
    about = {**abouts[0], "command": "python training/average.py", "of": json.dumps(abouts)}
    save_file(made, options.out, metadata=about)


def mean(readers: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of readers' tensors, in half precision."""
    found: dict[str, Tensor] = {}
    for name, value in readers[0].items():
        if name.endswith(".up"):
            continue
        if name.endswith(".down"):
            other = name.removesuffix("down") + "up"
            change = sum(each[other].float() @ each[name].float() for each in readers)
            found[other], found[name] = _factors(change / len(readers), value.shape[0])
        else:
            found[name] = sum(each[name].float() for each in readers) / len(readers)
    return {name: value.half().contiguous() for name, value in found.items()}


def _factors(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The two factors of a matrix's best approximation of a rank (Eckart and Young, 1936)."""
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    root = values[:rank].sqrt()
    return left[:, :rank] * root, root[:, None] * right[:rank]


if __name__ == "__main__":
    main()
