"""The rules by which a question after others is understood (pure).

What each is worth, and what was tried and left: docs/conversation.md.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from qa.conversation import MEMORY, Conversation, Leans, Turn, Understood
from qa.lexical import STOP_WORDS, words
from qa.model import Carried
from qa.persons import EMPTY, OBJECTS, OWNING, is_person, person, shares_word, standing
from qa.phrases import content, names_in, phrases

# A question with fewer content words than these says too little alone: with a name, and without.
_FEWEST, _FEWEST_WITHOUT_NAME = 2, 3
# With he or she, and at most so many content words, a question is about what came before.
_FEW_WITH_PERSON = 2
_TOPICS = 2  # phrases that are carried where nothing stands for them

_POINTER = re.compile(r"\b(?:this|that|these|those|there|ones?)\b", re.IGNORECASE)
_ONLY_ASKS = re.compile(r"(?:(?:and|but|so)\s+)?(why|when|where|how)\W*", re.IGNORECASE)
_ASKS = re.compile(
    r"(?:why|when|where|how)(?=\s+(?:is|are|was|were|do|does|did|will|would|can|could|has|have)\b)",
    re.IGNORECASE,
)

# What comes after "her" that is nobody's: "Who met her yesterday?", "Who shot her and why?".
_NOT_OWNED = STOP_WORDS - {"very"} | frozenset(
    "against across after again ago alone along already although among around away because before "
    "behind beside besides between beyond down during either ever every except here however "
    "instead near now off once out outside over per recently since soon though through throughout "
    "till today together tomorrow tonight toward towards twice under unless until up upon when "
    "whenever while within without yesterday yet monday tuesday wednesday thursday friday saturday "
    "sunday".split()
)
# Alone or before a time, these are not what she has; before a noun they are: "her first book".
_TURN_OR_TIME = re.compile(
    r"\s+(?:(?:first|last|next|later|earlier)\W*$"
    r"|(?:last|next)\s+(?:\w+day|night|week|month|year|spring|summer|autumn|fall|winter)\b)",
    re.IGNORECASE,
)


def understand(question: str, conversation: Conversation) -> Understood:
    """The question with what it leaves unsaid, taken from the turns before it."""
    if not conversation:
        return Understood.alone(question)
    text = " ".join(question.split())
    turns = conversation.turns
    context = _context(turns)
    leans = _leans(text)
    if leans is Leans.NOT:
        return Understood(text, text, (), context, leans)
    asked = _ONLY_ASKS.fullmatch(text)
    before = turns[-1].understood_as
    if asked and _ASKS.match(before):
        said = f"{asked[1]} {_ASKS.sub('', before, count=1).strip()}"
        carried = Carried(said, len(turns), text)
        return Understood(text, said, (carried,), context, leans)
    named = _named(text, turns)
    if named:
        leans = Leans.PARTLY
    searched = said = _put(text, named)
    topics = _topics(searched, turns)[: 1 if named else _TOPICS]
    if topics:
        said = f"{searched} ({', '.join(topic.text for topic in topics)})"
    return Understood(searched, said, (*dict.fromkeys(named.values()), *topics), context, leans)


def _context(turns: Sequence[Turn]) -> str:
    """The latest questions before, as many as are remembered, oldest first."""
    kept: list[str] = []
    for turn in reversed(turns):
        if kept and sum(map(len, kept)) + len(turn.question) > MEMORY:
            break
        kept.insert(0, turn.question)
    return " ".join(kept)


def _leans(text: str) -> Leans:
    said = content(text)
    named = names_in(text)
    pronouns = list(standing(text))
    few = len(said) < (_FEWEST if named else _FEWEST_WITHOUT_NAME)
    if not (few or pronouns or _POINTER.search(EMPTY.sub(" ", text))):
        return Leans.NOT
    if not said or (any(map(is_person, pronouns)) and len(said) <= _FEW_WITH_PERSON):
        return Leans.WHOLLY
    return Leans.PARTLY


def _named(text: str, turns: Sequence[Turn]) -> dict[re.Match[str], Carried]:
    """The names that he, she and the like stand for, by pronoun."""
    named = {}
    carried = person(turns)
    for match in filter(is_person, standing(text)):
        inside = match.group().casefold() not in OBJECTS and names_in(text[: match.start()])
        if carried and not inside and not shares_word(carried.text, text):
            named[match] = replace(carried, stands_for=match.group())
    return named


def _put(text: str, named: Mapping[re.Match[str], Carried]) -> str:
    """The text with names in place of pronouns."""
    pieces: list[str] = []
    here = 0
    for match, carried in named.items():
        word = match.group().casefold()
        owning = word in OWNING or (word == "her" and _owns(text[match.end() :]))
        pieces += [text[here : match.start()], carried.text + ("’s" if owning else "")]
        here = match.end()
    return "".join([*pieces, text[here:]])


def _owns(rest: str) -> bool:
    """Whether "her" before the rest of a question says whose something is, and not whom it met."""
    following = re.match(r"\s+([\w'’-]+)", rest)
    if following is None or _TURN_OR_TIME.match(rest):
        return False
    return following[1].casefold() not in _NOT_OWNED


def _topics(text: str, turns: Sequence[Turn]) -> list[Carried]:
    """The names of the latest turn that has something to carry, else its nouns.

    Where the question says next to nothing, all its content words; years and the like never, and
    persons not where the question has one.
    """
    held = {term for _, _, term in words(text)}
    little = len(content(text)) < _FEWEST
    persons = {name for turn in turns for name in turn.persons} if names_in(text) else set()
    for number in range(len(turns), 0, -1):
        found = [
            phrase
            for phrase in phrases(turns[number - 1].understood_as)
            if not held & {term for _, _, term in words(phrase.text)}
            and not phrase.text.isdigit()
            and phrase.text not in persons
        ]
        names = [phrase for phrase in found if phrase.named]
        nouns = [phrase for phrase in found if phrase.is_noun]
        chosen = names or (found if little else nouns)
        if chosen:
            return [Carried(text, number) for text in dict.fromkeys(each.text for each in chosen)]
        if turns[number - 1].question == turns[number - 1].understood_as:
            break  # a question that stood alone began the subject
    return []
