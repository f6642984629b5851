"""How good retrieval is, on data sets with known answers.

Passages stand for their articles: an article's rank is that of its best passage.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.errors import QuestionError
from qa.evaluation.dataset import load
from qa.evaluation.figures import (
    Bin,
    Figures,
    Refusals,
    articles,
    calibration_error,
    figures,
    refusals,
    reliability,
)
from qa.model import Answer, Mode, text_sha256

if TYPE_CHECKING:
    from qa.bot import Bot

_PASSAGES = 100
# Questions of another set that are asked for off-topic ones.
OFF_TOPIC = 100


@dataclass(frozen=True, slots=True)
class Measured:
    """One mode on one set; `seconds` is the time that all questions took."""

    mode: Mode
    figures: Figures
    seconds: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A set, measured; `unread` counts lines of the corpus that could not be read.

    `reliability`, `refusals` and `off_topic` are of hybrid answers, and empty when that mode was
    not measured. `refusals` is None too when every question of the set has an answer; `off_topic`
    is of other sets' questions, and None when there are none.
    """

    name: str
    articles: int
    passages: int
    questions: int
    unread: int
    indexing_seconds: float
    modes: tuple[Measured, ...]
    reliability: tuple[Bin, ...] = ()
    refusals: Refusals | None = None
    off_topic: Refusals | None = None


def evaluate(
    folder: Path,
    bot: "Bot",
    modes: Sequence[Mode],
    progress: Callable[[int, int], None] | None = None,
    others: Sequence[str] = (),
) -> Evaluation:
    """Indexes a set into the bot's library and asks its questions in each mode.

    A library that holds the set already is used as it is. `others` are questions that nothing in
    the set answers.

    Raises:
        QaError: a file of the set is missing or not what it should be.
    """
    data = load(folder)
    began = time.perf_counter()
    # Named, not by its path: the library of a set stays the same where its file is unpacked.
    added = bot.add_text(data.corpus, "corpus.jsonl")
    indexed = time.perf_counter() - began
    status = bot.status()
    measured = []
    answers: dict[str, Answer] = {}
    for number, mode in enumerate(modes):
        began = time.perf_counter()
        done = number * len(data.questions)
        found = {}
        for place, (question, text) in enumerate(data.questions.items(), start=1):
            found[question] = _ask(bot, text, mode)
            if progress is not None:
                progress(done + place, len(modes) * len(data.questions))
        seconds = time.perf_counter() - began
        run = {question: articles(answer.hits) for question, answer in found.items()}
        measured.append(Measured(mode, figures(run, data.qrels), seconds))
        if mode == "hybrid":
            answers = found
    answerable = [answer for question, answer in answers.items() if question in data.qrels]
    unanswerable = [answer for question, answer in answers.items() if question not in data.qrels]
    return Evaluation(
        name=folder.resolve().name,
        articles=status.articles,
        passages=status.passages,
        questions=len(data.qrels),
        unread=len(added.failed),
        indexing_seconds=indexed,
        modes=tuple(measured),
        reliability=reliability(answers, data.qrels),
        refusals=refusals(answerable, unanswerable),
        off_topic=refusals(answerable, [_ask(bot, text, "hybrid") for text in others])
        if answers
        else None,
    )


def sample(folder: Path) -> list[str]:
    """At most OFF_TOPIC questions of a set, always the same, to be asked of another.

    Raises:
        QaError: a file of the set is missing or not what it should be.
    """
    questions = load(folder).questions
    order = sorted(questions, key=text_sha256)
    return [questions[name] for name in order[:OFF_TOPIC]]


def table(evaluations: Sequence[Evaluation]) -> str:
    """The evaluations as lines for a terminal, one for each set and mode."""
    width = max([len("set"), *(len(each.name) for each in evaluations)])
    lines = [f"{'set':{width}}  mode     nDCG@10    R@5  MRR@10  Hit@1  questions  seconds"]
    for each in evaluations:
        for measured in each.modes:
            value = measured.figures
            lines.append(
                f"{each.name:{width}}  {measured.mode:7}  {value.ndcg_at_10:7.3f}"
                f"  {value.recall_at_5:5.3f}  {value.mrr_at_10:6.3f}  {value.hit_at_1:5.3f}"
                f"  {each.questions:9,}  {measured.seconds:7.1f}"
            )
    for each in evaluations:
        lines += ["", *_notes(each)]
    return "\n".join(lines)


def as_json(evaluations: Sequence[Evaluation]) -> list[dict[str, Any]]:
    """The evaluations as values that JSON can hold."""
    return [asdict(evaluation) for evaluation in evaluations]


def _notes(evaluation: Evaluation) -> Iterator[str]:
    """What a table has no column for."""
    unread = f", {evaluation.unread} lines not read" if evaluation.unread else ""
    yield (
        f"{evaluation.name}: {evaluation.articles:,} articles in {evaluation.passages:,} passages,"
        f" indexed in {evaluation.indexing_seconds:.1f} s{unread}"
    )
    for told, which in (
        (evaluation.refusals, "unanswerable questions"),
        (evaluation.off_topic, "questions of other sets"),
    ):
        if told:
            yield (
                f"  called unanswered: {told.refused:.1%} of the answerable questions,"
                f" {1 - told.answered:.1%} of {told.unanswerable:,} {which}; AUROC {told.auroc:.3f}"
            )
    if evaluation.reliability:
        yield f"  calibration error (ECE) {calibration_error(evaluation.reliability):.3f}"
    for filled in evaluation.reliability:
        yield (
            f"  confidence {filled.confidence:.2f}: {filled.right:.2f} right"
            f" of {filled.answers:,} answers"
        )


def _ask(bot: "Bot", text: str, mode: Mode) -> Answer:
    """The answer of a bot; a question that it will not take is one that it cannot answer."""
    try:
        return bot.ask(text, top_k=_PASSAGES, mode=mode)
    except QuestionError:
        return Answer(text, text, "unanswered", 0.0, (), 0)
