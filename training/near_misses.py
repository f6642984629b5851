"""Questions that a passage nearly answers: right subject, wrong year, name or turn of phrase.

The kinds are those of which SQuAD 2.0 was made by hand (Rajpurkar et al., 2018, arXiv 1806.03822,
table 1): entity swap, number swap, antonym and negation.
"""

import random
import re
from collections.abc import Iterator, Sequence

from qa.lexical import STOP_WORDS, terms

_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d+)*(?:st|nd|rd|th)?(?!\w)")
_YEAR = re.compile(r"1[0-9]\d\d|20\d\d")
_NAME = re.compile(r"\b[A-Z][\w'’-]*(?:\s+(?:(?:of|de|van|von|the)\s+)?[A-Z][\w'’-]*)*")
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|does|do|did|can|could|will|would|should|has|have)\b", re.IGNORECASE
)
_ANTONYMS = (
    "first last|largest smallest|biggest smallest|longest shortest|highest lowest|most least|"
    "more fewer|more less|before after|early late|earlier later|earliest latest|oldest newest|"
    "older younger|north south|northern southern|east west|eastern western|left right|upper lower|"
    "increase decrease|increased decreased|rise fall|began ended|begin end|start end|started ended|"
    "start stop|open close|opened closed|won lost|win lose|male female|men women|boys girls|"
    "father mother|son daughter|husband wife|brother sister|king queen|import export|"
    "maximum minimum|above below|over under|inside outside|arrive leave|arrived left|buy sell|"
    "bought sold|private public|positive negative|strong weak|stronger weaker|rich poor|"
    "religious secular|allowed forbidden|accepted rejected|supported opposed|support oppose|"
    "major minor|majority minority|common rare|always never|born buried|ally enemy|allies enemies|"
    "attack defend|attacked defended|offense defense|home away|internal external|direct indirect|"
    "possible impossible|known unknown|similar different|future past|ancient modern|old new|"
    "hot cold|wet dry|heavy light|fast slow|hard soft|city village|summer winter|day night|"
    "success failure|advantage disadvantage|include exclude|includes excludes|join leave|"
    "joined left|create destroy|created destroyed|built demolished|teacher student|"
    "legal illegal|formal informal|regular irregular|simple complex|single several|"
    "second third|two three|three four"
)
_OTHER: dict[str, list[str]] = {}
for _pair in _ANTONYMS.split("|"):
    _one, _two = _pair.split()
    _OTHER.setdefault(_one, []).append(_two)
    _OTHER.setdefault(_two, []).append(_one)
# A negation and a change of number say least about how questions go wrong.
_NEGATED = 0.25


def near_miss(
    question: str, text: str, others: Sequence[str], answers: Sequence[str], dice: random.Random
) -> str | None:
    """The question with one thing changed, so that `text` no longer answers it.

    Args:
        question: one that the text answers.
        text: a passage.
        others: passages that names may be taken from, besides the text.
        answers: what answers; no name is taken that is part of it.
        dice: chooses.

    Returns:
        None if nothing in the question can be changed.
    """
    ways = [list(_numbers(question, text, dice)), list(_antonyms(question))]
    ways += [list(_names(question, text, answers))] * 2
    for other in others[:2]:
        ways.append(list(_names(question, other, answers)))
    if dice.random() < _NEGATED:
        ways.append(list(_negated(question)))
    ways = [way for way in ways if way]
    return dice.choice(dice.choice(ways)) if ways else None


def _numbers(question: str, text: str, dice: random.Random) -> Iterator[str]:
    """Numbers exchanged for others of their kind in the text, and years for years nearby."""
    known = set(_NUMBER.findall(text))
    for found in _NUMBER.finditer(question):
        year = _YEAR.fullmatch(found.group())
        alike = [
            number
            for number in sorted(known - {found.group()})
            if bool(_YEAR.fullmatch(number)) == bool(year)
        ]
        if year:
            alike.append(str(int(found.group()) + dice.choice((-20, -10, -2, -1, 1, 2, 10, 20))))
        for number in alike:
            yield question[: found.start()] + number + question[found.end() :]


def _names(question: str, text: str, answers: Sequence[str]) -> Iterator[str]:
    """Names of the question exchanged for names in a text that it does not mention."""
    asked = set(terms(question))
    known = {
        name
        for name in _proper(text, inner=True)
        if not asked.intersection(terms(name))
        and not any(name.casefold() in it.casefold() or it in name for it in answers)
    }
    for name in dict.fromkeys(_proper(question, inner=False)):
        for other in sorted(known):
            yield question.replace(name, other, 1)


def _proper(text: str, *, inner: bool) -> Iterator[str]:
    """Names; `inner` leaves out those that may have their capital from beginning a sentence."""
    for found in _NAME.finditer(text):
        words = found.group().split()
        if words[0].casefold() in STOP_WORDS or (found.start() == 0 and len(words) == 1):
            words = words[1:]
        begins = found.start() == 0 or text[: found.start()].rstrip()[-1:] in '.!?:\n"“'
        if words and not (inner and begins and len(words) == 1):
            yield " ".join(words)


def _antonyms(question: str) -> Iterator[str]:
    for found in re.finditer(r"[a-z]+", question):
        for other in _OTHER.get(found.group(), ()):
            yield question[: found.start()] + other + question[found.end() :]


def _negated(question: str) -> Iterator[str]:
    for found in _AUXILIARY.finditer(question):
        if found.start() > 0:
            yield f"{question[: found.end()]} not{question[found.end() :]}"
            return
