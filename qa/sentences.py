"""Where sentences and paragraphs begin and end, in characters of the text."""

import re
from collections.abc import Iterator

LINE_END = re.compile(r"\r\n|\r|\n")
_BLANK = re.compile(r"(?:\r\n|\r|\n)(?:[^\S\r\n]*(?:\r\n|\r|\n))+")
_LIST_ITEM = re.compile(r"\s*(?:[-*•‣◦–—]|\(?\d{1,3}[.)])\s")

# Marks that may end a sentence, closing quotes and brackets after them. What has to follow is
# looked at afterwards: as part of the pattern it would read a row of dots again from each dot.
_END = re.compile(r"(?:[.!?…]+[\"'”’»)\]]*|[。！？]+[」』”’）]*|(?:\r\n|\r|\n))")
_WORD_BEFORE = re.compile(r"([^\s(\[\"“‘']+)$")
# "J", and "H.W" of "H.W. Bush".
_INITIALS = re.compile(r"[^\W\d_](?:\.[^\W\d_])*")
_OPENING = "\"'“‘«([¿¡"

_NEVER_LAST = frozenset(
    "mr mrs ms mx dr prof rev hon fr gen col lt maj sgt capt cpt cmdr adm rep sen gov pres st mt "
    "ft vs v cf viz nos vol fig figs eq sec ch pp jan feb mar apr jun jul aug sep sept oct nov dec "
    "mon tue tues wed thu thurs fri sat sun approx est dept univ assn bros".split()
)
_MAYBE_LAST = frozenset(
    "no inc ltd co corp jr sr etc al u.s u.k u.n e.u u.s.a d.c a.m p.m b.c a.d ph.d e.g i.e".split()
)
_STARTERS = frozenset(
    "the a an he she it they we i you this that these those his her its their our but and or in on "
    "at for from as after before when while if there who what where why how however also".split()
)


def paragraphs(text: str) -> Iterator[tuple[int, int]]:
    """Offsets of the blocks between blank lines, without the white space around them."""
    begin = 0
    for match in [*_BLANK.finditer(text), None]:
        end = match.start() if match else len(text)
        trimmed = trim(text, begin, end)
        if trimmed[0] < trimmed[1]:
            yield trimmed
        begin = match.end() if match else end


def sentences(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Offsets of the sentences of one paragraph, without the white space between them.

    Rules, not a model: a mark, white space and a capital, digit or quote end a sentence, unless the
    word before is an abbreviation or an initial. Lists break at each item.
    """
    stop = len(text) if end is None else end
    begin = start
    for match in _END.finditer(text, start, stop):
        if match.start() < begin or not _is_border(text, begin, match, stop):
            continue
        piece = trim(text, begin, match.end())
        if piece[0] < piece[1]:
            yield piece
        begin = match.end()
    piece = trim(text, begin, stop)
    if piece[0] < piece[1]:
        yield piece


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The offsets moved inwards past white space."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _is_border(text: str, begin: int, match: re.Match[str], stop: int) -> bool:
    mark = match.group()
    if mark[0] in "\r\n":
        return _LIST_ITEM.match(text, match.end(), min(stop, match.end() + 12)) is not None
    if mark[0] in "。！？":  # which need no white space
        return True
    follows = trim(text, match.end(), min(stop, match.end() + 64))[0]
    if follows >= stop:
        return True
    if follows == match.end() or text[follows].islower() or text[follows] in ",;:)":
        return False
    if mark[0] != ".":
        return True
    return not _is_abbreviation(text, begin, match.start(), follows, stop)


def _is_abbreviation(text: str, begin: int, dot: int, follows: int, stop: int) -> bool:
    """Whether the word that ends at `dot` is shortened, and the sentence goes on at `follows`."""
    word_match = _WORD_BEFORE.search(text[max(begin, dot - 24) : dot])
    if word_match is None:
        return False
    word = word_match.group(1).casefold()
    if word in _NEVER_LAST:
        return True
    if word.isdigit():  # "3." at the start is the number of an item
        return dot - len(word) <= begin + 1
    initial = _INITIALS.fullmatch(word) is not None and word != "i"
    if initial or word in _MAYBE_LAST:
        next_word = re.match(r"[\w’']+", text[follows : min(stop, follows + 24)].lstrip(_OPENING))
        return next_word is None or next_word.group().casefold() not in _STARTERS
    return False
