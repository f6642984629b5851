"""Which questions are for training, for tuning and for tests.

Sets are parted by article, and an article's title decides its part in every set.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from asked import Asked
from sets import WRITTEN, rows

# Shares of articles, by the hash of the title, that are kept for tests.
TRAINED = {
    "squad2": 1 / 3, "squadshifts-wiki": 1 / 3, "xquad-en": 1 / 3, "nq-qed": 1 / 5, "clapnq": 1 / 5,
    WRITTEN.name: 1 / 6,
}  # fmt: skip
TUNING = 0.12
HELD_OUT = ("inscit", "cast21", "time", "realtimeqa-2022")


def part(name: str, title: str) -> str:
    """The part that an article of a set belongs to."""
    if name not in TRAINED:
        return "test"
    place = int(hashlib.sha256(_plain(title).encode()).hexdigest()[:8], 16) / 2**32
    if place < TRAINED[name]:
        return "test"
    return "tune" if place < TRAINED[name] + TUNING else "train"


def part_of_question(name: str, title: str, question: str) -> str:
    """The part that a question belongs to, from the title of its article, "" without one."""
    if title or name not in TRAINED:
        return part(name, title)
    # Questions that no article answers are few, and none is for training.
    return "tune" if hashlib.sha256(question.encode()).digest()[0] % 3 == 0 else "test"


def training(
    asked: Iterable[Asked], part_name: str = "train", held_out: Iterable[str] = ()
) -> list[Asked]:
    """The questions of a part, without those whose article or text is held out in any set.

    Args:
        asked: questions of all parts.
        part_name: train or tune.
        held_out: titles of articles of the sets that are held out whole.
    """
    every = list(asked)
    kept_out = {_plain(title) for title in held_out}
    kept_out |= {_plain(each.title) for each in every if each.part == "test"}
    kept_out -= {""}
    texts = {
        candidate.text
        for each in every
        if each.part == "test"
        for candidate in each.candidates
        if candidate.spans
    }
    return [
        each
        for each in every
        if each.part == part_name
        and _plain(each.title) not in kept_out
        and not any(candidate.text in texts for candidate in each.candidates if candidate.spans)
    ]


def held_out_titles(bench: Path) -> list[str]:
    """The titles of all articles of the sets that are held out whole."""
    return [
        row.get("title") or "" for name in HELD_OUT for row in rows(bench / name / "corpus.jsonl")
    ]


def _plain(title: str) -> str:
    """A title without case, spaces and punctuation, and without the section after it."""
    return "".join(char for char in title.partition(" > ")[0].casefold() if char.isalnum())
