"""Answers, passages and articles as text for a terminal (pure)."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from qa.focus import focused
from qa.lexical import question_terms, words
from qa.model import Answer, Citation, Hit, Passage, Shown
from qa.reasons import why, why_unanswered
from qa.sentences import LINE_END, paragraphs
from qa.style import PLAIN, Style, clean, columns, wrap
from qa.wording import (
    agreement_line,
    as_claimed,
    in_passages,
    place,
    sureness,
    title,
    understood_line,
    words_that_answer,
)

_INDENT = "    "


def answer_text(
    answer: Answer, *, width: int, style: Style = PLAIN, explain: bool = False, start: int = 0
) -> str:
    """An answer for a terminal.

    Args:
        answer: what was found.
        width: columns of the terminal.
        style: colours and links.
        explain: say why each hit came.
        start: leave out the hits up to this rank, which were shown before.
    """
    shown = as_claimed(answer)
    head = [*_understood(answer, width, style), _verdict(shown, width, style)]
    blocks = [] if start else ["\n".join(head)]
    blocks += [
        hit_text(hit, answer.understood_as, width=width, style=style, explain=explain)
        for hit in shown.hits[start:]
    ]
    return "\n\n".join(blocks)


def _understood(answer: Answer, width: int, style: Style) -> list[str]:
    return [style.dim(line) for line in wrap(clean(understood_line(answer)), width)]


def _verdict(answer: Answer, width: int, style: Style) -> str:
    if answer.status == "answered":
        return "\n".join([*_heading(answer, width, style), *_agreement(answer, width, style)])
    said = [f"Nothing here answers that (confidence {answer.confidence:.2f})."]
    said.append(clean(why_unanswered(answer)))
    if answer.hits:
        said.append("The nearest passages:")
    return "\n".join(map(style.warn, wrap(" ".join(said), width)))


def _heading(answer: Answer, width: int, style: Style) -> list[str]:
    """The words that answer, and how sure they are at the right edge."""
    said = words_that_answer(answer) or in_passages(answer.confidence)

    sure = sureness(answer.confidence)
    room = width - columns(said) - len(sure)
    if room > 1:
        return [style.bold(said) + " " * room + style.dim(sure)]
    return [*map(style.bold, wrap(said, width)), *map(style.dim, wrap(sure, width))]


def _agreement(answer: Answer, width: int, style: Style) -> list[str]:
    """A line for each agreement, those that differ set off."""
    return [
        style.warn(line) if item.kind == "differ" else line
        for item in answer.agreement
        for line in wrap(clean(agreement_line(item)), width)
    ]


def hit_text(
    hit: Hit, question: str, *, width: int, style: Style = PLAIN, explain: bool = False
) -> str:
    """One passage with its title, its citation and its copies."""
    citation = hit.citation
    number = f"[{hit.rank}] "
    dated = f"{number}{title(citation)}"
    lines = [style.title(line) for line in wrap(dated, width, " " * len(number))]
    lines += [_INDENT + line for line in passage_lines(hit, question, width, style)]
    lines += _cited(citation, width, style)
    for copy in hit.also_in:
        lines += _cited(copy, width, style, before="also in ")
    if explain:
        reasons = wrap(clean(why(hit, question)), width - len(_INDENT))
        lines += [_INDENT + style.dim(line) for line in reasons]
    return "\n".join(lines)


def passage_lines(hit: Hit, question: str, width: int, style: Style) -> Iterator[str]:
    """The passage in lines, the answer and the words of the question set off."""
    wanted = frozenset(question_terms(question))
    for parts in focused(hit, wanted):
        line = "".join(
            style.answer(clean(text)) if answers else marked(clean(text), wanted, style)
            for answers, text in parts
        )
        yield from wrap(line, width - len(_INDENT))


def marked(text: str, wanted: frozenset[str], style: Style) -> str:
    """The text with those of its words set off whose terms are wanted."""
    pieces: list[str] = []
    here = 0
    for start, end, term in words(text):
        if term in wanted:
            pieces += [text[here:start], style.bold(text[start:end])]
            here = end
    return "".join([*pieces, text[here:]])


def passage_in_article(
    shown: Shown, *, width: int, style: Style = PLAIN, context: int | None = None
) -> str:
    """An article's text with the cited passage set off by a bar.

    Args:
        shown: the article, and the citation if a passage of it was asked for.
        width: columns of the terminal.
        style: colours.
        context: how many paragraphs around the passage; None shows all of them.
    """
    text, citation = shown.article.text, shown.citation
    blocks = list(paragraphs(text))
    first, last = 0, len(blocks)
    if citation is not None and context is not None:
        cited = [n for n, (a, b) in enumerate(blocks) if a < citation.end and b > citation.start]
        first, last = max(0, cited[0] - context), cited[-1] + context + 1
    lines: list[str] = []
    for start, end in blocks[first:last]:
        lines.append("")
        for inside, part in _parts(text, (start, end), citation):
            bar = "┃ " if inside else "  "
            wrapped = [
                bar + piece
                for line in LINE_END.split(part)
                for piece in wrap(clean(line), width - len(bar))
            ]
            lines += map(style.bold, wrapped) if inside else wrapped
    return "\n".join(lines[1:])


def _parts(
    text: str, block: tuple[int, int], citation: Citation | None
) -> Iterator[tuple[bool, str]]:
    """The parts of a paragraph before, inside and after the cited passage."""
    start, end = block
    borders = {start, end}
    if citation is not None:
        borders |= {min(max(border, start), end) for border in (citation.start, citation.end)}
    for begin, stop in pairwise(sorted(borders)):
        inside = citation is not None and citation.start <= begin < citation.end
        if text[begin:stop].strip():
            yield inside, text[begin:stop].strip()


def _cited(citation: Citation, width: int, style: Style, before: str = "") -> list[str]:
    words_of = f"{before}{place(citation)} ¶{citation.paragraph}"
    lines = wrap(words_of, width - len(_INDENT))
    return [_INDENT + style.dim(style.linked(line, citation)) for line in lines]


def noise_lines(passages: Iterable[Passage]) -> Iterator[str]:
    """The noise of an article: line, kind and text."""
    for passage in passages:
        if passage.noise:
            text = clean(" ".join(passage.text.split()))
            yield f"{passage.citation.line}: {passage.noise}: {text}"
