"""Who says the same, and where articles differ (pure).

Spans are compared by their values (`qa.values`). Two passages count as speaking of one event when
they share a name, say enough of what the question asks about, and name no other year, month or
turn ("first", "third") each. Where that is not sure, nothing is said.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from qa.lexical import STOP_WORDS, terms, words
from qa.model import Agreement, Citation, Hit, Said, Span
from qa.sentences import paragraphs, sentences
from qa.values import Value, compare, value_of, whole

# What a span's own score must reach to be compared, and its hit's score as a share of the best.
CONFIDENT = 0.5
NEAR_THE_BEST = 0.7

# The share of the question's common words, and of its names, that both must say. Chosen on one half
# of tests/data/agreement.jsonl and reported on the other: tests/test_agreement.py.
ASKED_TO_AGREE = 0.5
ASKED_TO_DIFFER = 0.75
NAMES_ASKED = 0.5

# Further apart, two articles without a year are not taken to speak of one.
_ONE_TIME = dt.timedelta(days=366)

# What a question says of its answer's kind, not of the event.
_OF_THE_ANSWER = frozenset(
    terms(
        "many much old long tall high deep far big large year day date month time percent share "
        "number amount people person company city country town name out up off down"
    )
)
_MONTHS = terms(
    "january february march april may june july august september october november december"
)
_DAYS = terms("monday tuesday wednesday thursday friday saturday sunday")
_TURNS = frozenset(terms("first second third fourth fifth sixth seventh eighth ninth tenth"))
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d")

# Verbs whose past has another stem, each with its past; taken as one term.
_PASTS = (
    "begin began begun|break broke broken|bring brought|build built|buy bought|catch caught|"
    "choose chose chosen|come came|cost costs|die death|draw drew drawn|drive drove driven|"
    "eat ate|fall fell fallen|fight fought|find found|fly flew flown|get got|give gave given|"
    "go went gone|grow grew grown|hold held|keep kept|kill killed|know knew known|leave left|"
    "lose lost|make made|meet met|pay paid|rise rose risen|run ran|say said|see saw seen|"
    "sell sold|send sent|shoot shot|sink sank sunk|speak spoke spoken|spend spent|stand stood|"
    "steal stole stolen|strike struck|take took taken|teach taught|tell told|think thought|"
    "wear wore|win won|write wrote written"
)
_VERB = {
    terms(form)[0]: terms(forms.split()[0])[0]
    for forms in _PASTS.split("|")
    for form in forms.split()
}

# Of whom or what there is one: only then do two names exclude each other.
_ONE_ONLY = frozenset(
    terms(
        "won win wins design designed discover invent write wrote found founded direct compose "
        "paint buy bought acquire own head lead succeed replace become born bury captain command "
        "chair run build built"
    )
)
_WHO_IS = re.compile(r"^\W*who(?:'s|’s|\s+(?:is|was|will\s+be))\b", re.IGNORECASE)
_WHERE = re.compile(
    r"^\W*(?:where|(?:(?:in|at|to|from)\s+)?(?:which|what)\s+\w*[^s\W]\b)", re.IGNORECASE
)
_ONE_OF_MANY = re.compile(
    r"\b(?:among|include[ds]?|including|one of|also|such as|others?|along with|together|too)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Answer:
    """A hit that answers: the value of its span and the words around it."""

    hit: Hit
    span: Span

    @cached_property
    def _stretch(self) -> tuple[int, int]:
        return whole(self.hit.passage.text, self.span.start, self.span.end)

    @cached_property
    def text(self) -> str:
        """The span, with the rest of a date or number that it cuts into."""
        start, end = self._stretch
        return " ".join(self.hit.passage.text[start:end].split())

    @cached_property
    def value(self) -> Value:
        return value_of(self.text)

    @cached_property
    def rest(self) -> str:
        """The sentence around the span, without it."""
        text = self.hit.passage.text
        start, end = self._stretch
        inside = [(a, b) for a, b in _sentences(text) if a < end and b > start]
        first, last = min([start, *(a for a, _ in inside)]), max([end, *(b for _, b in inside)])
        return f"{text[first:start]} … {text[end:last]}"

    @cached_property
    def sentence(self) -> frozenset[str]:
        """The terms of the sentence, the span's too."""
        return frozenset(_terms(f"{self.rest} {self.text}"))

    @cached_property
    def passage(self) -> frozenset[str]:
        return frozenset(terms(f"{self.hit.citation.title}\n{self.hit.passage.text}"))

    @cached_property
    def capitals(self) -> "_Capitals":
        return _Capitals.of(self.hit.passage.text)

    @cached_property
    def names(self) -> frozenset[str]:
        """What may be a name here; in a title any word may have a capital."""
        return self.capitals.inside | self.capitals.first | set(terms(self.hit.citation.title))

    @cached_property
    def marks(self) -> tuple[frozenset[str], ...]:
        """What tells one event from the next: years, months and turns, the span's left out."""
        found = [(self.rest[start].isupper(), term) for start, _, term in words(self.rest)]
        months = frozenset(term for capital, term in found if capital and term in _MONTHS)
        turns = frozenset(term for _, term in found if term in _TURNS)
        return frozenset(_YEAR.findall(self.rest)), months, turns

    @property
    def article(self) -> tuple[str, str]:
        """The article of the hit; those of its copies say nothing of their own."""
        return self.hit.citation.article_id, self.hit.citation.source

    @property
    def says_year(self) -> bool:
        """Whether the sentence or the span itself names a year."""
        return _YEAR.search(f"{self.rest} {self.text}") is not None


