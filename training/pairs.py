"""Training pairs for the reader: a question with a passage that answers it, or nearly does."""

import random
from dataclasses import dataclass

from asked import CANDIDATES, Asked, Candidate
from near_misses import near_miss

from qa.lexical import STOP_WORDS

# Shares of questions asked in another form, and of groups that are read without their title.
KEY_WORDS, LOWER_CASE, UNTITLED = 0.1, 0.2, 0.15
# Shares of answered questions that are also asked wrongly, and of unanswerable ones that are read
# with the passage they were written about.
ASKED_WRONGLY, WRITTEN_ABOUT = 0.5, 0.75
# An answer of more characters hardly stands in another article by chance.
UNLIKELY = 12


@dataclass(frozen=True, slots=True)
class Pair:
    """A question and a passage: whether it answers, and where.

    `span` is None when the place is unknown; in a passage that does not answer it is what looks
    most like an answer.
    """

    question: str
    title: str
    text: str
    answers: bool
    span: tuple[int, int] | None = None


def as_typed(question: str, dice: random.Random) -> str:
    """The question as people type it: one in five in lower case, one in ten as key words."""
    chance = dice.random()
    plain = question.lower().rstrip("?. ")
    if chance < KEY_WORDS:
        words = [word for word in plain.split() if word not in STOP_WORDS]
        return " ".join(words) if len(words) > 1 else plain
    return plain if chance < KEY_WORDS + LOWER_CASE else question


def groups(asked: Asked, negatives: int, dice: random.Random) -> list[Pair]:
    """A pair that answers, where there is one, and hard ones that do not.

    The negatives are candidates, the best ones more often, and the passage that answers with a
    question that it nearly answers. A passage of a relevant article that holds the words of an
    answer is left out: it may answer as well.
    """
    titled = dice.random() >= UNTITLED

    def pair(candidate: Candidate, text: str, *, answers: bool) -> Pair:
        spans = candidate.spans if answers else candidate.plausible
        span = min(spans, key=lambda it: it[1] - it[0]) if spans else None
        return Pair(text, candidate.title if titled else "", candidate.text, answers, span)

    bad = [each for each in asked.candidates if each.found and _silent(each, asked)]
    question = as_typed(asked.text, dice)
    pairs = []
    good = _answering(asked)
    if good:
        chosen = dice.choice(good)
        pairs.append(pair(chosen, question, answers=True))
        if dice.random() < ASKED_WRONGLY:
            others = [each.text for each in dice.sample(bad, min(2, len(bad)))]
            wrong = near_miss(asked.text, chosen.text, others, asked.answers, dice)
            if wrong:
                pairs.append(Pair(as_typed(wrong, dice), pairs[0].title, chosen.text, False))
    near = [each for each in bad if each.near]
    if near and dice.random() < WRITTEN_ABOUT:
        return [*pairs, pair(near[0], question, answers=False)]
    wanted = min(len(bad), negatives, 3)
    for low, high in dice.sample(((0, 3), (1, 8), (3, CANDIDATES)), k=wanted):
        pool = bad[low:high] or bad
        pairs.append(pair(dice.choice(pool), question, answers=False))
    return pairs


def _answering(asked: Asked) -> list[Candidate]:
    """The passages that answer, those with the words of the answer before others."""
    if not asked.answerable:
        return []
    spoken = [each for each in asked.candidates if each.spans]
    return spoken or [each for each in asked.candidates if each.relevant][:1]


def _silent(candidate: Candidate, asked: Asked) -> bool:
    """Whether a passage surely does not answer."""
    if not asked.answerable:
        return True
    if candidate.spans:
        return False
    text = candidate.text.casefold()
    holds = any(answer.casefold() in text for answer in asked.answers)
    if candidate.relevant:
        return bool(asked.answers) and not holds and asked.name != "clapnq"
    return not any(len(answer) > UNLIKELY and answer.casefold() in text for answer in asked.answers)
