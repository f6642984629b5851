"""The phrases of a question: runs of content words, names among them (pure)."""

import re
from dataclasses import dataclass

from qa.lexical import STOP_WORDS, words

# Words about asking, not about what is asked for.
_CHATTER = frozenset(
    "interesting aspect aspects article anything else other others information info happen "
    "happened happens know tell thing things mention mentioned significant important notable "
    "special more something someone anyone everyone really way many much kind type sort get got "
    "give go went say said call called make made like please just also yes ok okay well want "
    "interested".split()
)
# What a noun often follows, and a verb hardly.
_BEFORE_NOUN = re.compile(
    r"(?:\b(?:the|an?|of|in|for|with|about|on|by|some|any|many)|['’]s)\s+$|\($", re.IGNORECASE
)
_OWNER = re.compile(r"['’]s?$")
_BETWEEN_NAMES = re.compile(r"\s+(?:(?:of|de|van|von|al|bin)\s+(?:the\s+)?)?")


def content(text: str) -> list[tuple[int, int, str]]:
    """The words that say what is asked for, as (start, end, term)."""
    return [word for word in words(text) if not _is_empty(text[word[0] : word[1]])]


def _is_empty(word: str) -> bool:
    plain = word.casefold().replace("’", "'")
    return plain in STOP_WORDS or plain in _CHATTER


@dataclass(frozen=True, slots=True)
class Phrase:
    """Neighbouring content words: a name, or a noun with its like after "the", "of" and so on."""

    text: str
    named: bool
    before: str

    @property
    def is_noun(self) -> bool:
        """Whether it stands where a noun does."""
        return bool(_BEFORE_NOUN.search(self.before))


def phrases(text: str) -> list[Phrase]:
    """The runs of content words of a text: names, and what stands between them."""
    runs: list[tuple[int, int, bool]] = []
    for start, end, _ in content(text):
        named = _is_named(text, start, end)
        if runs and runs[-1][2] == named:
            between = text[runs[-1][1] : start]
            if _BETWEEN_NAMES.fullmatch(between) if named else between in {" ", "-"}:
                runs[-1] = (runs[-1][0], end, named)
                continue
        runs.append((start, end, named))
    return [Phrase(_OWNER.sub("", text[a:b]), named, text[:a]) for a, b, named in runs]


def names_in(text: str) -> list[Phrase]:
    """The names in a text."""
    return [phrase for phrase in phrases(text) if phrase.named]


def _is_named(text: str, start: int, end: int) -> bool:
    """Whether a word is written as in a name, not only because a sentence begins with it."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    if text[start].isupper():
        return bool(before and before[-1] not in ".?!") or after[:1].isupper()
    return text[start].isdigit() and not text[start:end].isdigit() and after[:1].isupper()
