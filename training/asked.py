"""A question of a set with what was found for it, and the files that keep such questions."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qa.model import NoiseKind

# So many passages the retriever is asked for.
CANDIDATES = 20
_PLACES = ("spans", "plausible")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that the retriever found, or that holds the answer.

    `spans` are `[start, end)` of answers in `text`; `relevant` is what the set says of its article.
    `near` is a passage that an unanswerable question was written about, `plausible` the words in it
    that look like the answer.
    """

    doc: str
    title: str
    text: str
    relevant: bool
    spans: tuple[tuple[int, int], ...] = ()
    dense: float = 0.0
    lexical: float = 0.0
    coverage: float = 0.0
    found: bool = True
    near: bool = False
    plausible: tuple[tuple[int, int], ...] = ()
    score: float = 0.0
    noise: NoiseKind | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of a set with its candidates, best first; `part` is train, tune or test.

    `origin` is the set that it comes from, where it is asked of another.
    """

    name: str
    id: str
    text: str
    title: str
    part: str
    answerable: bool
    answers: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    origin: str = ""


def cached(path: Path, found: Iterable[Asked]) -> list[Asked]:
    """The questions in a file, which are found and written first if it is not there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(asdict(each)) for each in found]
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text("\n".join(lines), encoding="utf-8")
        unfinished.replace(path)
    return [_asked(json.loads(line)) for line in path.read_text("utf-8").split("\n") if line]


def _asked(row: dict[str, Any]) -> Asked:
    candidates = tuple(
        Candidate(**{**each, **{name: tuple(map(tuple, each[name])) for name in _PLACES}})
        for each in row.pop("candidates")
    )
    return Asked(**{**row, "answers": tuple(row["answers"]), "candidates": candidates})
