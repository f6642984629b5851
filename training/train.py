"""Trains the reader's adapter: `python training/train.py --bench DIR --out FILE`."""

import argparse
import copy
import datetime as dt
import itertools
import math
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
import torch.nn.functional as F  # noqa: N812 - its name everywhere
from asked import Asked
from gathering import gather, off_topic
from network import Network, padded
from pairs import Pair, groups
from parts import TRAINED, held_out_titles, training
from torch import Tensor

from embeddings import adapter
from embeddings.encoder import default_model

GROUPS = 12
# Questions of other sets that each set is asked: what nobody wrote an article about.
OFF_TOPIC = 700
NEGATIVES = 1
RATE = 1e-3
# The rate rises for this many steps.
WARM = 60
# What finding words that only look like an answer counts, against finding answers.
PLAUSIBLE = 0.5
# An interrupted run leaves a file that can be looked at.
SAVED_EVERY = 50
# The weights of a moving mean are saved: they read better than those of any one step.
AVERAGED = 0.99


@dataclass(frozen=True, slots=True)
class Example:
    """A pair as tokens.

    `place` is the answer's first and last, 0 without one, None if unknown; `plausible` that of the
    words which look like an answer and are none.
    """

    tokens: adapter.Pair
    answers: bool
    place: tuple[int, int] | None
    plausible: tuple[int, int] | None = None


def main() -> None:
    """Reads the command line and trains."""
    options = _options()
    with TemporaryDirectory() as temporary:
        work = options.work or Path(temporary)
        _questions(options, work)
        if options.processes == 1:
            _work(0, options, work)
            return
        meeting = Path(temporary, "meeting").as_uri()
        torch.multiprocessing.spawn(_side, (options, work, meeting), nprocs=options.processes)


def _side(rank: int, options: argparse.Namespace, work: Path, meeting: str) -> None:
    """Trains beside others that have the same weights and other parts of each batch."""
    dist.init_process_group("gloo", meeting, rank=rank, world_size=options.processes)
    _work(rank, options, work)
    dist.destroy_process_group()


def _work(rank: int, options: argparse.Namespace, work: Path) -> None:
    # A thread waits for the slowest of its like at every sum, a process once a step.
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    kept = _questions(options, work)
    base, tokenizer = default_model()
    network = Network(base, options.rank)
    if options.start is not None:
        network.restore(options.start)
    about = {
        "data": ", ".join(_names(options)),
        "questions": str(len(kept)),
        "command": " ".join(["python", "training/train.py", *_told(sys.argv[1:])]),
        "version": _version(),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "base": "all-MiniLM-L6-v2",
    }
    steps = max(1, int(options.epochs * len(kept) / GROUPS))
    batches = _batches(kept, options.negatives, tokenizer, random.Random(options.seed))
    shares = (batch[rank :: options.processes] for batch in batches)
    for step, mean in train(network, shares, steps, options.minutes, loud=rank == 0):
        if rank == 0 and step % SAVED_EVERY == 0:
            mean.save(options.out, about | {"steps": str(step)})
    if rank == 0:
        mean.save(options.out, about | {"steps": str(step)})


def _questions(options: argparse.Namespace, work: Path) -> list[Asked]:
    """The questions to train on; `work` keeps them for the next who asks."""
    asked = gather(options.bench, work, _names(options), options.examples)
    smoke = options.examples is not None  # one set, and nothing held out
    kept = training(asked, "train", () if smoke else held_out_titles(options.bench))
    if not kept:
        raise SystemExit(f"Nothing to train on: no article of {options.bench} is for training.")
    return kept[: options.examples] if smoke else kept + off_topic(work, kept, OFF_TOPIC, ["train"])


def train(
    network: Network,
    batches: Iterator[list[list[Example]]],
    steps: int,
    minutes: float,
    *,
    loud: bool = True,
) -> Iterator[tuple[int, Network]]:
    """Trains on a batch for each step, and gives the steps done and the moving mean.

    The rate falls with the steps done or with the time that has gone by, whichever is further.
    """
    trained = [value for value in network.parameters() if value.requires_grad]
    mean = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01)
    began = time.perf_counter()
    loss_mean = count = done = 0.0
    step = 0
    while done < 1.0:
        step += 1
        examples = next(batches)
        loss = _loss(network, examples)
        optimizer.zero_grad()
        loss.backward()
        seconds = time.perf_counter() - began
        loss, done = _together(trained, loss.item(), max(step / steps, seconds / 60 / minutes))
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        rate = RATE * min(1.0, step / WARM) * (1 + math.cos(math.pi * min(1.0, done))) / 2
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        with torch.no_grad():
            for kept, value in zip(mean.parameters(), network.parameters(), strict=True):
                kept.lerp_(value, 1 - AVERAGED)
        loss_mean = 0.98 * loss_mean + 0.02 * loss
        count += sum(map(len, examples))
        if loud and (step % 25 == 0 or done >= 1.0):
            print(
                f"{step}/{steps} loss {loss_mean / (1 - 0.98**step):.3f} "
                f"{count / seconds:.1f}/s a process",
                flush=True,
            )
        yield step, mean


