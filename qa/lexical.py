"""The words that lexical search compares: analysis of texts and questions.

A term is a word, casefolded, without accents, cut to its Snowball stem. Indexing, questions and
the marking of matched words all use `terms`, so what is searched is what is shown.
"""

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator

from qa.model import Hit

# Words joined by apostrophes or inner full stops stay one ("U.S.", "Mary's"). Scripts without
# spaces are taken by single characters, so that any part of a run of them can match. The marks of
# Hebrew, Arabic, Indic and Thai letters are no letters to Python and are named.
_SINGLE = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARK = r"\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u0eff"
_LETTER = rf"(?:[^\W_{_SINGLE}]|[{_MARK}])"
_WORD = re.compile(rf"[{_SINGLE}]|{_LETTER}+(?:['’.]{_LETTER}+)*")
_DOTTED = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_POSSESSIVE = re.compile(r"['’]s?$")

# Words of questions and of grammar that say nothing about what is asked for.
STOP_WORDS = frozenset(
    "a about am an and any are as at be been being but by can could did do does for from had has "
    "have he her hers him his how i if in into is it its me my no nor not of on or our ours shall "
    "she should so some such than that the their theirs them then there these they this those to "
    "too us very was we were what when where which who whom whose why will with would you your "
    "yours isn't aren't wasn't weren't don't doesn't didn't what's who's where's when's how's "
    "it's he's she's that's there's".split()
)


def words(text: str) -> Iterator[tuple[int, int, str]]:
    """The words of a text as (start, end, term)."""
    for match in _WORD.finditer(text):
        for start, end, word in _parts(match):
            term = _term(word)
            if term:
                yield start, end, term


def terms(text: str) -> list[str]:
    """The terms of a text, in its order."""
    return [term for _, _, term in words(text)]


def question_terms(question: str) -> list[str]:
    """The terms that a question looks for, each once: its content words, or all if it has none."""
    found = list(words(question))
    content = [
        term
        for start, end, term in found
        if question[start:end].casefold().replace("’", "'") not in STOP_WORDS
    ]
    return list(dict.fromkeys(content or [term for _, _, term in found]))


def unmentioned(question: str, hits: Iterable[Hit]) -> list[str]:
    """The words of a question, as typed, that no passage holds, its title read with it."""
    held = frozenset[str]().union(
        *(terms(f"{hit.citation.title} {hit.passage.text}") for hit in hits)
    )
    wanted = frozenset(question_terms(question)) - held
    found = [question[start:end] for start, end, term in words(question) if term in wanted]
    return list(dict.fromkeys(found))


def _parts(match: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """One word, or several where a full stop only misses its space ("Monday.The", "qa.py")."""
    word = match.group()
    if "." not in word or _DOTTED.fullmatch(word) or word.replace(".", "").isdigit():
        yield match.start(), match.end(), word
        return
    start = match.start()
    for part in word.split("."):
        yield start, start + len(part), part
        start += len(part) + 1


class _PerThread(threading.local):
    """A stemmer keeps a buffer of its own, so threads may not share one."""

    def __init__(self) -> None:
        from Stemmer import Stemmer

        self.stem_word = Stemmer("english").stemWord


_stemmers = _PerThread()


def _term(word: str) -> str:
    folded = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    plain = _POSSESSIVE.sub("", plain).replace(".", "").replace("’", "").replace("'", "")
    stem: str = _stemmers.stem_word(plain)
    return stem
