"""Confidence fitted to a user's own questions: Platt scaling (Platt, 1999) of what ships."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qa.errors import QaError
from qa.model import Answer, Mode

# With fewer of a kind a fit says more about chance than about the articles.
LEAST_OF_A_KIND = 5
# The share of answerable questions that may be called unanswered.
REFUSED = 0.05
# Keeps the odds of a confidence of 0 or 1 finite.
_SUREST = 1e-4


@dataclass(frozen=True, slots=True)
class Calibration:
    """A confidence c becomes 1 / (1 + exp(-(slope ln(c / (1 - c)) + offset))).

    Below `threshold`, of the new scale, nothing here answers.
    """

    slope: float
    offset: float
    threshold: float

    def of(self, confidence: float) -> float:
        """The confidence on the new scale."""
        return 1.0 / (1.0 + math.exp(-(self.slope * _log_odds(confidence) + self.offset)))


@dataclass(frozen=True, slots=True)
class Example:
    """A question of the user's, and what tells a right answer: words in the passage, or a source.

    Neither means that nothing in the library answers it.
    """

    question: str
    answers: tuple[str, ...] = ()
    source: str | None = None

    @property
    def answerable(self) -> bool:
        """Whether the library answers it."""
        return bool(self.answers or self.source)


@dataclass(frozen=True, slots=True)
class Graded:
    """The confidence of one answer, whether its first passage was right, and could have been."""

    confidence: float
    right: bool
    answerable: bool


def examples(path: Path) -> list[Example]:
    """The questions in a JSONL file, as docs/reader.md describes it.

    Raises:
        QaError: the file cannot be read, or a line is no question.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QaError(f"Cannot read {path}: {error}. Give a file of one JSON a line.") from error
    found = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                found.append(_example(json.loads(line)))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise QaError(
                    f'{path} line {number} is no question ({error}). Write {{"question": …, '
                    '"answers": […]} or {"question": …, "answerable": false}.'
                ) from error
    return found


def graded(example: Example, answer: Answer) -> Graded:
    """An answer against what was expected: copies of its first passage count as it does."""
    right = False
    if example.answerable and answer.hits:
        first = answer.hits[0]
        text = _plain(first.passage.text)
        sources = [citation.source for citation in (first.citation, *first.also_in)]
        right = not example.answers or any(_plain(said) in text for said in example.answers)
        right &= example.source is None or any(example.source in each for each in sources)
    return Graded(answer.confidence, right, example.answerable)


def fit(found: Sequence[Graded], refused: float = REFUSED) -> Calibration:
    """The slope and offset of greatest likelihood, and the threshold for a share of refusals.

    Raises:
        QaError: too few answers were right, or too few were wrong.
    """
    from sklearn.linear_model import LogisticRegression

    right = sum(each.right for each in found)
    if min(right, len(found) - right) < LEAST_OF_A_KIND:
        raise QaError(
            f"Of {len(found)} questions {right} were answered right and {len(found) - right} were "
            f"not; {LEAST_OF_A_KIND} of each are needed. Add questions that the articles answer, "
            "and some that they do not."
        )
    model = LogisticRegression(C=10.0)
    model.fit([[_log_odds(each.confidence)] for each in found], [each.right for each in found])
    slope, offset = float(model.coef_[0][0]), float(model.intercept_[0])
    if slope <= 0:
        raise QaError(
            "On these questions the surer answers were the wrong ones, so nothing can be fitted. "
            "Check the answers and sources in the file."
        )
    made = Calibration(slope, offset, 0.0)
    answerable = sorted(made.of(each.confidence) for each in found if each.answerable)
    threshold = answerable[int(refused * len(answerable))] if answerable else 0.0
    return Calibration(slope, offset, math.floor(threshold * 1e4) / 1e4)


def kept_as(mode: Mode, reader: str | None) -> str:
    """The name under which a library keeps the calibration for a mode and the reader of a name."""
    return f"calibration {mode} {'none' if reader is None else reader}"


def to_json(calibration: Calibration) -> str:
    """A calibration as it is kept in a library."""
    return json.dumps(asdict(calibration))


def from_json(text: str) -> Calibration:
    """The calibration that `to_json` wrote."""
    return Calibration(**json.loads(text))


def _example(row: dict[str, Any]) -> Example:
    question = row["question"] if "question" in row else row["text"]
    answers, source = row.get("answers") or (), row.get("source")
    if not isinstance(question, str) or isinstance(answers, str):
        raise TypeError("a question is a string, answers are a list")
    if row.get("answerable") is False:
        return Example(question)
    if not answers and not source:
        raise ValueError("neither answers nor a source, and not said to be unanswerable")
    return Example(question, tuple(map(str, answers)), source)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _log_odds(confidence: float) -> float:
    kept = min(max(confidence, _SUREST), 1 - _SUREST)
    return math.log(kept / (1 - kept))
