"""How well follow-up questions are understood, on conversations with known answers.

Each question is asked alone, joined to all earlier ones, as a person rewrote it, and as it is
understood from the questions before. Only these are shown, never an answer: in some sets the
documents consist of the answers.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.conversation import NOTHING_BEFORE, Conversation, Leans, Turn
from qa.errors import QaError, QuestionError
from qa.evaluation.dataset import Asked, conversations, load
from qa.evaluation.figures import Qrels, articles, figures
from qa.model import text_sha256
from qa.understanding import understand

if TYPE_CHECKING:
    from qa.bot import Bot

_PASSAGES = 50  # enough for ten articles
_QUARTERS = 4
_KINDS = ("first", "leaning", "self-contained")


@dataclass(frozen=True, slots=True)
class Compared:
    """nDCG@10 of some of a set's questions, asked in four ways; rewrite is None without rewrites.

    `recovered` is the share of the gap from alone to rewrite that understanding closes; None
    where there is no gap.
    """

    questions: str
    count: int
    alone: float
    history: float
    rewrite: float | None
    understood: float
    recovered: float | None


@dataclass(frozen=True, slots=True)
class Understanding:
    """A set of conversations, measured: all of it, its parts, and its kinds of questions.

    `worst_quarter` is the least that understanding gains over alone on a quarter of it.
    `milliseconds` is the mean time to understand a question, without searching.
    """

    name: str
    rows: tuple[Compared, ...]
    worst_quarter: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class _Asked:
    """What each way of asking a question found, articles best first."""

    question: str
    digest: int
    kind: str
    alone: list[str]
    history: list[str]
    rewrite: list[str] | None
    understood: list[str]


def evaluate(
    folder: Path, bot: "Bot", progress: Callable[[int, int], None] | None = None
) -> Understanding:
    """Indexes a set into the bot's library and asks its conversations in four ways.

    Raises:
        QaError: a file of the set is missing or not what it should be.
    """
    data = load(folder)
    talks = conversations(folder)
    bot.add_text(data.corpus, "corpus.jsonl")
    asked: list[_Asked] = []
    for number, (name, turns) in enumerate(talks.items(), start=1):
        asked += _converse(bot, name, turns, data.qrels)
        if progress is not None:
            progress(number, len(talks))
    if not asked:
        raise QaError(f"No turn of {folder}/conversations.jsonl is judged in its qrels.tsv.")
    parts = {
        "all": asked,
        "tuned on": [each for each in asked if each.digest % 2],
        "reported": [each for each in asked if not each.digest % 2],
        **{kind: [each for each in asked if each.kind == kind] for kind in _KINDS},
    }
    quarters = [
        [each for each in asked if each.digest % _QUARTERS == quarter]
        for quarter in range(_QUARTERS)
    ]
    measured = [_compared("", part, data.qrels) for part in quarters if part]
    return Understanding(
        name=folder.resolve().name,
        rows=tuple(_compared(name, part, data.qrels) for name, part in parts.items() if part),
        worst_quarter=min(each.understood - each.alone for each in measured),
        milliseconds=_milliseconds(talks.values()),
    )


def table(measured: Sequence[Understanding]) -> str:
    """The figures as lines for a terminal, one for each set and part of it."""
    width = max([len("set"), *(len(each.name) for each in measured)])
    head = f"{'set':{width}}  questions              alone  history  rewrite  understood  recovered"
    rows = [f"{each.name:{width}}  {_line(row)}" for each in measured for row in each.rows]
    notes = [
        f"{each.name}: {each.worst_quarter:+.3f} over alone on its worst quarter;"
        f" {each.milliseconds:.2f} ms to understand a question"
        for each in measured
    ]
    return "\n".join(["nDCG@10", head, *rows, *notes])


def _line(row: Compared) -> str:
    rewrite = "–" if row.rewrite is None else f"{row.rewrite:.3f}"
    recovered = "–" if row.recovered is None else f"{row.recovered:.0%}"
    return (
        f"{row.questions:14}  {row.count:5,}  {row.alone:5.3f}  {row.history:7.3f}"
        f"  {rewrite:>7}  {row.understood:10.3f}  {recovered:>9}"
    )


def as_json(measured: Sequence[Understanding]) -> list[dict[str, Any]]:
    """The figures as values that JSON can hold."""
    return [asdict(each) for each in measured]


def _converse(bot: "Bot", name: str, turns: Sequence[Asked], qrels: Qrels) -> Iterator[_Asked]:
    talk = NOTHING_BEFORE
    before: list[str] = []
    for turn in turns:
        before.append(turn.question)
        if turn.id in qrels:
            leans = understand(turn.question, talk).leans
            yield _Asked(
                question=turn.id,
                digest=int(text_sha256(name), 16),
                kind=_KINDS[0] if not talk else _KINDS[2 if leans is Leans.NOT else 1],
                alone=_found(bot, turn.question),
                history=_found(bot, " ".join(before)),
                rewrite=_found(bot, turn.rewrite) if turn.rewrite else None,
                understood=_found(bot, turn.question, talk),
            )
        talk = _after(talk, turn.question)


def _after(talk: Conversation, question: str) -> Conversation:
    """The conversation with one more question, and nothing of what was found for it."""
    return Conversation((*talk.turns, Turn(question, understand(question, talk).text)))


def _found(bot: "Bot", question: str, talk: Conversation = NOTHING_BEFORE) -> list[str]:
    try:
        return articles(bot.search(question, top_k=_PASSAGES, conversation=talk))
    except QuestionError:
        return []


def _compared(name: str, asked: Sequence[_Asked], qrels: Qrels) -> Compared:
    judged = {each.question: qrels[each.question] for each in asked}

    def ndcg(found: Mapping[str, list[str]]) -> float:
        return figures(found, judged).ndcg_at_10

    alone = ndcg({each.question: each.alone for each in asked})
    understood = ndcg({each.question: each.understood for each in asked})
    rewritten = {each.question: each.rewrite for each in asked if each.rewrite is not None}
    rewrite = ndcg(rewritten) if len(rewritten) == len(asked) else None
    gap = None if rewrite is None or rewrite <= alone else rewrite - alone
    return Compared(
        questions=name,
        count=len(asked),
        alone=alone,
        history=ndcg({each.question: each.history for each in asked}),
        rewrite=rewrite,
        understood=understood,
        recovered=None if gap is None else (understood - alone) / gap,
    )


def _milliseconds(talks: Iterable[Sequence[Asked]]) -> float:
    """The mean time to understand a question by rules."""
    times = []
    for turns in talks:
        talk = NOTHING_BEFORE
        for turn in turns:
            began = time.perf_counter()
            talk = _after(talk, turn.question)
            times.append(time.perf_counter() - began)
    return 1e3 * sum(times) / len(times)
