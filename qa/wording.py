"""What an answer claims and cites, and how many of what, in words for any medium (pure)."""

from dataclasses import replace

from qa.model import Agreement, Answer, Citation, Hit, Said
from qa.style import clean

# The score of words from which on they are more likely an answer than not.
_CLAIMED = 0.5
# From which confidence on a word is right more often than it sounds.
_SURENESS = ((0.8, "confident"), (0.5, "likely"), (0.0, "unsure"))
_IN_PASSAGES = {
    "confident": "In these passages",
    "likely": "Probably in these passages",
    "unsure": "Perhaps in these passages",
}


def as_claimed(answer: Answer) -> Answer:
    """The answer without what it does not claim: where nothing answers, no words do.

    Else words are left out that are less likely an answer than not; those of the first passage are
    as likely as the answer is sure, where that is more.
    """
    if answer.status != "answered":
        return replace(answer, hits=tuple(map(_unmarked, answer.hits)), agreement=())
    sure = {1: answer.confidence}
    hits = (
        hit
        if hit.span and max(hit.span.score, sure.get(hit.rank, 0.0)) >= _CLAIMED
        else _unmarked(hit)
        for hit in answer.hits
    )
    return replace(answer, hits=tuple(hits))


def _unmarked(hit: Hit) -> Hit:
    return replace(hit, span=None)


def understood_line(answer: Answer) -> str:
    """What was carried into a question: "she → Ada Lind; Geneva"; "" if nothing was."""
    return "; ".join(
        f"{each.stands_for} → {each.text}" if each.stands_for else each.text
        for each in answer.carried
    )


def words_that_answer(answer: Answer) -> str:
    """The words of the first hit that answer, on one line; "" if none are claimed."""
    span = answer.hits[0].span if answer.hits else None
    return clean(" ".join(span.text.split())) if span else ""


def in_passages(confidence: float) -> str:
    """What is said of an answer without words that are likely it."""
    return _IN_PASSAGES[sureness_word(confidence)]


def sureness_word(confidence: float) -> str:
    """A confidence in a word."""
    return next(word for least, word in _SURENESS if confidence >= least)


def sureness(confidence: float) -> str:
    """A confidence in a word and as a number: "likely (0.63)"."""
    return f"{sureness_word(confidence)} ({confidence:.2f})"


def agreement_line(item: Agreement) -> str:
    """Who says what: "August [1] · July [3]: the articles differ"."""
    said = " · ".join(
        " ".join(answer.text.split()) + " " + "".join(f"[{rank}]" for rank in answer.ranks)
        for answer in item.answers
    )
    if item.kind == "differ":
        return f"{said}: the articles differ"
    (answer,) = item.answers
    return f"{said}: {_count_articles(answer)} articles agree"


def _count_articles(said: Said) -> int:
    return len({(citation.article_id, citation.source) for citation in said.citations})


def place(citation: Citation) -> str:
    """A citation as it is shown and typed: SOURCE:LINE."""
    return clean(f"{citation.source}:{citation.line}")


def title(citation: Citation) -> str:
    """The title of a cited article, or else its source, and its date."""
    dated = f" ({citation.date.isoformat()})" if citation.date else ""
    return clean(" ".join(citation.title.split()) or citation.source) + dated


def counted(number: int, thing: str) -> str:
    """How many of a thing: "1 article", "1,200 articles"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
