"""qa beside its peers: the same passages, the same weights, in turns.

    python benchmarks/peers/run.py [--sets DIR] [--peers plain,txtai,…]

Makes an environment for each peer (kept in --work), cuts articles into passages once, and measures
of each: a whole process from the question to the answer on an index on disk, from the passages to
an index on disk, questions to one process that goes on, peak memory, and how often the first, and
one of the first three and five passages, is right. --sets is a folder of data sets in BEIR layout,
of which xquad-en, nq-qed and seeds/questions.jsonl are taken where they are there. It writes a
table and its numbers as JSON into benchmarks/results.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

# In place of this folder, whose files have the names of packages.
sys.path[0] = str(Path(__file__).parent.parent)

import machine  # noqa: E402 -- the path is set above
from peers import contestants, environments, material, measure, report  # noqa: E402 -- the same
from peers.contestants import Contestant  # noqa: E402 -- the same
from peers.material import Material  # noqa: E402 -- the same

RESULTS = Path(__file__).parent.parent / "results"


def main() -> None:
    """Measures all, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sets", type=Path, default=Path(__file__).parents[2] / "training")
    parser.add_argument("--peers", default=",".join(contestants.PEERS), help="names, with commas")
    parser.add_argument("--work", type=Path, default=Path.home() / ".cache" / "qa-benchmarks")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the table")
    parser.add_argument("--passages", type=int, default=2000, help="of each set, at most")
    parser.add_argument("--questions", type=int, default=200, help="of each set, at most")
    parser.add_argument("--pairs", type=int, default=7, help="cold questions to each")
    options = parser.parse_args()
    work = options.work.resolve()
    peers = contestants.peers(options.peers.split(","), work, model())
    all_of_them = [*contestants.ours(), *peers]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sets = [
            material.cut(source, folder / "passages", options.passages, options.questions)
            for source in material.sources(options.sets)
        ]
        found = measured(sets, all_of_them, folder, options.pairs)
    result = {"machine": machine.described(), **found}
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{machine.today()}-peers.md"
    path.with_suffix(".json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    path.write_text(report.table(result), encoding="utf-8")
    print(report.table(result))


def model() -> str:
    """The folder of the weights that all share."""
    # In a process of its own, so that this one stays small.
    code = "from embeddings.weights import default_weights; print(default_weights().folder)"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def measured(
    sets: Sequence[Material], all_of_them: Sequence[Contestant], folder: Path, pairs: int
) -> dict[str, Any]:
    """All figures: those of speed on the largest set, those of what is found on each."""
    environment = environments.quiet(folder / "home")
    largest = max(sets, key=lambda each: each.count)
    filled: dict[tuple[str, str], measure.Taken] = {}
    found: dict[str, dict[str, Any]] = {each.name: {} for each in all_of_them}
    for each in all_of_them:
        for one in sets:
            print(f"{each.name}: {one.name}", file=sys.stderr)
            index = folder / one.name / each.place
            if (one.name, each.place) not in filled:
                index.mkdir(parents=True)
                command, stdin = each.fill(index, one.passages)
                filled[one.name, each.place] = measure.whole(command, environment, stdin)
            asked = [question.text for question in one.questions]
            answers = measure.warm(each.ask(index), environment, asked)
            found[each.name][one.name] = _hits(one, answers)
    cold = _cold(largest, all_of_them, folder, environment, pairs)
    rows = []
    for each in all_of_them:
        fill = filled[largest.name, each.place]
        ratios = {
            ours.name: _ratio(cold[each.name], cold[ours.name])
            for ours in all_of_them
            if isinstance(ours, contestants.Qa)
        }
        rows.append(
            {
                "name": each.name,
                "versions": each.versions,
                "lexical": each.lexical,
                "ours": isinstance(each, contestants.Qa),
                "cold_s": [one.seconds for one in cold[each.name]],
                "cold_mb": max(one.megabytes for one in cold[each.name]),
                "ratios": ratios,
                "fill_s": fill.seconds,
                "fill_mb": fill.megabytes,
                "sets": found[each.name],
            }
        )
    described = {
        one.name: {"passages": one.count, "questions": len(one.questions), "judged": one.judged}
        for one in sets
    }
    return {"largest": largest.name, "pairs": pairs, "sets": described, "rows": rows}


def _cold(
    one: Material,
    all_of_them: Sequence[Contestant],
    folder: Path,
    environment: Mapping[str, str],
    pairs: int,
) -> dict[str, list[measure.Taken]]:
    """Whole processes in turns, so that a slow moment of the machine slows all."""
    taken: dict[str, list[measure.Taken]] = {each.name: [] for each in all_of_them}
    for number in range(pairs):
        print(f"cold questions: {number + 1} of {pairs}", file=sys.stderr)
        question = one.questions[number % len(one.questions)].text
        for each in all_of_them:
            command, stdin = each.cold(folder / one.name / each.place, question)
            taken[each.name].append(measure.whole(command, environment, stdin, each.fine))
    return taken


def _ratio(theirs: Iterable[measure.Taken], ours: Iterable[measure.Taken]) -> float:
    """Median of how many times longer theirs took, pair by pair."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(theirs, ours, strict=True))


def _hits(one: Material, answers: Sequence[tuple[float, list[str]]]) -> dict[str, Any]:
    """The median question's milliseconds, and the share with a right passage in the first k."""

    def within(k: int) -> Iterator[bool]:
        for question, (_, ids) in zip(one.questions, answers, strict=True):
            yield not question.right.isdisjoint(ids[:k])

    return {
        "p50_ms": statistics.median(milliseconds for milliseconds, _ in answers),
        "empty": sum(not ids for _, ids in answers),
        **{f"at_{k}": statistics.mean(within(k)) for k in (1, 3, 5)},
    }


if __name__ == "__main__":
    main()