def _together(trained: Sequence[Tensor], loss: float, done: float) -> tuple[float, float]:
    """Makes the gradients the mean over all processes; gives the mean loss, and share done."""
    if not dist.is_initialized():
        return loss, done
    parts = [value.grad.flatten() for value in trained]
    flat = torch.cat([*parts, torch.tensor([loss, done])])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for value, part in zip(trained, flat.split([*map(len, parts), 2]), strict=False):
        value.grad.copy_(part.view_as(value))
    return float(flat[-2]), float(flat[-1])


def example(tokenizer: object, pair: Pair) -> Example:
    """A pair as tokens, and the tokens that its answer covers."""
    (tokens,) = adapter.paired(tokenizer, pair.question, [(pair.title, pair.text)])
    place = _covered(tokens, pair.span) if pair.span else None
    if not pair.answers:
        return Example(tokens, answers=False, place=(0, 0), plausible=place)
    return Example(tokens, answers=True, place=place)


def _covered(tokens: adapter.Pair, span: tuple[int, int]) -> tuple[int, int] | None:
    """The first and last token that a span covers; None where the input ends before it."""
    covered = [
        tokens.begin + number
        for number, (begin, stop) in enumerate(tokens.offsets)
        if stop > span[0] and begin < span[1]
    ]
    return (covered[0], covered[-1]) if covered else None


def _batches(
    asked: Sequence[Asked], negatives: int, tokenizer: object, dice: random.Random
) -> Iterator[list[list[Example]]]:
    """Groups without end; those of like length stand together."""
    while True:
        order = list(asked)
        dice.shuffle(order)
        for start in range(0, len(order), 30 * GROUPS):
            stretch = [
                [example(tokenizer, pair) for pair in groups(each, negatives, dice)]
                for each in order[start : start + 30 * GROUPS]
            ]
            stretch = [group for group in stretch if group]
            stretch.sort(key=lambda group: max(len(each.tokens.ids) for each in group))
            # Of like size: every process needs something of every batch.
            count = math.ceil(len(stretch) / GROUPS)
            ends = [len(stretch) * number // count for number in range(count + 1)]
            batches = [stretch[first:end] for first, end in itertools.pairwise(ends)]
            dice.shuffle(batches)
            yield from batches


def _loss(network: Network, batch: Sequence[Sequence[Example]]) -> Tensor:
    """Where the answer is, whether there is one, and which pair of a group has it."""
    examples = [each for group in batch for each in group]
    ids, kinds, mask = padded([each.tokens for each in examples])
    spans, relevance = network(ids, kinds, mask)
    allowed = torch.zeros_like(mask)
    allowed[:, 0] = True
    for row, each in enumerate(examples):
        allowed[row, each.tokens.begin : each.tokens.begin + len(each.tokens.offsets)] = True
    spans = spans.masked_fill(~allowed[:, :, None], -1e4)
    known = [row for row, each in enumerate(examples) if each.place is not None]
    places = torch.tensor([examples[row].place for row in known])
    where = F.cross_entropy(spans[known, :, 0], places[:, 0])
    where = where + F.cross_entropy(spans[known, :, 1], places[:, 1])
    where = where + PLAUSIBLE * _where_it_seems(spans, examples)
    truth = torch.tensor([float(each.answers) for each in examples])
    whether = F.binary_cross_entropy_with_logits(relevance, truth)
    which = []
    row = 0
    for group in batch:
        if len(group) > 1 and group[0].answers:
            which.append(-F.log_softmax(relevance[row : row + len(group)], 0)[0])
        row += len(group)
    chosen = torch.stack(which).mean() if which else torch.zeros(())
    return where / 2 + whether + chosen / 2


def _where_it_seems(spans: Tensor, examples: Sequence[Example]) -> Tensor:
    """Where words stand that look like an answer and are none, "not here" left aside."""
    rows = [row for row, each in enumerate(examples) if each.plausible]
    if not rows:
        return torch.zeros(())
    places = torch.tensor([examples[row].plausible for row in rows])
    inside = spans[rows].clone()
    inside[:, 0] = -1e4
    share = len(rows) / len(examples)
    first = F.cross_entropy(inside[:, :, 0], places[:, 0])
    return share * (first + F.cross_entropy(inside[:, :, 1], places[:, 1]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    parser.add_argument("--work", type=Path, help="keeps indexed sets for another run")
    parser.add_argument("--examples", type=int, help="smoke run on that many questions")
    parser.add_argument("--minutes", type=float, default=120.0, help="at most this long")
    parser.add_argument("--start", type=Path, help="a reader to go on from")
    parser.add_argument("--epochs", type=float, default=4.0)
    parser.add_argument("--negatives", type=int, default=NEGATIVES)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _names(options: argparse.Namespace) -> list[str]:
    """The sets to train on."""
    return list(TRAINED) if options.examples is None else ["xquad-en"]


def _told(arguments: Sequence[str]) -> list[str]:
    """The command without the folders of this machine."""
    return [Path(each).name if "/" in each else each for each in arguments]


def _version() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
