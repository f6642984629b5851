"""The values that everything else passes around: frozen, standard library only."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["answered", "unanswered"]
Mode = Literal["hybrid", "dense", "lexical"]
NoiseKind = Literal[
    "headline", "byline", "dateline", "caption", "credit", "teaser", "share", "frontmatter"
]

# The name of the reader that comes with qa.
DEFAULT_READER = "default"


def text_sha256(text: str) -> str:
    """SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits."""
    import hashlib  # whoever only passes values around need not load OpenSSL

    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Article:
    """What was read from one source; `text` is never touched after reading.

    `sha256` is the hash of `text`. Lone surrogates are replaced when reading, so `text` always
    encodes to UTF-8.
    """

    id: str
    source: str
    title: str
    text: str
    date: dt.date | None = None
    url: str | None = None
    author: str | None = None
    sha256: str = ""

    def __post_init__(self) -> None:
        if not self.sha256:
            object.__setattr__(self, "sha256", text_sha256(self.text))


@dataclass(frozen=True, slots=True)
class Noise:
    """A stretch `[start, end)` of an article's text that is not its prose, and of what kind."""

    start: int
    end: int
    kind: NoiseKind


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a passage stands: `article.text[start:end]`, `sha256` being the hash of that slice.

    `paragraph` and `line` count from 1; `start` and `end` are characters of the article's text.
    """

    article_id: str
    title: str
    source: str
    date: dt.date | None
    url: str | None
    paragraph: int
    line: int
    start: int
    end: int
    sha256: str

    def stands_in(self, article: Article) -> bool:
        """Whether the cited words stand in the article, where the citation says."""
        return text_sha256(article.text[self.start : self.end]) == self.sha256


@dataclass(frozen=True, slots=True)
class Passage:
    """An exact slice of an article, small enough for the encoder.

    `sentences` are `[start, end)` offsets inside `text`. `noise` is None for prose.
    """

    id: int
    text: str
    citation: Citation
    sentences: tuple[tuple[int, int], ...] = ()
    noise: NoiseKind | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """The words inside a passage that answer: `passage.text[start:end] == text`."""

    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question; `score` is higher for better, `signals` say how it came.

    `also_in` cites the near-identical passages of other articles that this one stands for.
    """

    rank: int
    score: float
    passage: Passage
    span: Span | None = None
    signals: Mapping[str, float] = field(default_factory=dict)
    also_in: tuple[Citation, ...] = ()

    @property
    def citation(self) -> Citation:
        """Where the passage stands."""
        return self.passage.citation


@dataclass(frozen=True, slots=True)
class Said:
    """What one or several articles answer: the words of the best hit, and who says so.

    `ranks` are those of the hits; `citations` are theirs and, after each, those of its copies.
    """

    text: str
    citations: tuple[Citation, ...]
    ranks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Answers of different articles, one said by several or several that exclude each other."""

    kind: Literal["same", "differ"]
    answers: tuple[Said, ...]


@dataclass(frozen=True, slots=True)
class Filters:
    """Which articles may answer: sources by glob or part of the path, dates both ends included.

    An article without a date passes no date filter.
    """

    sources: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None

    def __bool__(self) -> bool:
        return bool(self.sources or self.since or self.until)


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Carried:
    """Words that a question was completed with, and the turn they come from, counted from 1.

    `stands_for` is the word of the question that they took the place of, "" if none did.
    """

    text: str
    turn: int
    stands_for: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The evidence for a question, best first, and whether it answers.

    `confidence` is the probability, from 0 to 1, that the first passage answers.
    `unmentioned` are the words of the question that none of the passages looked at holds.
    `agreement` is what several articles answer alike or differently, where that is sure.
    `carried` is what `understood_as` took from earlier turns of a conversation.
    `took_ms` maps a step (encode, search) to milliseconds.
    """

    question: str
    understood_as: str
    status: Status
    confidence: float
    hits: tuple[Hit, ...]
    library_version: int
    unmentioned: tuple[str, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    took_ms: Mapping[str, float] = field(default_factory=dict)
    carried: tuple[Carried, ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """An article with its passages, and the citation of the one that was asked for.

    `origin` is the absolute path or the address that the article was read from.
    """

    article: Article
    passages: tuple[Passage, ...]
    citation: Citation | None
    origin: str
