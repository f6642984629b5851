"""Cuts an article into passages: exact slices on sentence and paragraph borders."""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from qa.model import Article, Noise, NoiseKind
from qa.sentences import LINE_END, paragraphs, sentences, trim

TokenOffsets = Callable[[Sequence[str]], list[list[tuple[int, int]]]]

# A tokenizer may see a megabyte without a space as one unknown token; readers do not.
MAX_CHARACTERS = 1500
TITLE_CHARACTERS = 200

# A Markdown heading, or one short line that ends no sentence.
_HEADING = re.compile(r"#{1,6}\s[^\r\n]*|[^\r\n]{1,79}[^\s.!?:;,…\"'”’)。！？]")


@dataclass(frozen=True, slots=True)
class Slice:
    """A passage before it has an id: `article.text[start:end]`, sentences relative to `start`."""

    start: int
    end: int
    paragraph: int
    line: int
    sentences: tuple[tuple[int, int], ...]
    noise: NoiseKind | None = None


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence, or a piece of one that is too long, with its place in the article."""

    start: int
    end: int
    tokens: int
    paragraph: int
    noise: NoiseKind | None
    heading: bool


def for_encoder(title: str, text: str) -> str:
    """The text that is encoded for a passage: its article's title as context, then itself."""
    heading = title[:TITLE_CHARACTERS].strip()
    return f"{heading}. {text}" if heading else text


def split(
    article: Article, noise: Sequence[Noise], token_offsets: TokenOffsets, max_tokens: int
) -> list[Slice]:
    """Cuts an article into slices of at most `max_tokens` tokens of the encoder.

    Paragraphs are kept whole where they fit, and short ones stand together. Noise stands alone, so
    that a caption never lends its words to prose. Every character that is not white space lies in
    exactly one slice.
    """
    units = list(_units(article.text, noise, token_offsets, max_tokens))
    line_starts = [0, *(match.end() for match in LINE_END.finditer(article.text))]
    return [_slice(group, line_starts) for group in _pack(units, max_tokens)]


def _slice(units: Sequence[_Unit], line_starts: Sequence[int]) -> Slice:
    start = units[0].start
    return Slice(
        start=start,
        end=units[-1].end,
        paragraph=units[0].paragraph,
        line=bisect_right(line_starts, start),
        sentences=tuple((unit.start - start, unit.end - start) for unit in units),
        noise=units[0].noise,
    )


def _pack(units: Iterable[_Unit], max_tokens: int) -> Iterable[list[_Unit]]:
    """Groups units greedily: paragraphs that fit stay whole, headings go with what they head."""
    group: list[_Unit] = []
    for block in _blocks(units):
        if group and not _fits([*group, *block], max_tokens):
            carried = _headings(group, block)
            if len(carried) < len(group):
                yield group[: len(group) - len(carried)]
                group = carried
        for unit in block:
            if group and not _fits([*group, unit], max_tokens):
                yield group
                group = []
            group.append(unit)
    if group:
        yield group


def _headings(group: Sequence[_Unit], block: Sequence[_Unit]) -> list[_Unit]:
    """The headings at the end of a group, when what follows is what they head."""
    last = len(group)
    while last and group[last - 1].heading and not block[0].noise:
        last -= 1
    return list(group[last:])


def _fits(units: Sequence[_Unit], max_tokens: int) -> bool:
    return (
        units[0].noise == units[-1].noise
        and sum(unit.tokens for unit in units) <= max_tokens
        and units[-1].end - units[0].start <= MAX_CHARACTERS
    )


def _blocks(units: Iterable[_Unit]) -> Iterable[list[_Unit]]:
    """Consecutive units of one paragraph and one kind."""
    block: list[_Unit] = []
    for unit in units:
        if block and (block[-1].paragraph, block[-1].noise) != (unit.paragraph, unit.noise):
            yield block
            block = []
        block.append(unit)
    if block:
        yield block


def _units(
    text: str, noise: Sequence[Noise], token_offsets: TokenOffsets, max_tokens: int
) -> Iterable[_Unit]:
    pieces = [
        (start, end, number, kind)
        for number, (begin, stop) in enumerate(paragraphs(text), start=1)
        for piece_start, piece_end, kind in _by_noise(text, begin, stop, noise)
        for start, end in sentences(text, piece_start, piece_end)
    ]
    offsets = token_offsets([text[start:end] for start, end, _, _ in pieces])
    for (start, end, number, kind), tokens in zip(pieces, offsets, strict=True):
        heading = kind is None and _HEADING.fullmatch(text, start, end) is not None
        for begin, stop, count in _cut(text, start, end, tokens, max_tokens):
            yield _Unit(begin, stop, count, number, kind, heading)


def _by_noise(
    text: str, start: int, end: int, noise: Sequence[Noise]
) -> Iterable[tuple[int, int, NoiseKind | None]]:
    """The parts of a paragraph, prose and noise in turn."""
    here = start
    first = bisect_right(noise, start, key=lambda mark: mark.end)
    for mark in noise[first:]:
        if mark.start >= end:
            break
        for begin, stop, kind in (
            (here, max(here, mark.start), None),
            (max(here, mark.start), min(end, mark.end), mark.kind),
        ):
            part = trim(text, begin, stop)
            if part[0] < part[1]:
                yield *part, kind
        here = min(end, mark.end)
    part = trim(text, here, end)
    if part[0] < part[1]:
        yield *part, None


def _cut(
    text: str, start: int, end: int, tokens: Sequence[tuple[int, int]], max_tokens: int
) -> Iterable[tuple[int, int, int]]:
    """A sentence in pieces that fit, cut before a token, a space or, at worst, a character."""
    here = start
    index = 0
    while end - here > MAX_CHARACTERS or len(tokens) - index > max_tokens:
        limit = min(end, here + MAX_CHARACTERS)
        if index + max_tokens < len(tokens):
            limit = min(limit, start + tokens[index + max_tokens][0])
        cut = _border(text, here, limit)
        following = bisect_right(tokens, cut - start - 1, lo=index, key=lambda token: token[0])
        piece = trim(text, here, cut)
        if piece[0] < piece[1]:
            yield *piece, max(1, following - index)
        parted = following > index and start + tokens[following - 1][1] > cut
        here, index = cut, following - parted
    piece = trim(text, here, end)
    if piece[0] < piece[1]:
        yield *piece, max(1, len(tokens) - index)


def _border(text: str, start: int, limit: int) -> int:
    """The last place up to `limit` where a cut hurts least; always beyond `start`."""
    space = max(text.rfind(" ", start + 1, limit), text.rfind("\n", start + 1, limit))
    if space > start + (limit - start) // 2:
        return space
    cut = limit
    while cut > start + 1 and _joins(text, cut):
        cut -= 1
    return cut if cut > start + 1 else max(limit, start + 1)


def _joins(text: str, cut: int) -> bool:
    """Whether the characters on both sides of `cut` are seen as one (marks, joined emoji)."""
    if cut >= len(text):
        return False
    after = text[cut]
    return (
        bool(unicodedata.combining(after))
        or after in "\u200d\ufe0f\ufe0e"
        or text[cut - 1] == "\u200d"
        or "\U0001f3fb" <= after <= "\U0001f3ff"
    )
