"""Earlier turns and a new question become the question as it is understood (pure).

Rules that can be read; what each is worth, and what was tried and left: docs/conversation.md.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from qa.lexical import STOP_WORDS, words
from qa.model import Answer, Carried

# Of what was asked before, the latest questions up to so many characters are looked at.
MEMORY = 600
# A question with fewer content words than these says too little alone: with a name, and without.
_FEWEST, _FEWEST_WITHOUT_NAME = 2, 3
# With he or she, and at most so many content words, a question is about what came before.
_FEW_WITH_PERSON = 2
_TOPICS = 2  # phrases that are carried where nothing stands for them

# Words about asking, not about what is asked for.
_CHATTER = frozenset(
    "interesting aspect aspects article anything else other others information info happen "
    "happened happens know tell thing things mention mentioned significant important notable "
    "special more something someone anyone everyone really way many much kind type sort get got "
    "give go went say said call called make made like please just also yes ok okay well want "
    "interested".split()
)
_PERSON = frozenset("he she him her his hers".split())
_OBJECTS = frozenset("him them her".split())
_OWNING = frozenset("his its their theirs hers".split())
_PRONOUN = re.compile(
    r"\b(?:he|she|him|her|his|hers|it|its|they|them|their|theirs)\b", re.IGNORECASE
)
_POINTER = re.compile(r"\b(?:this|that|these|those|there|ones?)\b", re.IGNORECASE)
# Where such a word stands for nothing: "is it true", "are there any", "that is", "that the".
_EMPTY = re.compile(
    r"\bis it (?:true|possible)\b|\bdoes it mean to\b|\bit takes? to\b"
    r"|\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were|any)\b"
    r"|\bthat (?:is|are|was|were|have|has|had|can|could|would|the|an?|\w+s|i|you|we)\b",
    re.IGNORECASE,
)
_ONLY_ASKS = re.compile(r"(?:(?:and|but|so)\s+)?(why|when|where|how)\W*", re.IGNORECASE)
_ASKS = re.compile(
    r"(?:why|when|where|how)(?=\s+(?:is|are|was|were|do|does|did|will|would|can|could|has|have)\b)",
    re.IGNORECASE,
)
_WHO = re.compile(r"\W*(?:and\s+)?who\b", re.IGNORECASE)
# A name after one of these is a place or a time, hardly a person.
_WHERE = re.compile(r"\b(?:in|to|at|from|into|near|on|\w+ing)\s+(?:the\s+)?$", re.IGNORECASE)
# What a noun often follows, and a verb hardly.
_BEFORE_NOUN = re.compile(
    r"(?:\b(?:the|an?|of|in|for|with|about|on|by|some|any)|['’]s)\s+$", re.IGNORECASE
)
_OWNER = re.compile(r"['’]s?$")
_BETWEEN_NAMES = re.compile(r"\s+(?:(?:of|de|van|von|al|bin)\s+(?:the\s+)?)?")


class Leans(Enum):
    """How much a question leans on what came before it."""

    NOT = "not"
    PARTLY = "partly"
    WHOLLY = "wholly"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was asked, how it was understood, and the words that answered it, if any."""

    question: str
    understood_as: str
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was asked before, oldest first; a value, so threads may share it.

    Example:
        >>> conversation = Conversation()
        >>> understand("Who is visiting Russia?", conversation).text
        'Who is visiting Russia?'
        >>> conversation = Conversation((Turn("Who is Ada?", "Who is Ada?", "Ada Lovelace"),))
        >>> understand("Where was she born?", conversation).text
        'Where was Ada Lovelace born?'
    """

    turns: tuple[Turn, ...] = ()

    def after(self, answer: Answer) -> "Conversation":
        """The conversation with an answer's question as its latest turn."""
        span = answer.hits[0].span if answer.hits and answer.status == "answered" else None
        turn = Turn(answer.question, answer.understood_as, span.text if span else "")
        return Conversation((*self.turns, turn))

    def __bool__(self) -> bool:
        return bool(self.turns)


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it is understood.

    `text` is the question as `asked` with what was `carried`; `context` are the earlier questions
    that say what the conversation is about, "" if there are none.
    """

    asked: str
    text: str
    carried: tuple[Carried, ...] = ()
    context: str = ""
    leans: Leans = Leans.NOT


NOTHING_BEFORE = Conversation()


def understand(question: str, conversation: Conversation) -> Understood:
    """The question with what it leaves unsaid, taken from the turns before it."""
    text = " ".join(question.split())
    if not conversation:
        return Understood(text, text)
    context = _context(conversation.turns)
    leans = _leans(text)
    if leans is Leans.NOT:
        return Understood(text, text, (), context, leans)
    said, carried = _completed(text, conversation.turns)
    return Understood(text, said, carried, context, leans)


def content(text: str) -> list[tuple[int, int, str]]:
    """The words that say what is asked for, as (start, end, term)."""
    return [word for word in words(text) if not _is_empty(text[word[0] : word[1]])]


def _is_empty(word: str) -> bool:
    plain = word.casefold().replace("’", "'")
    return plain in STOP_WORDS or plain in _CHATTER


def _context(turns: Sequence[Turn]) -> str:
    """The latest questions before, as many as are remembered, oldest first."""
    kept: list[str] = []
    for turn in reversed(turns):
        if sum(map(len, kept)) + len(turn.question) > MEMORY:
            break
        kept.insert(0, turn.question)
    return " ".join(kept)


def _leans(text: str) -> Leans:
    said = content(text)
    named = any(phrase.named for phrase in _phrases(text))
    standing = list(_standing(text))
    few = len(said) < (_FEWEST if named else _FEWEST_WITHOUT_NAME)
    if not (few or standing or _POINTER.search(_EMPTY.sub(" ", text))):
        return Leans.NOT
    persons = any(match.group().casefold() in _PERSON for match in standing)
    if not said or (persons and len(said) <= _FEW_WITH_PERSON):
        return Leans.WHOLLY
    return Leans.PARTLY


def _standing(text: str) -> Iterator[re.Match[str]]:
    """The pronouns that stand for something said before the question."""
    return _PRONOUN.finditer(_EMPTY.sub(lambda match: " " * len(match.group()), text))


def _completed(text: str, turns: Sequence[Turn]) -> tuple[str, tuple[Carried, ...]]:
    """The question with names in place of its pronouns, and with the topics before it."""
    asked = _ONLY_ASKS.fullmatch(text)
    before = turns[-1].understood_as
    if asked and _ASKS.match(before):
        rest = _ASKS.sub("", before, count=1).strip()
        return f"{asked[1]} {rest}", (Carried(rest.rstrip("?"), len(turns)),)
    carried: list[Carried] = []
    pieces: list[str] = []
    here = 0
    for match in _standing(text):
        word = match.group().casefold()
        found = None if _is_inside(match, text) else _referent(word in _PERSON, turns)
        if found is None or found.text.casefold() in text.casefold():
            continue
        carried.append(replace(found, stands_for=match.group()))
        owning = word in _OWNING or (word == "her" and text[match.end() :].strip(" ?.!"))
        pieces += [text[here : match.start()], found.text + ("’s" if owning else "")]
        here = match.end()
    said = "".join([*pieces, text[here:]])
    topics = _topics(said, turns)[: _TOPICS - len(carried)]
    if topics:
        said = f"{said} ({', '.join(topic.text for topic in topics)})"
    return said, (*carried, *topics)


def _is_inside(pronoun: re.Match[str], text: str) -> bool:
    """Whether a pronoun stands for what its own question says before it."""
    before = text[: pronoun.start()]
    if pronoun.group().casefold() in _OBJECTS:
        return False
    return len(content(before)) > 1 or any(phrase.named for phrase in _phrases(before))


@dataclass(frozen=True, slots=True)
class _Phrase:
    """Neighbouring content words: a name, or a noun with its like after "the", "of" and so on."""

    text: str
    named: bool
    before: str

    @property
    def is_noun(self) -> bool:
        return bool(_BEFORE_NOUN.search(self.before))


def _phrases(text: str) -> list[_Phrase]:
    """The runs of content words of a text: names, and what stands between them."""
    runs: list[tuple[int, int, bool]] = []
    for start, end, _ in content(text):
        named = _is_named(text, start, end)
        if runs and runs[-1][2] == named:
            between = text[runs[-1][1] : start]
            if _BETWEEN_NAMES.fullmatch(between) if named else between in {" ", "-"}:
                runs[-1] = (runs[-1][0], end, named)
                continue
        runs.append((start, end, named))
    return [_Phrase(_OWNER.sub("", text[a:b]), named, text[:a]) for a, b, named in runs]


def _is_named(text: str, start: int, end: int) -> bool:
    """Whether a word is written as in a name, not only because a sentence begins with it."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    if text[start].isupper():
        return bool(before and before[-1] not in ".?!") or after[:1].isupper()
    return text[start].isdigit() and after[:1].isupper()