@dataclass(frozen=True)
class _Capitals:
    """Terms with a capital: those inside a sentence are names, those that begin one may be."""

    inside: frozenset[str]
    first: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "_Capitals":
        begins = {start for start, _ in _sentences(text)}
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for start, end, term in words(text):
            if text[start].isupper() and text[start:end].casefold() not in STOP_WORDS:
                found[start in begins or text[start - 1] in "\"'“‘«("].add(term)
        return cls(frozenset(found[False]) - {*_MONTHS, *_DAYS}, frozenset(found[True]))


@dataclass(frozen=True)
class _Question:
    """What is asked: its terms, its capitals, and whether it has one name for an answer."""

    terms: frozenset[str]
    capitals: _Capitals
    one_name: bool

    @classmethod
    def of(cls, question: str) -> "_Question":
        found = frozenset(_terms(question)) - _OF_THE_ANSWER
        one = bool(
            _WHO_IS.search(question) or _WHERE.search(question) or set(terms(question)) & _ONE_ONLY
        )
        # Who types Every Word so says nothing by it.
        plain = question if any(map(str.islower, question.split()[1:])) else question.lower()
        return cls(found, _Capitals.of(plain), one)


def agree(hits: Sequence[Hit], question: str) -> tuple[Agreement, ...]:
    """What several articles answer alike, and the first answers that exclude each other.

    Args:
        hits: best first, with spans where the reader found them.
        question: as it was understood.
    """
    asked = _Question.of(question)
    groups: list[list[_Answer]] = []
    for answer in _confident(hits):
        for group in groups:
            if all(_agree(answer, other, asked) for other in group):
                group.append(answer)
                break
        else:
            groups.append([answer])
    alike = [
        Agreement("same", (_said(group),))
        for group in groups
        if len({answer.article for answer in group}) > 1
    ]
    return (*_first_conflict(groups, asked), *alike)


def _confident(hits: Sequence[Hit]) -> list[_Answer]:
    best = max((hit.score for hit in hits), default=0.0)
    return [
        _Answer(hit, hit.span)
        for hit in hits
        if hit.span
        and hit.span.score >= CONFIDENT
        and hit.score >= best - (1 - NEAR_THE_BEST) * abs(best)
    ]


def _first_conflict(groups: Sequence[list[_Answer]], asked: _Question) -> Iterable[Agreement]:
    """The best group that another excludes, with all that exclude it and each other."""
    for place, first in enumerate(groups):
        against = [first]
        for group in groups[place + 1 :]:
            if all(_groups_differ(group, other, asked) for other in against):
                against.append(group)
        if len(against) > 1:
            return [Agreement("differ", tuple(_said(group) for group in against))]
    return []


def _groups_differ(a: Sequence[_Answer], b: Sequence[_Answer], asked: _Question) -> bool:
    """Whether two groups exclude each other: the best of each do, and no two may be one."""
    return (
        not {one.article for one in a} & {other.article for other in b}
        and all(compare(one.value, other.value) == "differ" for one in a for other in b)
        and any(_differ(one, other, asked) for one in a for other in b)
    )


def _agree(a: _Answer, b: _Answer, asked: _Question) -> bool:
    return compare(a.value, b.value) == "same" and (
        a.article == b.article or _one_event(a, b, asked, ASKED_TO_AGREE)
    )


def _differ(a: _Answer, b: _Answer, asked: _Question) -> bool:
    if a.value.words <= b.passage or b.value.words <= a.passage:
        return False  # one article knows both: they mean different things
    if a.value.kind == "name" and (
        not asked.one_name or _ONE_OF_MANY.search(a.rest) or _ONE_OF_MANY.search(b.rest)
    ):
        return False
    return _one_event(a, b, asked, ASKED_TO_DIFFER) and _one_time(a, b)


def _one_event(a: _Answer, b: _Answer, asked: _Question, share: float) -> bool:
    """Whether two answers speak of one event, as far as words can tell."""
    capitals = (a.capitals, b.capitals, asked.capitals)
    known: frozenset[str] = frozenset().union(*(found.inside for found in capitals))
    shared = (known & a.names & b.names) - a.value.words - b.value.words
    asked_names = asked.terms & known
    common = asked.terms - known
    return (
        bool(shared)
        and len(asked_names & shared) >= NAMES_ASKED * len(asked_names)
        and len(common & a.sentence & b.sentence) >= share * len(common)
        and not any(_apart(*marks) for marks in zip(a.marks, b.marks, strict=True))
    )


def _apart(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether both name something and neither names all that the other does."""
    return bool(a and b) and not (a <= b or b <= a)


def _one_time(a: _Answer, b: _Answer) -> bool:
    """Whether two articles are near enough in time, where they do not say the year."""
    one, other = a.hit.citation.date, b.hit.citation.date
    said = a.says_year and b.says_year
    return said or one is None or other is None or abs(one - other) <= _ONE_TIME


def _said(group: Sequence[_Answer]) -> Said:
    citations: list[Citation] = []
    for answer in group:
        citations += [answer.hit.citation, *answer.hit.also_in]
    best = group[0]
    return Said(best.text, tuple(citations), tuple(answer.hit.rank for answer in group))


def _terms(text: str) -> Iterable[str]:
    """The content terms of a text, pasts as their verbs."""
    for start, end, term in words(text):
        if text[start:end].casefold().replace("’", "'") not in STOP_WORDS:
            yield _VERB.get(term, term)


def _sentences(text: str) -> Iterable[tuple[int, int]]:
    return (border for block in paragraphs(text) for border in sentences(text, *block))
