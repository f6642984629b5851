"""Figures of a reader on the articles kept out of its training, and the joined scores fitted to it.

`python training/evaluate.py --bench DIR --reader FILE --work DIR`
"""

import argparse
import collections
import hashlib
import re
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from network import Network, padded
from pairs import HELD_OUT, TRAINED, Asked, Candidate, gather, held_out_titles, training

from embeddings import adapter
from embeddings.encoder import default_model
from qa.reader import Reading, decoded

READ = 10
BATCH = 32
LEAD = 0.2


@dataclass(frozen=True, slots=True)
class Read:
    """A question with its best candidates, read, and the reading of the passage with the answer."""

    asked: Asked
    candidates: tuple[Candidate, ...]
    readings: tuple[Reading, ...]
    gold: Reading | None


def main() -> None:
    """Reads the command line and prints the figures."""
    options = _options()
    names = options.sets or [*TRAINED, *HELD_OUT]
    torch.set_num_threads(options.threads)
    asked = gather(options.bench, options.work, names)
    tuned = training(asked, "tune", held_out_titles(options.bench))
    tested = [each for each in asked if each.part == "test"]
    network = _network(options.reader)
    tune = [_read for name in names for _read in read(network, _sample(tuned, name, options.tune))]
    rank = fit_ranking(tune)
    print("ranking: score = retrieval*{:.3f} + relevance*{:.3f} + margin*{:.3f}".format(*rank))
    sure = fit_confidence(tune, rank)
    print("confidence:", " ".join(f"{value:.3f}" for value in sure), flush=True)
    every: list[Read] = []
    for name in names:
        found = read(network, _sample(tested, name, options.sample))
        every += found
        print(_line(name, found, rank, sure), flush=True)
    off_topic(every, rank, sure)


def read(network: Network, asked: Sequence[Asked]) -> list[Read]:
    """The best candidates of each question, and its passage with the answer, read by torch."""
    _, tokenizer = default_model()
    jobs: list[tuple[adapter.Pair, str]] = []
    for each in asked:
        texts = [*each.candidates[:READ], *_gold(each)]
        pairs = adapter.paired(tokenizer, each.text, [(it.title, it.text) for it in texts])
        jobs += [(pair, it.text) for pair, it in zip(pairs, texts, strict=True)]
    readings = _readings(network, jobs)
    found = []
    at = 0
    for each in asked:
        candidates = tuple(it for it in each.candidates[:READ] if it.found)
        count = len(each.candidates[:READ])
        gold = readings[at + count] if _gold(each) else None
        found.append(Read(each, candidates, tuple(readings[at : at + len(candidates)]), gold))
        at += count + len(_gold(each))
    return found


def _gold(asked: Asked) -> list[Candidate]:
    """The passage with the answer, where its place is known."""
    return [each for each in asked.candidates if each.spans][:1]


def _readings(network: Network, jobs: Sequence[tuple[adapter.Pair, str]]) -> list[Reading]:
    found: dict[int, Reading] = {}
    order = sorted(range(len(jobs)), key=lambda row: len(jobs[row][0].ids))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        with torch.no_grad():
            spans, relevance = network(*padded([jobs[row][0] for row in rows]))
        values = spans.numpy()
        for place, row in enumerate(rows):
            pair, text = jobs[row]
            own = values[place, pair.begin : pair.begin + len(pair.offsets)]
            null = float(values[place, 0].sum())
            scores = adapter.Scores(own[:, 0], own[:, 1], null, float(relevance[place]))
            found[row] = decoded(text, pair, scores)
    return [found[row] for row in range(len(jobs))]


def features(candidate: Candidate, reading: Reading) -> tuple[float, float, float]:
    """What the joined score weighs: retrieval, relevance and the span's margin, all bounded.

    Unbounded logits outvote retrieval where the reader knows least: on questions that only make
    sense in their conversation.
    """
    return candidate.score, reading.relevance, 1 / (1 + float(np.exp(-margin(reading) / 3)))


def logit(probability: float) -> float:
    """The log odds, within ±8."""
    kept = min(max(probability, 3.4e-4), 1 - 3.4e-4)
    return float(np.log(kept / (1 - kept)))


def margin(reading: Reading) -> float:
    """The span's score over "not here", within ±15."""
    return min(max(reading.answerable, -15.0), 15.0)


