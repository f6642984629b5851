"""Why a passage came, and why nothing answers, in words (pure)."""

from collections.abc import Sequence

from qa.lexical import question_terms, words
from qa.model import Answer, Hit

_STATES = {"date": "gives a date", "number": "gives a number", "name": "gives a name"}
_FIGURES = {
    "dense": "alike in meaning (cosine) {:.2f}",
    "lexical": "shared words (BM25, share of the most) {:.2f}",
    "coverage": "share of the question's rare words {:.2f}",
    "relevance": "reads like an answer {:.2f}",
    "margin": "its words against none {:+.1f}",
    "kind": "their kind against the one asked for {:+.1f}",
}
# From which margin on the words marked are more likely an answer than not.
_LIKELY = 0.0


def why(hit: Hit, question: str) -> str:
    """What speaks for a hit and against it, and then its score and signals."""
    said = [*_answer(hit), *_shared(hit, question), _part(hit)]
    figures = [
        _FIGURES.get(name, name + " {:.2f}").format(value) for name, value in hit.signals.items()
    ]
    return f"{'; '.join(said)}. Score {hit.score:.2f}: {', '.join(figures)}"


def why_unanswered(answer: Answer) -> str:
    """Why nothing answers: words that no passage mentions, or that none reads like an answer."""
    if not answer.hits:
        return "No passage shares a word or a meaning with it."
    if answer.unmentioned:
        named = [f"'{word}'" for word in answer.unmentioned]
        listed = " or ".join([", ".join(named[:-1]), named[-1]] if named[:-1] else named)
        return f"No passage found mentions {listed}."
    return "Passages mention its words, but none reads like an answer."


def is_wanted(wanted: str, *texts: str) -> bool:
    """Whether one of the texts holds the words, in any case of letters and any white space."""
    folded = " ".join(wanted.casefold().split())
    return any(folded in " ".join(text.casefold().split()) for text in texts)


def why_not(wanted: str, question: str, ranked: Sequence[Hit], shown: Sequence[Hit]) -> str | None:
    """Why a passage with these words in it, its title or its source was not shown.

    None if none of the passages ranked has them.

    Args:
        wanted: the words.
        question: as it was understood.
        ranked: what searching finds, far more than was shown.
        shown: the passages that were shown.
    """
    found = next(
        (
            hit
            for hit in ranked
            if is_wanted(wanted, hit.passage.text, hit.citation.title, hit.citation.source)
        ),
        None,
    )
    if found is None:
        return None
    here = {hit.passage.id: hit.rank for hit in shown}
    title = " ".join(found.citation.title.split()) or found.citation.source
    if found.passage.id in here:
        return f"It came: it is [{here[found.passage.id]}], from '{title}'."
    least = min((hit.score for hit in ranked if hit.passage.id in here), default=0.0)
    before = f"the last of those shown has {least:.2f}" if here else "none was shown"
    if found.score > least and here:
        before = "reading put others before it"
    reasons = why(found, question)
    return f"'{title}' is at place {found.rank} of the search; {before}. It {reasons}."


def _answer(hit: Hit) -> list[str]:
    if hit.span is None or hit.signals.get("margin", 0.0) <= _LIKELY:
        return []
    from qa.values import value_of

    state = _STATES.get(value_of(hit.span.text).kind)
    return [state] if state else []


def _shared(hit: Hit, question: str) -> list[str]:
    """The question's words that the passage or its title says, in what form, and those it lacks."""
    wanted = frozenset(question_terms(question))
    asked = {term: question[a:b] for a, b, term in words(question) if term in wanted}
    text = f"{hit.citation.title}\n{hit.passage.text}"
    held: dict[str, list[str]] = {}
    for start, end, term in words(text):
        if term in asked:
            held.setdefault(term, []).append(text[start:end])
    said = [_said(word, held[term]) for term, word in asked.items() if term in held]
    missing = [f"'{word}'" for term, word in asked.items() if term not in held]
    found = [f"says {', '.join(said)}"] if said else []
    return [*found, f"does not say {', '.join(missing)}"] if missing else found


def _said(word: str, forms: list[str]) -> str:
    if any(form.casefold() == word.casefold() for form in forms):
        return f"'{word}'"
    return f"'{word}' as '{forms[0]}'"


def _part(hit: Hit) -> str:
    return f"a {hit.passage.noise}, not prose" if hit.passage.noise else "from the body"
