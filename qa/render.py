"""An answer as text for a terminal and as Markdown (pure).

Text of articles may hold anything; `clean` stands between it and every terminal.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from qa.focus import snippet
from qa.lexical import question_terms, words
from qa.model import Agreement, Answer, Citation, Hit, Passage, Said, Shown
from qa.reasons import why, why_unanswered
from qa.sentences import LINE_END, paragraphs, trim

_INDENT = "    "
_GAP = "…"
_SPACE = re.compile(r"\s+")
# The score of words from which on they are more likely an answer than not.
_CLAIMED = 0.5
# From which confidence on a word is right more often than it sounds.
_SURENESS = ((0.8, "confident"), (0.5, "likely"), (0.0, "unsure"))
# What is said of an answer without words that are likely it.
_IN_PASSAGES = {
    "confident": "In these passages",
    "likely": "Probably in these passages",
    "unsure": "Perhaps in these passages",
}
# C0 and C1 controls, and the marks that turn the direction of writing around.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")

# Western letters and punctuation: each takes one column.
_NARROW = re.compile("[\\s\x20-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027\u2030-\u205e]*")


def _no_link(_: Citation) -> str | None:
    return None


@dataclass(frozen=True, slots=True)
class Style:
    """What a terminal can show; `link` gives the address behind a citation, if there is one."""

    color: bool = False
    link: Callable[[Citation], str | None] = _no_link

    def bold(self, text: str) -> str:
        """Words that matched."""
        return self._sgr("1", text)

    def answer(self, text: str) -> str:
        """The words that answer."""
        return self._sgr("1;4", text) if self.color else f"«{text}»"

    def dim(self, text: str) -> str:
        """What matters less."""
        return self._sgr("2", text)

    def title(self, text: str) -> str:
        """The title of an article."""
        return self._sgr("1;36", text)

    def warn(self, text: str) -> str:
        """What the reader should not miss."""
        return self._sgr("33", text)

    def linked(self, text: str, citation: Citation) -> str:
        """Text that a terminal opens the citation from (OSC 8)."""
        address = self.link(citation)
        return f"\x1b]8;;{address}\x1b\\{text}\x1b]8;;\x1b\\" if address else text

    def _sgr(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.color else text


PLAIN = Style()


def clean(text: str) -> str:
    """The text with control characters made visible, so that no terminal obeys them."""
    return CONTROL.sub(lambda match: _visible(match.group()), text)


def _visible(char: str) -> str:
    code = ord(char)
    if char == "\r":
        return " "
    if code < 0x20:  # noqa: PLR2004 -- the control pictures follow the order of C0
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else f"\\u{code:04x}"  # noqa: PLR2004 -- DEL


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


def as_claimed(answer: Answer) -> Answer:
    """The answer without what it does not claim: where nothing answers, no words do.

    Else words are left out that are less likely an answer than not; those of the first passage are
    as likely as the answer is sure, where that is more.
    """
    if answer.status != "answered":
        return replace(answer, hits=tuple(map(_unmarked, answer.hits)), agreement=())
    sure = {1: answer.confidence}
    hits = (
        hit
        if hit.span and max(hit.span.score, sure.get(hit.rank, 0.0)) >= _CLAIMED
        else _unmarked(hit)
        for hit in answer.hits
    )
    return replace(answer, hits=tuple(hits))


def _unmarked(hit: Hit) -> Hit:
    return replace(hit, span=None)


def understood_line(answer: Answer) -> str:
    """What was carried into a question: "she → Ada Lind; Geneva"; "" if nothing was."""
    return "; ".join(
        f"{each.stands_for} → {each.text}" if each.stands_for else each.text
        for each in answer.carried
    )


def _understood(answer: Answer, width: int, style: Style) -> list[str]:
    return [style.dim(line) for line in _wrap(clean(understood_line(answer)), width)]


def _verdict(answer: Answer, width: int, style: Style) -> str:
    if answer.status == "answered":
        return "\n".join([*_heading(answer, width, style), *_agreement(answer, width, style)])
    said = [f"Nothing here answers that (confidence {answer.confidence:.2f})."]
    said.append(clean(why_unanswered(answer)))
    if answer.hits:
        said.append("The nearest passages:")
    return "\n".join(map(style.warn, _wrap(" ".join(said), width)))


def _heading(answer: Answer, width: int, style: Style) -> list[str]:
    """The words that answer, and how sure they are at the right edge."""
    said = _words_that_answer(answer) or _IN_PASSAGES[sureness_word(answer.confidence)]

    sure = _sureness(answer.confidence)
    room = width - _columns(said) - len(sure)
    if room > 1:
        return [style.bold(said) + " " * room + style.dim(sure)]
    return [*map(style.bold, _wrap(said, width)), *map(style.dim, _wrap(sure, width))]


def _words_that_answer(answer: Answer) -> str:
    span = answer.hits[0].span if answer.hits else None
    return clean(" ".join(span.text.split())) if span else ""


def sureness_word(confidence: float) -> str:
    """A confidence in a word."""
    return next(word for least, word in _SURENESS if confidence >= least)


def _sureness(confidence: float) -> str:
    return f"{sureness_word(confidence)} ({confidence:.2f})"


def _agreement(answer: Answer, width: int, style: Style) -> list[str]:
    """A line for each agreement, those that differ set off."""
    return [
        style.warn(line) if item.kind == "differ" else line
        for item in answer.agreement
        for line in _wrap(clean(agreement_line(item)), width)
    ]


def agreement_line(item: Agreement) -> str:
    """Who says what: "August [1] · July [3]: the articles differ"."""
    said = " · ".join(
        " ".join(answer.text.split()) + " " + "".join(f"[{rank}]" for rank in answer.ranks)
        for answer in item.answers
    )
    if item.kind == "differ":
        return f"{said}: the articles differ"
    (answer,) = item.answers
    return f"{said}: {_count_articles(answer)} articles agree"


def _count_articles(said: Said) -> int:
    return len({(citation.article_id, citation.source) for citation in said.citations})


def hit_text(
    hit: Hit, question: str, *, width: int, style: Style = PLAIN, explain: bool = False
) -> str:
    """One passage with its title, its citation and its copies."""
    citation = hit.citation
    number = f"[{hit.rank}] "
    dated = f"{number}{_title(citation)}"
    lines = [style.title(line) for line in _wrap(dated, width, " " * len(number))]
    lines += [_INDENT + line for line in passage_lines(hit, question, width, style)]
    lines += _cited(citation, width, style)
    for copy in hit.also_in:
        lines += _cited(copy, width, style, before="also in ")
    if explain:
        reasons = _wrap(clean(why(hit, question)), width - len(_INDENT))
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
        yield from _wrap(line, width - len(_INDENT))


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
                for piece in _wrap(clean(line), width - len(bar))
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


def place(citation: Citation) -> str:
    """A citation as it is shown and typed: SOURCE:LINE."""
    return clean(f"{citation.source}:{citation.line}")


def _cited(citation: Citation, width: int, style: Style, before: str = "") -> list[str]:
    words_of = f"{before}{place(citation)} ¶{citation.paragraph}"
    lines = _wrap(words_of, width - len(_INDENT))
    return [_INDENT + style.dim(style.linked(line, citation)) for line in lines]


def _title(citation: Citation) -> str:
    dated = f" ({citation.date.isoformat()})" if citation.date else ""
    return clean(" ".join(citation.title.split()) or citation.source) + dated


def _wrap(text: str, width: int, indent: str = "") -> list[str]:
    # Under three columns nothing can be read, but nothing may break either.
    columns = max(3, width)
    hanging = indent if width > len(indent) + 3 else ""
    if _NARROW.fullmatch(text):
        return textwrap.wrap(text, columns, subsequent_indent=hanging)
    # Its tables take 20 ms to load: only for text that has wide characters, marks or colours.
    from wcwidth import wrap

    return list(wrap(text, columns, subsequent_indent=hanging))


def _columns(text: str) -> int:
    if _NARROW.fullmatch(text):
        return len(text)
    from wcwidth import wcswidth

    return int(wcswidth(text))


def answer_markdown(answer: Answer) -> str:
    """An answer as Markdown, each passage a quotation with its source."""
    shown = as_claimed(answer)
    blocks = [f"## {_escaped(answer.question)}"]
    if answer.carried:
        blocks.append(f"({_escaped(understood_line(answer))})")
    blocks.append(_verdict_in_markdown(shown))
    blocks += [f"- {_escaped(agreement_line(item))}" for item in shown.agreement]
    wanted = frozenset(question_terms(answer.understood_as))
    for hit in shown.hits:
        quoted = "\n>\n".join(
            "> " + "".join(_in_bold(text) if answers else _literal(text) for answers, text in parts)
            for parts in focused(hit, wanted)
        )
        cited = ", ".join(_escaped(place(item)) for item in (hit.citation, *hit.also_in))
        blocks.append(f"{hit.rank}. **{_escaped(_title(hit.citation))}** — {cited}\n\n{quoted}")
    return "\n\n".join(blocks) + "\n"


def _verdict_in_markdown(answer: Answer) -> str:
    if answer.status != "answered":
        return f"_Nothing here answers that. {_escaped(why_unanswered(answer))}_"
    said = _words_that_answer(answer)
    shown = _in_bold(said) if said else _IN_PASSAGES[sureness_word(answer.confidence)]
    return f"{shown} — _{_sureness(answer.confidence)}_"


def _in_bold(text: str) -> str:
    return f"**{_literal(text)}**"


def _escaped(text: str) -> str:
    """Text of an article on one line that Markdown shows as it is."""
    return _literal(" ".join(text.split()))


def _literal(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", clean(text))


def noise_lines(passages: Iterable[Passage]) -> Iterator[str]:
    """The noise of an article: line, kind and text."""
    for passage in passages:
        if passage.noise:
            text = clean(" ".join(passage.text.split()))
            yield f"{passage.citation.line}: {passage.noise}: {text}"
