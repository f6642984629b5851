"""Names of files as they are kept and compared; they are typed, and stored, in several ways."""

import unicodedata
from pathlib import Path


def storable(name: str | Path) -> str:
    """A path as text; bytes of its name that are no UTF-8 are written as escapes."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def composed(name: str) -> str:
    """A name as text, in the normal form NFC: some systems write é as two characters."""
    return name if name.isascii() else unicodedata.normalize("NFC", storable(name))


def folded(name: str) -> str:
    """A name without regard to its form and the case of its letters."""
    return composed(name).casefold()
