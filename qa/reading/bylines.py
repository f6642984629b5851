"""Lines that say who wrote an article, or when, and nothing else."""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from qa.reading import days

AGENCY = (
    r"(?:(?:The )?Associated Press|AP|Reuters|AFP|Agence France-Presse|Bloomberg|Xinhua|Kyodo|"
    r"Yonhap|UPI|PA(?: Media)?|Press Association|EFE|ANSA|DPA|dpa|TASS|CNN|BBC|ITV|NBC|CBS|ABC|NPR|"
    r"USA TODAY|Sky|Fox|Al Jazeera|Deutsche Welle|DW)"
)
_OUTLET = re.compile(
    rf"{AGENCY}(?: (?:News|Staff|Business|Sport|Sports|Politics|Health|Network))*|"
    r"(?:[A-Z][\w.&'’-]*\s+){1,4}(?:News|Times|Post|Tribune|Herald|Journal|Guardian|Magazine|"
    r"Gazette|Telegraph|Chronicle|Observer|Media|Press|Agency)"
)
_ROLE = re.compile(
    r"(?:[\w&'’/-]+\s+){0,5}(?:writers?|reporters?|correspondents?|editors?|columnists?|staff|"
    r"contributors?|producers?|journalists?|bureau(?: chief)?|critic|newsroom|desk)"
    r"(?: in [A-Z]\w+(?: [A-Z]\w+)?)?",
    re.IGNORECASE,
)
_BY = re.compile(
    r"(?:(?:written|reported|reporting|story|words|text|report)\s+)?by:?\s+(?P<names>.+)|"
    r"authors?:\s*(?P<author>.+)",
    re.IGNORECASE,
)
_WHERE = re.compile(r"\s+(?:in|for|at|of)\s+(?:the\s+)?[A-Z][^,]{1,40}$")
_ENDING = re.compile(rf",?\s+{AGENCY}(?: (?:News|Staff|Business|Sport|Health))?$")
_WHEN = re.compile(
    r"(?:(?:first\s+|last\s+|date\s+)?(?:published|updated|posted|modified|created|issued|"
    r"released|date|update)(?:\s+(?:on|at))?\s*:?\s*)",
    re.IGNORECASE,
)
_AGO = re.compile(
    rf"(?:\d+\s+(?:minute|min|hour|hr|day|week)s?\s+ago|{days.TIME}|\d+[\s-]min(?:ute)?s?\s+read)",
    re.IGNORECASE,
)
_UPDATED = re.compile(r"(?<=\S)\s+(?=(?:last\s+)?updated\b)", re.IGNORECASE)
_PIECES = re.compile(r"\s*[|•·]\s*|\s+[–—/-]{1,2}\s+|\s{3,}|\t+|;\s+")
_JOINTS = re.compile(r"\s*,\s*(?:and\s+)?|\s+(?:and|with)\s+|\s*&\s*")
_WORD = re.compile(r"(?:[^\W\d_]|['’.-])+")
_PARTICLES = frozenset(
    "al bin da de del della den der di dos du el ibn la le ten ter van von y".split()
)
# Words that open a phrase or a place, and hardly ever a person's name.
_NO_NAME = frozenset(
    "a all an and any are at by far for from get his her how in is it its like los my new no north "
    "of on or our out san santa south that the their then there these this those to united was we "
    "what when where which who why will with you your east west hong saint".split()
)
_LONGEST = 160
_NEAR_THE_TOP = 6
_FEWEST_WORDS, _MOST_WORDS = 2, 5


@dataclass(frozen=True, slots=True)
class Line:
    """What a byline or date line says; a date line may name a day that is no calendar's."""

    kind: Literal["byline", "dateline"]
    author: str | None = None
    date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Top:
    """What the first lines of a plain text say about it."""

    title: str
    author: str | None
    date: dt.date | None


