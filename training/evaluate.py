"""Figures of a reader on the articles kept out of its training, and the joined scores fitted to it.

`python training/evaluate.py --bench DIR --reader FILE --work DIR`
"""

import argparse
import collections
import hashlib
import os
import re
import string
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from asked import Asked, Candidate
from gathering import gather, off_topic
from network import Network, padded
from parts import HELD_OUT, TRAINED, held_out_titles, training

from embeddings import adapter
from embeddings.encoder import default_model
from qa import joining
from qa.joining import Weights
from qa.model import Citation, Hit, Passage
from qa.reader import Reading, decoded

BATCH = 32
# Weights that are tried for relevance.
GRID = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4)
KINDS = (0.0, 0.01, 0.02, 0.04)
SURE = ("dense", "coverage", "relevance", "margin", "kind", "lead")


@dataclass(frozen=True, slots=True)
class Read:
    """A question with its best candidates as hits, read, and the reading of the gold passage."""

    asked: Asked
    hits: tuple[Hit, ...]
    readings: tuple[Reading, ...]
    good: tuple[bool, ...]
    gold: Reading | None

    def joined(self, weights: Weights) -> list[Hit]:
        """The hits as the product ranks them."""
        return joining.joined(self.asked.text, self.hits, self.readings, weights)

    def right(self, weights: Weights) -> bool:
        """Whether the first of them answers."""
        return bool(self.hits) and self.good[self.joined(weights)[0].passage.id]

    def confidence(self, weights: Weights) -> float:
        """How sure the product is of that."""
        return joining.of(self.joined(weights), "hybrid", weights)


def main() -> None:
    """Reads the command line and prints the figures."""
    options = _options()
    names = options.sets or [*TRAINED, *HELD_OUT]
    asked = gather(options.bench, options.work, names)
    foreign = off_topic(options.work, asked, options.tune)
    tuned = training(asked, "tune", held_out_titles(options.bench))
    tested = [each for each in asked if each.part == "test"]
    away = {
        part: [each for each in foreign if each.part == part and (part == "test" or _fits(each))]
        for part in ("tune", "test")
    }
    pool = ProcessPoolExecutor(
        options.processes, get_context("spawn"), initializer=_start, initargs=(options.reader,)
    )
    with pool:
        tune = read(pool, [it for name in names for it in _sample(tuned, name, options.tune)])
        tune_away = read(pool, away["tune"])
        weights = fit([*tune, *tune_away])
        print(weights, flush=True)
        every: list[Read] = []
        for name in names:
            found = read(pool, _sample(tested, name, options.sample))
            every += found
            print(_line(name, found, weights), flush=True)
        report(every, read(pool, away["test"]), weights)


def _fits(asked: Asked) -> bool:
    """Whether an off-topic question may be tuned on: its set, and where it is asked, are tuned on.

    Nothing of the sets that are held out whole is looked at in tuning.
    """
    return asked.name in TRAINED and asked.origin in TRAINED


def read(pool: ProcessPoolExecutor, asked: Sequence[Asked]) -> list[Read]:
    """The best candidates of each question, and its passage with the answer, read by torch."""
    stretches = [asked[at : at + BATCH] for at in range(0, len(asked), BATCH)]
    return [one for found in pool.map(_read, stretches) for one in found]


_networks: list[Network] = []


def _start(path: Path) -> None:
    """Loads the reader in a process of the pool."""
    torch.set_num_threads(1)
    base, _ = default_model()
    network = Network(base, adapter.load(path).down[0]["up"].shape[0])
    network.restore(path)
    _networks.append(network)


def _read(asked: Sequence[Asked]) -> list[Read]:
    _, tokenizer = default_model()
    jobs: list[tuple[str, adapter.Pair, str]] = []
    for each in asked:
        texts = [*_found(each), *_gold(each)]
        pairs = adapter.paired(tokenizer, each.text, [(it.title, it.text) for it in texts])
        jobs += [(each.text, pair, it.text) for pair, it in zip(pairs, texts, strict=True)]
    readings = iter(_readings(_networks[0], jobs))
    found = []
    for each in asked:
        candidates = _found(each)
        own = tuple(next(readings) for _ in candidates)
        gold = next(readings) if _gold(each) else None
        hits = tuple(_hit(place, it) for place, it in enumerate(candidates))
        good = tuple(each.answerable and _answers(it, each) for it in candidates)
        found.append(Read(each, hits, own, good, gold))
    return found


