"""What a run is worth: figures against judgements, and how far confidence can be believed."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qa.errors import QaError
from qa.model import Answer, Hit

Qrels = Mapping[str, Mapping[str, int]]
Run = Mapping[str, Sequence[str]]

_BINS = 10


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the questions judged, each from 0 to 1.

    nDCG has linear gain: the grade itself, as in trec_eval, not 2^grade - 1. Recall is the share of
    the relevant articles, Hit the share of questions with a relevant article at rank 1.
    """

    ndcg_at_10: float
    recall_at_5: float
    mrr_at_10: float
    hit_at_1: float


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like confidence: how sure they were on average, and what share was right."""

    answers: int
    confidence: float
    right: float


@dataclass(frozen=True, slots=True)
class Refusals:
    """How well answerable questions are told from those that nothing here answers.

    `auroc` is the chance that an answerable question gets the higher confidence of the two.
    `refused` is the share of the answerable that went unanswered, `answered` the share of the
    unanswerable that did not. They may be the set's own, or another set's.
    """

    unanswerable: int
    auroc: float
    refused: float
    answered: float


def figures(run: Run, qrels: Qrels) -> Figures:
    """The figures of a run: the articles found for each question, best first.

    A question that the run leaves out found nothing; one without relevant articles is not counted.

    Raises:
        QaError: ir-measures is not installed, or nothing is judged.
    """
    try:
        from ir_measures import RR, R, Success, calc_aggregate, nDCG
    except ImportError as error:
        raise QaError(
            'ir-measures is not installed. Install it: pip install "article-qa[eval]"'
        ) from error
    judged = {question: dict(grades) for question, grades in qrels.items() if any_relevant(grades)}
    if not judged:
        raise QaError("No question has a relevant article. Check the scores in qrels.tsv.")
    scored = {
        question: {article: 1.0 / place for place, article in enumerate(run.get(question, ()), 1)}
        for question in judged
    }
    measures = (nDCG @ 10, R @ 5, RR @ 10, Success @ 1)
    means = calc_aggregate(measures, judged, scored)
    return Figures(*(float(means[measure]) for measure in measures))


def articles(hits: Sequence[Hit]) -> list[str]:
    """The articles of hits by their best passage; one in which a copy stands follows it."""
    found = (citation.article_id for hit in hits for citation in (hit.citation, *hit.also_in))
    return list(dict.fromkeys(found))


def reliability(answers: Mapping[str, Answer], qrels: Qrels) -> tuple[Bin, ...]:
    """Answers in bins of confidence, least sure first: right is a relevant article at rank 1."""
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(_BINS)]
    for question, answer in answers.items():
        first = articles(answer.hits[:1])
        right = any(qrels.get(question, {}).get(article, 0) > 0 for article in first)
        bins[min(_BINS - 1, int(answer.confidence * _BINS))].append((answer.confidence, right))
    return tuple(
        Bin(
            len(filled),
            sum(sure for sure, _ in filled) / len(filled),
            sum(right for _, right in filled) / len(filled),
        )
        for filled in bins
        if filled
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance of confidence from the share that was right, weighted by answers (ECE).

    Naeini et al., 2015. 0 without answers.
    """
    count = sum(filled.answers for filled in bins)
    apart = sum(filled.answers * abs(filled.confidence - filled.right) for filled in bins)
    return apart / count if count else 0.0


def refusals(with_answer: Sequence[Answer], without: Sequence[Answer]) -> Refusals | None:
    """How answerable and unanswerable questions differ; None unless there are both."""
    if not with_answer or not without:
        return None
    return Refusals(
        unanswerable=len(without),
        auroc=auroc(
            [each.confidence for each in with_answer], [each.confidence for each in without]
        ),
        refused=sum(each.status == "unanswered" for each in with_answer) / len(with_answer),
        answered=sum(each.status == "answered" for each in without) / len(without),
    )


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The chance that one of `positive` is above one of `negative`; a tie counts half."""
    ordered = sorted(negative)
    below = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in positive)
    return below / 2 / len(positive) / len(negative)


def any_relevant(grades: Mapping[str, int]) -> bool:
    """Whether one of the articles judged is relevant."""
    return any(grade > 0 for grade in grades.values())