def read_line(line: str) -> Line | None:
    """What a line says if it is a byline or date line as a whole, else None (a sentence is not)."""
    line = line.strip().strip("*_").strip()
    if not line or len(line) > _LONGEST:
        return None
    pieces = [piece for piece in _PIECES.split(_UPDATED.sub(" | ", line)) if piece]
    if not pieces:
        return None
    found = _Pieces()
    if days.written(line) or not all(found.take(piece) for piece in pieces):
        found = _Pieces()
        if not found.take(line):
            return None
    return found.line(alone=len(pieces) == 1)


def read_top(lines: Sequence[str]) -> Top:
    """The title, author and date in the first lines, blank ones left out, of a plain text.

    The title is the first line that is neither byline nor date line.
    """
    head = [line.strip() for line in lines if line.strip()][:_NEAR_THE_TOP]
    said = [read_line(line) for line in head]
    title = next((line for line, found in zip(head, said, strict=True) if not found), "")
    return Top(
        title=title or (head[0] if head else ""),
        author=next((found.author for found in said if found and found.author), None),
        date=next((found.date for found in said if found and found.date), None),
    )


class _Pieces:
    """Gathers what the pieces of one line are."""

    def __init__(self) -> None:
        self.author: str | None = None
        self.name: str | None = None
        self.date: dt.date | None = None
        self.dated = False
        self.publisher = False

    def take(self, piece: str) -> bool:
        """Whether the piece belongs into a byline or date line; what it says is kept."""
        if self._when(piece):
            return True
        if match := _BY.fullmatch(piece):
            self.author = self.author or _authors(match["names"] or match["author"])
            return self.author is not None
        if _OUTLET.fullmatch(piece) or _ROLE.fullmatch(piece):
            self.publisher = True
            return True
        name, _, rest = piece.partition(",")
        if not self.name and is_name(name) and (not rest or _is_publisher(rest.strip())):
            self.name = name
            self.publisher = self.publisher or bool(rest)
            return True
        return False

    def _when(self, piece: str) -> bool:
        bare = _WHEN.sub("", piece, count=1) if _WHEN.match(piece) else piece
        if days.written(bare):
            self.date = self.date or days.day(bare)
            self.dated = True
            return True
        if _AGO.fullmatch(bare):
            # A time alone heads a paragraph of a live report; it needs "Updated" or a date.
            self.dated = self.dated or bare != piece or bare.endswith("ago")
            return True
        return False

    def line(self, *, alone: bool) -> Line | None:
        """What the whole line is: a name or an outlet alone is nothing."""
        if not self.author and self.name and (self.publisher or (self.dated and not alone)):
            self.author = self.name
        if self.author:
            return Line("byline", self.author, self.date)
        if self.dated and not self.name:
            return Line("dateline", None, self.date)
        return None


def is_name(text: str) -> bool:
    """Whether a text has the form of a person's name: two to five words, capitals, no more."""
    words = text.split()
    if not _FEWEST_WORDS <= len(words) <= _MOST_WORDS:
        return False
    if not (words[0][0].isupper() and words[-1][0].isupper()):
        return False
    return all(
        _WORD.fullmatch(word)
        and word.lower() not in _NO_NAME
        and (word[0].isupper() or word in _PARTICLES)
        for word in words
    ) and not any(word.endswith(".") for word in words[-1:] if word not in {"Jr.", "Sr."})


def _is_publisher(text: str) -> bool:
    return all(_OUTLET.fullmatch(part) or _ROLE.fullmatch(part) for part in text.split(", "))


def _authors(text: str) -> str | None:
    """The names after "By"; None if it is something else that stands there."""
    text = text.strip().rstrip(".") if text.count(" ") > 0 else text.strip()
    bare = _ENDING.sub("", _WHERE.sub("", text))
    if _OUTLET.fullmatch(text) and not is_name(bare):
        return text
    parts = [part for part in _JOINTS.split(bare) if part]
    names = [part for part in parts if is_name(part) and not _ROLE.fullmatch(part)]
    rest = [part for part in parts if part not in names]
    if not names or not is_name(parts[0]) or not all(_is_publisher(part) for part in rest):
        return None
    return ", ".join(name for name in names if not _OUTLET.fullmatch(name)) or names[0]