def fit_ranking(reads: Iterable[Read]) -> np.ndarray:
    """Weights under which the softmax over candidates most often falls on one that answers."""
    lists = []
    for each in reads:
        good = [_answers(candidate, each.asked) for candidate in each.candidates]
        if each.asked.answerable and any(good) and not all(good):
            values = [features(*pair) for pair in zip(each.candidates, each.readings, strict=True)]
            lists.append((torch.tensor(values), torch.tensor(good)))
    weights = torch.tensor([8.0, 0.8, 0.8], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (
            torch.stack(
                [
                    torch.logsumexp(values @ weights, 0)
                    - torch.logsumexp((values @ weights)[good], 0)
                    for values, good in lists
                ]
            ).mean()
            + 1e-4 * (weights**2).sum()
        )
        loss.backward()
        return loss

    optimizer.step(closure)
    return weights.detach().numpy()


def fit_confidence(reads: Sequence[Read], rank: np.ndarray) -> np.ndarray:
    """Weights of a logistic function that says whether the first passage answers."""
    from sklearn.linear_model import LogisticRegression

    values = np.array([signs(each, rank) for each in reads])
    truth = np.array([_right(each, best(each, rank)) for each in reads])
    fitted = LogisticRegression(C=1.0, max_iter=1000).fit(values, truth)
    return np.concatenate([fitted.intercept_, fitted.coef_[0]])


def signs(each: Read, rank: np.ndarray) -> tuple[float, ...]:
    """What the confidence weighs: of the first passage its cosine, coverage, relevance and margin.

    And its lead over the second in the joined score, at most LEAD.
    """
    place = best(each, rank)
    candidate, reading = each.candidates[place], each.readings[place]
    joined = sorted(_joined(each, rank), reverse=True)
    lead = min(joined[0] - joined[1], LEAD) if len(joined) > 1 else LEAD
    return candidate.dense, candidate.coverage, logit(reading.relevance), margin(reading), lead


def best(each: Read, rank: np.ndarray) -> int:
    """The place of the candidate that the joined score puts first."""
    return int(np.argmax(_joined(each, rank)))


def _joined(each: Read, rank: np.ndarray) -> list[float]:
    values = [features(*pair) for pair in zip(each.candidates, each.readings, strict=True)]
    return (np.array(values) @ rank).tolist()


def _answers(candidate: Candidate, asked: Asked) -> bool:
    known = any(each.spans for each in asked.candidates)
    return bool(candidate.spans) if known else candidate.relevant


def _right(each: Read, place: int) -> bool:
    return each.asked.answerable and _answers(each.candidates[place], each.asked)


def _line(name: str, reads: Sequence[Read], rank: np.ndarray, sure: np.ndarray) -> str:
    good = [each for each in reads if each.asked.answerable]
    bad = [each for each in reads if not each.asked.answerable]
    parts = [f"{name} n={len(good)}+{len(bad)}"]
    gold = [each for each in good if each.gold and each.asked.answers]
    if gold:
        said = [
            (each.gold.span.text if each.gold.span else "", each.asked.answers) for each in gold
        ]
        parts.append(f"EM {np.mean([exact(*it) for it in said]):.3f}")
        parts.append(f"F1 {np.mean([overlap(*it) for it in said]):.3f} (n={len(gold)})")
    before = np.mean([each.candidates[0].relevant for each in good])
    places = [best(each, rank) for each in good]
    after = np.mean([each.candidates[at].relevant for each, at in zip(good, places, strict=True)])
    parts.append(f"hit@1 {before:.3f} -> {after:.3f}")
    if gold:
        ends = [
            overlap(span.text if (span := each.readings[at].span) else "", each.asked.answers)
            for each, at in zip(good, places, strict=True)
        ]
        parts.append(f"end to end F1 {np.mean(ends):.3f}")
    if bad:
        for sign, value in _signals(rank, sure).items():
            area = auroc([value(each) for each in good], [value(each) for each in bad])
            parts.append(f"{sign} {area:.3f}")
    return "  ".join(parts)


def _signals(rank: np.ndarray, sure: np.ndarray) -> dict[str, Callable[[Read], float]]:
    return {
        "AUROC joined": lambda each: confidence(each, rank, sure),
        "retrieval": lambda each: each.candidates[0].score,
        "cosine": lambda each: each.candidates[0].dense,
        "relevance": lambda each: max(it.relevance for it in each.readings),
        "margin": lambda each: max(it.answerable for it in each.readings),
    }


def confidence(each: Read, rank: np.ndarray, sure: np.ndarray) -> float:
    """The probability that the first passage answers."""
    total = sure[0] + float(np.dot(sure[1:], signs(each, rank)))
    return 1 / (1 + float(np.exp(-total)))


def off_topic(reads: Sequence[Read], rank: np.ndarray, sure: np.ndarray) -> None:
    """Prints how the confidence of answerable and unanswerable questions is spread."""
    good = [confidence(each, rank, sure) for each in reads if each.asked.answerable]
    bad = [confidence(each, rank, sure) for each in reads if not each.asked.answerable]
    for least in (0.1, 0.2, 0.3, 0.4, 0.5):
        refused = np.mean([value < least for value in good])
        answered = np.mean([value >= least for value in bad]) if bad else 0.0
        print(f"threshold {least}: refused {refused:.3f} answered {answered:.3f}")


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


def _network(path: Path) -> Network:
    base, _ = default_model()
    network = Network(base, adapter.load(path).down[0]["up"].shape[0])
    network.restore(path)
    return network


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bench", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--reader", type=Path, required=True, help="safetensors file to measure")
    parser.add_argument("--work", type=Path, required=True, help="keeps indexed sets")
    parser.add_argument("--sample", type=int, default=300, help="questions of a kind and set")
    parser.add_argument("--tune", type=int, default=150)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("sets", nargs="*")
    return parser.parse_args()


if __name__ == "__main__":
    main()
