"""How text stands in a terminal: obeyed by none, styled, and wrapped to columns (pure).

Text of articles may hold anything; `clean` stands between it and every terminal.
"""

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

from qa.model import Citation

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


def wrap(text: str, width: int, indent: str = "") -> list[str]:
    """The text in lines of at most `width` columns, all but the first indented."""
    # Under three columns nothing can be read, but nothing may break either.
    most = max(3, width)
    hanging = indent if width > len(indent) + 3 else ""
    if _NARROW.fullmatch(text):
        return textwrap.wrap(text, most, subsequent_indent=hanging)
    # Its tables take 20 ms to load: only for text that has wide characters, marks or colours.
    from wcwidth import wrap as fold

    return list(fold(text, most, subsequent_indent=hanging))


def columns(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if _NARROW.fullmatch(text):
        return len(text)
    from wcwidth import wcswidth

    return int(wcswidth(text))
