"""Names as articles write them: "Ada Lind", "President Lind", "the Institute of Tides"."""

import re
import unicodedata
from dataclasses import dataclass

from qa.lexical import STOP_WORDS
from qa.values.verdict import Verdict

# Words that stand beside a name without being one.
_BESIDE = STOP_WORDS | frozenset(
    "president minister prime vice deputy chief king queen prince princess general admiral captain "
    "colonel judge professor doctor sir lady leader head director chairman chairwoman secretary "
    "senator mayor governor ambassador foreign defence defense finance former late mr mrs ms dr "
    "city town village port capital province state region country island district river "
    "northern southern eastern western company group firm team de la le van von der den di da al "
    "bin y".split()
)
_COUNTRIES = frozenset(
    "afghanistan albania algeria angola argentina armenia australia austria azerbaijan bangladesh "
    "belarus belgium bolivia bosnia botswana brazil britain bulgaria cambodia cameroon canada chad "
    "chile china colombia croatia cuba cyprus czechia denmark ecuador egypt england estonia "
    "ethiopia finland france gabon georgia germany ghana greece guatemala guinea haiti honduras "
    "hungary iceland india indonesia iran iraq ireland israel italy jamaica japan jordan "
    "kazakhstan kenya korea kosovo kuwait laos latvia lebanon libya lithuania madagascar malawi "
    "malaysia mali malta mexico moldova mongolia montenegro morocco mozambique myanmar namibia "
    "nepal netherlands nicaragua niger nigeria norway oman pakistan panama paraguay peru "
    "philippines poland portugal qatar romania russia rwanda scotland senegal serbia singapore "
    "slovakia slovenia somalia spain sudan sweden switzerland syria taiwan tanzania thailand "
    "tunisia turkey uganda ukraine uruguay uzbekistan venezuela vietnam wales yemen zambia "
    "zimbabwe africa asia europe america".split()
)
_WORD = re.compile(r"[^\W_](?:[\w'’.-]*\w)?")
_MOST_WORDS = 7
_LONGEST_SHORT = 2


@dataclass(frozen=True, slots=True)
class Name:
    """The folded words of a name, and whether one of them may be short for others: "USA", "Ng"."""

    words: tuple[str, ...]
    is_short: bool = False


def parse(text: str) -> Name | None:
    """The one name that a text is, None if it is no name or several."""
    head = re.split(r",\s|\s[-–—]\s|\s\(", text)[0]
    found = _WORD.findall(head)
    if not 0 < len(found) <= _MOST_WORDS or re.search(r"\b(?:and|or)\b|[;/&]", text):
        return None
    proper = [word for word in found if word[0].isupper()]
    if any(not word[0].isupper() and word.casefold() not in _BESIDE for word in found):
        return None
    names = [word for word in proper if word.casefold() not in _BESIDE]
    if not names:
        return None
    words = tuple(map(_folded, names))
    short = any(word.isupper() or len(_folded(word)) <= _LONGEST_SHORT for word in names)
    return Name(words, short)


def compare(a: Name, b: Name) -> Verdict:
    """Whether two names may be one's: a name holds its shorter forms and has its initials.

    Two names without a word in common exclude each other, unless one is a country and the other is
    not: it may lie there; or one has what may be an acronym: nobody knows of what.
    """
    one, other = set(a.words), set(b.words)
    if one <= other or other <= one:
        return "same"
    if _is_short_for(a.words, b.words) or _is_short_for(b.words, a.words):
        return "same"
    if one & other or a.is_short or b.is_short:
        return "unsure"
    if bool(one & _COUNTRIES) != bool(other & _COUNTRIES):
        return "unsure"
    return "differ"


def _is_short_for(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    return len(a) == 1 and len(b) > 1 and a[0] == "".join(word[0] for word in b)


def _folded(word: str) -> str:
    plain = unicodedata.normalize("NFKD", re.sub(r"['’]s?$", "", word).casefold())
    return "".join(char for char in plain if not unicodedata.combining(char)).replace(".", "")
