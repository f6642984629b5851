"""Who he and she are: the persons of earlier questions and of what was found (pure)."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from qa.model import Answer, Carried
from qa.phrases import content, names_in

if TYPE_CHECKING:
    from qa.conversation import Turn

_PERSON = frozenset("he she him her his hers".split())
OBJECTS = frozenset("him her".split())
OWNING = frozenset("his hers".split())
_PRONOUN = re.compile(
    r"\b(?:he|she|him|her|his|hers|it|its|they|them|their|theirs)\b", re.IGNORECASE
)
# Where such a word stands for nothing: "is it true", "are there any", "that is", "that the".
EMPTY = re.compile(
    r"\bis it (?:true|possible)(?: that)?\b|\bdoes it mean to\b|\bit takes? to\b"
    r"|\b(?:is|are|was|were) there\b|\bthere (?:is|are|was|were|any)\b"
    r"|\bthat (?:is|are|was|were|have|has|had|can|could|would|the|an?|\w+s|i|you|we)\b",
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
# A name is a person's after a rank or office, or where the next sentence begins with He or She.
_PERSONS = re.compile(
    rf"\b(?:(?i:{_OFFICES})"
    r"\.?,?\s+)+([A-Z]\w+(?:[ -][A-Z]\w+){0,3})"
    r"|(?<![\w,] )\b([A-Z]\w+(?: [A-Z]\w+){1,3})\b[^.?!]*[.?!]\s+S?[Hh]e\b"
)
_LONGEST_NAME = 6  # words
_SHOWN = 3  # passages whose persons a question may mean


def standing(text: str) -> Iterator[re.Match[str]]:
    """The pronouns that stand for something said before the question."""
    return _PRONOUN.finditer(EMPTY.sub(lambda match: " " * len(match.group()), text))


def is_person(pronoun: re.Match[str]) -> bool:
    """Whether a pronoun is he, she or the like."""
    return pronoun.group().casefold() in _PERSON


def person(turns: "Sequence[Turn]") -> Carried | None:
    """The name of the latest turn that has one which may be a person's.

    Bare questions ("when?") are asked of whoever the ones before were about.
    """
    numbers = range(len(turns), 0, -1)
    telling = [number for number in numbers if content(turns[number - 1].question)]
    for number in telling or numbers:
        if found := _who(turns[number - 1], turns[:number]):
            return Carried(found, number)
    return None


def _who(turn: "Turn", turns: "Sequence[Turn]") -> str | None:
    """The name in a turn which may be a person's: one that it says, or one that was found.

    Whoever "who" asked for was found, not named in the question; and a question that says "he"
    names others than him.
    """
    text = turn.understood_as
    places = {
        name.text
        for each in turns
        for name in names_in(each.understood_as)
        if _WHERE.search(name.before)
    }
    names = [name for name in names_in(text) if name.text not in places]
    said = [name.text for name in names if not _AFTER_THE.search(name.before)]
    doubtful = [name.text for name in names]
    if any(map(is_person, standing(text))) or (_WHO.match(text) and not _is_who(said, text)):
        said = doubtful = []
    found = [name for name in turn.persons if not shares_word(name, text)]
    return next(iter([*said, *found, *doubtful]), None)


def _is_who(names: Sequence[str], text: str) -> bool:
    """Whether the question is "who is" one of the names."""
    asked = re.sub(r"^\W*(?:and\s+)?who(?:['’]s| is| was)\s+|\W+$", "", text, flags=re.IGNORECASE)
    return asked in names


def persons(answer: Answer) -> list[str]:
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
        named = [name.text for name in names_in(f"by {answered}")]
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
            not shares_word(name, answered),
            -max(mentions[word] for word in name.split()),
        ),
    )


def _is_short(name: str, names: Sequence[str]) -> bool:
    return any(set(name.split()) < set(other.split()) for other in names)


def shares_word(name: str, text: str) -> bool:
    """Whether a text says a word of a name."""
    return not set(name.split()).isdisjoint(re.findall(r"\w+", text))
