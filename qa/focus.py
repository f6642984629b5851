"""The sentences of a passage that are worth showing (pure)."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise

from qa.lexical import words
from qa.model import Hit, Passage, Span
from qa.sentences import LINE_END, paragraphs, sentences, trim

Stretch = tuple[int, int]

_GAP = "…"
_SPACE = re.compile(r"\s+")


def focused(hit: Hit, terms: frozenset[str]) -> list[list[tuple[bool, str]]]:
    """What is shown of a passage: paragraphs of parts, each with whether it answers.

    With a span, its sentences and the best around it, "…" where some are left out; else all.
    """
    text, span = hit.passage.text, hit.span
    stretches = snippet(hit.passage, span, terms) if span else ((0, len(text)),)
    blocks: list[list[tuple[bool, str]]] = []
    here = 0  # the end of what was shown last
    for start, end in paragraphs(text):
        parts: list[tuple[bool, str]] = []
        for begin, stop in stretches:
            piece = trim(text, max(start, begin), max(start, min(end, stop)))
            if piece[0] >= piece[1]:
                continue
            if text[here : piece[0]].strip():
                parts.append((False, f" {_GAP} " if parts else f"{_GAP} "))
            parts += _answering(hit, *piece)
            here = piece[1]
        if parts:
            blocks.append(parts)
    if blocks and text[here:].strip():
        blocks[-1].append((False, f" {_GAP}"))
    return blocks


def _answering(hit: Hit, start: int, end: int) -> list[tuple[bool, str]]:
    """The parts of a stretch before, inside and after the span, white space as single spaces."""
    text, span = hit.passage.text, hit.span
    inside = trim(text, max(start, span.start), min(end, span.end)) if span else (end, end)
    if inside[0] >= inside[1]:
        inside = (end, end)
    borders = (start, *inside, end)
    return [
        (place == 1, _SPACE.sub(" ", text[a:b]))
        for place, (a, b) in enumerate(pairwise(borders))
        if a < b
    ]


def snippet(
    passage: Passage, span: Span | None, terms: frozenset[str], max_characters: int = 320
) -> tuple[Stretch, ...]:
    """Stretches `[start, end)` of the passage's text, in its order, of whole sentences.

    A passage that fits is shown whole. Else the sentence of the span comes first, or the one with
    most of the question's terms, however long it is; then those with terms that are not yet shown
    and those beside what is shown in its paragraph, the nearest first, while they fit. Neighbours
    make one stretch.

    Args:
        passage: where the span stands.
        span: the answer, if there is one.
        terms: those that the question looks for.
        max_characters: what the stretches may hold together.
    """
    whole = trim(passage.text, 0, len(passage.text))
    if whole[1] - whole[0] <= max_characters:
        return (whole,) if whole[0] < whole[1] else ()
    borders = _sentences(passage, span)
    held = [
        terms.intersection(term for _, _, term in words(passage.text[start:end]))
        for start, end in borders
    ]
    places = range(len(borders))
    if span is None:
        first = max(places, key=lambda n: (len(held[n]), -n))
    else:
        first = next(n for n in places if borders[n][0] <= span.start and span.end <= borders[n][1])
    shown = {first}
    while True:
        seen = frozenset[str]().union(*(held[n] for n in shown))
        offered = [
            (len(held[n] - seen), -abs(n - first), -n)
            for n in places
            if n not in shown
            and (
                held[n] - seen or any(_beside(passage.text, borders[n], borders[m]) for m in shown)
            )
            and _length(_joined(borders, shown | {n})) <= max_characters
        ]
        if not offered:
            return tuple(_joined(borders, shown))
        shown.add(-max(offered)[2])


def _sentences(passage: Passage, span: Span | None) -> list[Stretch]:
    """The passage's sentences in order; those that the span touches are one with it."""
    text = passage.text
    found = passage.sentences or [
        border for block in paragraphs(text) for border in sentences(text, *block)
    ]
    if span is None:
        return sorted(found)
    touched = [(a, b) for a, b in found if a < span.end and b > span.start]
    hull = (min([span.start, *(a for a, _ in touched)]), max([span.end, *(b for _, b in touched)]))
    return sorted([*(border for border in found if border not in touched), hull])


def _beside(text: str, one: Stretch, other: Stretch) -> bool:
    """Whether two sentences stand side by side in one paragraph."""
    (_, begin), (end, _) = sorted((one, other))
    between = text[begin:end]
    return not between.strip() and len(LINE_END.findall(between)) < 2  # noqa: PLR2004 -- a blank line


def _joined(borders: Sequence[Stretch], shown: Collection[int]) -> list[Stretch]:
    """The sentences shown, those side by side as one stretch."""
    stretches: list[Stretch] = []
    last = -2
    for place in sorted(shown):
        begin = stretches.pop()[0] if place == last + 1 else borders[place][0]
        stretches.append((begin, borders[place][1]))
        last = place
    return stretches


def _length(stretches: Sequence[Stretch]) -> int:
    return sum(end - start for start, end in stretches)
