"""An answer as Markdown (pure)."""

import re

from qa.focus import focused
from qa.lexical import question_terms
from qa.model import Answer
from qa.reasons import why_unanswered
from qa.style import clean
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
        blocks.append(f"{hit.rank}. **{_escaped(title(hit.citation))}** — {cited}\n\n{quoted}")
    return "\n\n".join(blocks) + "\n"


def _verdict_in_markdown(answer: Answer) -> str:
    if answer.status != "answered":
        return f"_Nothing here answers that. {_escaped(why_unanswered(answer))}_"
    said = words_that_answer(answer)
    shown = _in_bold(said) if said else in_passages(answer.confidence)
    return f"{shown} — _{sureness(answer.confidence)}_"


def _in_bold(text: str) -> str:
    return f"**{_literal(text)}**"


def _escaped(text: str) -> str:
    """Text of an article on one line that Markdown shows as it is."""
    return _literal(" ".join(text.split()))


def _literal(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|])", r"\\\1", clean(text))
