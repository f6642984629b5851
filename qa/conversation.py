"""Earlier turns and a new question become the question as it is understood (pure).

Rules that can be read; what each is worth, and what was tried and left: docs/conversation.md.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
_OBJECTS = frozenset("him her".split())
_OWNING = frozenset("his hers".split())
_PRONOUN = re.compile(
    r"\b(?:he|she|him|her|his|hers|it|its|they|them|their|theirs)\b", re.IGNORECASE
)
_POINTER = re.compile(r"\b(?:this|that|these|those|there|ones?)\b", re.IGNORECASE)
# Where such a word stands for nothing: "is it true", "are there any", "that is", "that the".
_EMPTY = re.compile(
    r"\bis it (?:true|possible)(?: that)?\b|\bdoes it mean to\b|\bit takes? to\b"
    r"|\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were|any)\b"
    r"|\bthat (?:is|are|was|were|have|has|had|can|could|would|the|an?|\w+s|i|you|we)\b",
    re.IGNORECASE,
)
_ONLY_ASKS = re.compile(r"(?:(?:and|but|so)\s+)?(why|when|where|how)\W*", re.IGNORECASE)
_ASKS = re.compile(
    r"(?:why|when|where|how)(?=\s+(?:is|are|was|were|do|does|did|will|would|can|could|has|have)\b)",
    re.IGNORECASE,
)
_OFFICES = (
    "mr|mrs|ms|dr|sir|lady|president|leader|premier|minister|chancellor|king|queen|prince"
    "|princess|general|captain|colonel|professor|director|secretary|adviser|executive|senator"
    "|governor|mayor|councillor|judge|coach|manager|chairman|chairwoman|founder|keeper|engineer"
    "|warden|geologist|ecologist|author|teacher|brother|sister|son|daughter|wife|husband"
)
_WHO = re.compile(
    rf"\W*(?:and\s+)?(?:who|(?:which|what)\s+(?:\w+\s+)?(?:{_OFFICES}))\b", re.IGNORECASE
)
# A name after one of these is a place or a time, hardly a person.
_WHERE = re.compile(r"\b(?:in|to|at|from|into|near|on|\w+ing)\s+(?:the\s+)?$", re.IGNORECASE)
# A name that is said to be inside is a place, whatever else is said of it.
_INSIDE = r"\b(?:in|inside|into|near|across|outside|throughout)\s+(?:the\s+)?"
_AFTER_THE = re.compile(r"\bthe\s+$", re.IGNORECASE)
# What a noun often follows, and a verb hardly.
_BEFORE_NOUN = re.compile(
    r"(?:\b(?:the|an?|of|in|for|with|about|on|by|some|any|many)|['’]s)\s+$|\($", re.IGNORECASE
)
# A name is a person's after a rank or office, or where the next sentence begins with He or She.
_PERSONS = re.compile(
    rf"\b(?:(?i:{_OFFICES})"
    r"\.?,?\s+)+([A-Z]\w+(?:[ -][A-Z]\w+){0,3})"
    r"|(?<![\w,] )\b([A-Z]\w+(?: [A-Z]\w+){1,3})\b[^.?!]*[.?!]\s+S?[Hh]e\b"
)
_LONGEST_NAME = 6  # words
_SHOWN = 3  # passages whose persons a question may mean
_OWNER = re.compile(r"['’]s?$")
_BETWEEN_NAMES = re.compile(r"\s+(?:(?:of|de|van|von|al|bin)\s+(?:the\s+)?)?")


class Leans(Enum):
    """How much a question leans on what came before it."""

    NOT = "not"
    PARTLY = "partly"
    WHOLLY = "wholly"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was asked, how it was understood, and the persons of what was found."""

    question: str
    understood_as: str
    persons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was asked before, oldest first; a value, so threads may share it.

    Example:
        >>> conversation = Conversation()
        >>> understand("Who is visiting Russia?", conversation).text
        'Who is visiting Russia?'
        >>> conversation = Conversation((Turn("Who wrote it?", "Who wrote it?", ("Ada Lind",)),))
        >>> understand("Where was she born?", conversation).text
        'Where was Ada Lind born?'
    """

    turns: tuple[Turn, ...] = ()

    def after(self, answer: Answer) -> "Conversation":
        """The conversation with an answer's question as its latest turn."""
        turn = Turn(answer.question, answer.understood_as, tuple(_persons(answer)))
        return Conversation((*self.turns, turn))

    def __bool__(self) -> bool:
        return bool(self.turns)


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it is understood.

    `searched` is the question with names in place of he, she and the like, `text` that with the
    topics it leaves unsaid; `carried` are both. `context` are the earlier questions that say
    what the conversation is about, "" if there are none.
    """

    searched: str
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
    asked = _ONLY_ASKS.fullmatch(text)
    before = conversation.turns[-1].understood_as
    if asked and _ASKS.match(before):
        said = f"{asked[1]} {_ASKS.sub('', before, count=1).strip()}"
        carried = Carried(said, len(conversation.turns), text)
        return Understood(text, said, (carried,), context, leans)
    named = _named(text, conversation.turns)
    if named:
        leans = Leans.PARTLY
    searched = said = _put(text, named)
    topics = _topics(searched, conversation.turns)[: 1 if named else _TOPICS]
    if topics:
        said = f"{searched} ({', '.join(topic.text for topic in topics)})"
    return Understood(searched, said, (*dict.fromkeys(named.values()), *topics), context, leans)


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
        if kept and sum(map(len, kept)) + len(turn.question) > MEMORY:
            break
        kept.insert(0, turn.question)
    return " ".join(kept)


def _leans(text: str) -> Leans:
    said = content(text)
    named = _names(text)
    standing = list(_standing(text))
    few = len(said) < (_FEWEST if named else _FEWEST_WITHOUT_NAME)
    if not (few or standing or _POINTER.search(_EMPTY.sub(" ", text))):
        return Leans.NOT
    if not said or (any(map(_is_person, standing)) and len(said) <= _FEW_WITH_PERSON):
        return Leans.WHOLLY
    return Leans.PARTLY


def _standing(text: str) -> Iterator[re.Match[str]]:
    """The pronouns that stand for something said before the question."""
    return _PRONOUN.finditer(_EMPTY.sub(lambda match: " " * len(match.group()), text))


def _named(text: str, turns: Sequence[Turn]) -> dict[re.Match[str], Carried]:
    """The names that he, she and the like stand for, by pronoun."""
    named = {}
    person = _person(turns)
    for match in filter(_is_person, _standing(text)):
        inside = match.group().casefold() not in _OBJECTS and _names(text[: match.start()])
        if person and not inside and not _shares_word(person.text, text):
            named[match] = replace(person, stands_for=match.group())
    return named


def _person(turns: Sequence[Turn]) -> Carried | None:
    """The name of the latest turn that has one which may be a person's.

    Bare questions ("when?") are asked of whoever the ones before were about.
    """
    numbers = range(len(turns), 0, -1)
    telling = [number for number in numbers if content(turns[number - 1].question)]
    for number in telling or numbers:
        if found := _who(turns[number - 1], turns[:number]):
            return Carried(found, number)
    return None


def _who(turn: Turn, turns: Sequence[Turn]) -> str | None:
    """The name in a turn which may be a person's: one that it says, or one that was found.

    Whoever "who" asked for was found, not named in the question; and a question that says "he"
    names others than him.
    """
    text = turn.understood_as
    places = {
        name.text
        for each in turns
        for name in _names(each.understood_as)
        if _WHERE.search(name.before)
    }
    names = [name for name in _names(text) if name.text not in places]
    said = [name.text for name in names if not _AFTER_THE.search(name.before)]
    if any(map(_is_person, _standing(text))) or (_WHO.match(text) and not _is_who(said, text)):
        names = said = []
    found = [name for name in turn.persons if not _shares_word(name, text)]
    return next(iter([*said, *found, *(name.text for name in names)]), None)


def _is_who(names: Sequence[str], text: str) -> bool:
    """Whether the question is "who is" one of the names."""
    asked = re.sub(r"^\W*(?:and\s+)?who(?:['’]s| is| was)\s+|\W+$", "", text, flags=re.IGNORECASE)
    return asked in names


def _persons(answer: Answer) -> list[str]:
    """The names of persons in the passages shown, most mentioned first.

    Those in the words that answer come before the others.
    """
    passages = answer.hits[:_SHOWN]
    text = "\n".join(hit.passage.text for hit in passages)
    answered = ""
    if answer.status == "answered" and passages and passages[0].span:
        # Words that are likelier none than the answer name nobody.
        answered = passages[0].span.text if passages[0].signals.get("margin", 0.0) >= 0 else ""
    names = [match[match.lastindex or 0] for match in _PERSONS.finditer(text)]
    if _WHO.match(answer.question) and len(answered.split()) <= _LONGEST_NAME:
        named = [name.text for name in _names(f"by {answered}")]
        names += [name for name in named if not re.search(_INSIDE + re.escape(name), text)]
    mentions = Counter(re.findall(r"\w+", text))
    whole = [
        name
        for name in dict.fromkeys(names)
        if not (_is_short(name, names) or name.startswith("The "))
    ]
    return sorted(
        whole,
        key=lambda name: (
            not _shares_word(name, answered),
            -max(mentions[word] for word in name.split()),
        ),
    )


def _is_short(name: str, names: Sequence[str]) -> bool:
    return any(set(name.split()) < set(other.split()) for other in names)


def _shares_word(name: str, text: str) -> bool:
    return not set(name.split()).isdisjoint(re.findall(r"\w+", text))


def _put(text: str, named: Mapping[re.Match[str], Carried]) -> str:
    """The text with names in place of pronouns."""
    pieces: list[str] = []
    here = 0
    for match, carried in named.items():
        word = match.group().casefold()
        owning = word in _OWNING or (word == "her" and text[match.end() :].strip(" ?.!"))
        pieces += [text[here : match.start()], carried.text + ("’s" if owning else "")]
        here = match.end()
    return "".join([*pieces, text[here:]])


def _is_person(pronoun: re.Match[str]) -> bool:
    return pronoun.group().casefold() in _PERSON


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


def _names(text: str) -> list[_Phrase]:
    return [phrase for phrase in _phrases(text) if phrase.named]


def _is_named(text: str, start: int, end: int) -> bool:
    """Whether a word is written as in a name, not only because a sentence begins with it."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    if text[start].isupper():
        return bool(before and before[-1] not in ".?!") or after[:1].isupper()
    return text[start].isdigit() and not text[start:end].isdigit() and after[:1].isupper()


def _topics(text: str, turns: Sequence[Turn]) -> list[Carried]:
    """The names of the latest turn that has something to carry, else its nouns.

    Where the question says next to nothing, all its content words; years and the like never, and
    persons not where the question has one.
    """
    held = {term for _, _, term in words(text)}
    little = len(content(text)) < _FEWEST
    persons = {name for turn in turns for name in turn.persons} if _names(text) else set()
    for number in range(len(turns), 0, -1):
        found = [
            phrase
            for phrase in _phrases(turns[number - 1].understood_as)
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