def _found(asked: Asked) -> list[Candidate]:
    """The candidates that the product would read at most."""
    return [each for each in asked.candidates if each.found][: joining.READ]


def _gold(asked: Asked) -> list[Candidate]:
    """The passage with the answer, where its place is known."""
    return [each for each in asked.candidates if each.spans][:1]


def _hit(place: int, candidate: Candidate) -> Hit:
    """A candidate as retrieval gives it; its place stands for the passage's id."""
    where = Citation(
        candidate.doc, candidate.title, "", None, None, 1, 1, 0, len(candidate.text), ""
    )
    passage = Passage(place, candidate.text, where, noise=candidate.noise)
    signals = {
        "dense": candidate.dense, "lexical": candidate.lexical, "coverage": candidate.coverage,
    }  # fmt: skip
    return Hit(place + 1, candidate.score, passage, signals=signals)


def _readings(network: Network, jobs: Sequence[tuple[str, adapter.Pair, str]]) -> list[Reading]:
    found: dict[int, Reading] = {}
    order = sorted(range(len(jobs)), key=lambda row: len(jobs[row][1].ids))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        with torch.no_grad():
            spans, relevance = network(*padded([jobs[row][1] for row in rows]))
        values = spans.numpy()
        for place, row in enumerate(rows):
            question, pair, text = jobs[row]
            own = values[place, pair.begin : pair.begin + len(pair.offsets)]
            null = float(values[place, 0].sum())
            scores = adapter.Scores(own[:, 0], own[:, 1], null, float(relevance[place]))
            found[row] = decoded(question, text, pair, scores)
    return [found[row] for row in range(len(jobs))]


def fit(reads: Sequence[Read]) -> Weights:
    """The weights of ranking by a grid, and then those of the confidence by likelihood.

    Sets count alike, whatever their size.
    """
    best = max(
        product(GRID, KINDS),
        key=lambda each: (_first(reads, Weights(*each, 0.0, {})), -sum(each)),
    )
    return fit_confidence(reads, Weights(*best, 0.0, {}))


def _first(reads: Sequence[Read], weights: Weights) -> float:
    """The share of answerable questions whose first passage answers, as a mean over sets."""
    by_set: dict[str, list[bool]] = {}
    for each in reads:
        if each.asked.answerable and any(each.good):
            by_set.setdefault(each.asked.name, []).append(each.right(weights))
    return float(np.mean([np.mean(right) for right in by_set.values()]))


def fit_confidence(reads: Sequence[Read], weights: Weights) -> Weights:
    """The weights with those of a logistic function that says whether the first passage answers."""
    from sklearn.linear_model import LogisticRegression

    kept = [each for each in reads if each.hits]
    seen = [joining.signs(each.joined(weights), weights) for each in kept]
    values = np.array([[signs[name] for name in SURE] for signs in seen])
    fitted = LogisticRegression(C=1.0, max_iter=1000)
    fitted.fit(values, [each.right(weights) for each in kept])
    sure = dict(zip(SURE, map(float, np.round(fitted.coef_[0], 3)), strict=True))
    return replace(weights, base=round(float(fitted.intercept_[0]), 3), sure=sure)


def _answers(candidate: Candidate, asked: Asked) -> bool:
    known = any(each.spans for each in asked.candidates)
    return bool(candidate.spans) if known else candidate.relevant


def _line(name: str, reads: Sequence[Read], weights: Weights) -> str:
    good = [each for each in reads if each.asked.answerable]
    bad = [each for each in reads if not each.asked.answerable]
    parts = [f"{name} n={len(good)}+{len(bad)}"]
    gold = [each for each in good if each.gold and each.asked.answers]
    if gold:
        said = [(_said(each.gold), each.asked.answers) for each in gold if each.gold]
        parts.append(f"EM {np.mean([exact(*it) for it in said]):.3f}")
        parts.append(f"F1 {np.mean([overlap(*it) for it in said]):.3f} (n={len(gold)})")
    before = np.mean([bool(each.good) and each.good[0] for each in good])
    after = np.mean([each.right(weights) for each in good])
    parts.append(f"hit@1 {before:.3f} -> {after:.3f}")
    if gold:
        ends = [overlap(_end(each, weights), each.asked.answers) for each in good]
        parts.append(f"end to end F1 {np.mean(ends):.3f}")
    if bad:
        for sign, value in _signals(weights).items():
            area = auroc([value(each) for each in good], [value(each) for each in bad])
            parts.append(f"{sign} {area:.3f}")
    return "  ".join(parts)