def _referent(person: bool, turns: Sequence[Turn]) -> Carried | None:  # noqa: FBT001 -- he, or it
    """The name that a pronoun stands for: that of the latest turn which has one."""
    for number in range(len(turns), 0, -1):
        turn = turns[number - 1]
        names = [phrase for phrase in _phrases(turn.understood_as) if phrase.named]
        if _WHO.match(turn.question):
            names = [phrase for phrase in _phrases(f"by {turn.answer}") if phrase.named] or names
        if person:
            names = [phrase for phrase in names if not _WHERE.search(phrase.before)]
        if names:
            return Carried(names[0].text, number)
    return None


def _topics(text: str, turns: Sequence[Turn]) -> list[Carried]:
    """The names of the latest turn that has something to carry, else its nouns.

    Where the question says next to nothing, any of its content words will do.
    """
    held = {term for _, _, term in words(text)}
    little = len(content(text)) < _FEWEST
    for number in range(len(turns), 0, -1):
        found = {
            phrase.text.casefold(): phrase
            for phrase in _phrases(turns[number - 1].understood_as)
            if not held & {term for _, _, term in words(phrase.text)}
        }.values()
        named = [phrase for phrase in found if phrase.named]
        nouns = [phrase for phrase in found if phrase.is_noun]
        chosen = named or nouns or (list(found) if little else [])
        if chosen:
            return [Carried(phrase.text, number) for phrase in chosen]
    return []