def _said(reading: Reading) -> str:
    return reading.span.text if reading.span else ""


def _end(each: Read, weights: Weights) -> str:
    """The words marked in the first passage."""
    hits = each.joined(weights)
    return hits[0].span.text if hits and hits[0].span else ""


def _signals(weights: Weights) -> dict[str, Callable[[Read], float]]:
    return {
        "AUROC joined": lambda each: each.confidence(weights),
        "retrieval": lambda each: each.hits[0].score,
        "relevance": lambda each: max(it.relevance for it in each.readings),
        "margin": lambda each: max(it.answerable for it in each.readings),
    }


def report(reads: Sequence[Read], away: Sequence[Read], weights: Weights) -> None:
    """Prints how well the confidence is calibrated, and what thresholds would refuse and answer."""
    every = [*reads, *away]
    told = np.array([each.confidence(weights) for each in every])
    right = np.array([each.right(weights) for each in every])
    whole = np.array([each.asked.name in HELD_OUT for each in every])
    print(f"ECE {ece(told, right):.3f}, of tuned sets {ece(told[~whole], right[~whole]):.3f}")
    good = [each for each in reads if each.asked.answerable]
    near = [each for each in reads if not each.asked.answerable]
    for least in (0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5):
        answered = [
            np.mean([each.confidence(weights) >= least for each in kind])
            for kind in ([each for each in good if each.asked.name in TRAINED], good, near, away)
        ]
        print(
            f"threshold {least}: refused {1 - answered[0]:.3f}, with the sets held out "
            f"{1 - answered[1]:.3f}; answered near misses {answered[2]:.3f}, "
            f"off-topic {answered[3]:.3f}"
        )


def ece(told: np.ndarray, right: np.ndarray) -> float:
    """The expected calibration error over ten bins of equal width (Guo et al., 2017)."""
    bins = np.minimum((told * 10).astype(int), 9)
    gaps = [
        (bins == place).mean() * abs(told[bins == place].mean() - right[bins == place].mean())
        for place in set(bins.tolist())
    ]
    return float(sum(gaps))


def exact(said: str, answers: Iterable[str]) -> bool:
    """Whether an answer is one of those expected, without case, articles and punctuation."""
    return any(_normal(said) == _normal(answer) for answer in answers)


def overlap(said: str, answers: Iterable[str]) -> float:
    """The best F1 of an answer's words."""
    return max((_f1(_normal(said).split(), _normal(it).split()) for it in answers), default=0.0)


def _f1(said: Sequence[str], answer: Sequence[str]) -> float:
    same = sum((collections.Counter(said) & collections.Counter(answer)).values())
    return 2 * same / (len(said) + len(answer)) if same else 0.0


def _normal(text: str) -> str:
    bare = "".join(char for char in text.lower() if char not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def auroc(good: Sequence[float], bad: Sequence[float]) -> float:
    """The chance that one of the good is above one of the bad, ties by halves."""
    above = np.subtract.outer(np.array(good), np.array(bad))
    return float((above > 0).mean() + (above == 0).mean() / 2)


def _sample(asked: Sequence[Asked], name: str, count: int) -> list[Asked]:
    """At most `count` questions of a set, as many answerable as not where both are."""
    found: list[Asked] = []
    for answerable in (True, False):
        kind = [it for it in asked if it.name == name and it.answerable is answerable]
        kind.sort(key=lambda it: hashlib.sha256(it.id.encode()).digest())
        found += kind[:count]
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--reader", type=Path, required=True, help="safetensors file to measure")
    parser.add_argument("--work", type=Path, required=True, help="keeps indexed sets")
    parser.add_argument("--sample", type=int, default=300, help="questions of a kind and set")
    parser.add_argument("--tune", type=int, default=150)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("sets", nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    main()
