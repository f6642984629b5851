"""Bytes of unknown encoding as text, one character for each that was written."""

import codecs
import re

from qa.errors import ReadError

SAMPLE = 64 * 1024

# UTF-32's mark begins with UTF-16's, so it is asked first.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = bytes({*range(9), *range(14, 27), *range(28, 32)})
_HIGH = bytes(range(128, 256))

# English in UTF-16 is half NULs; text in any other encoding has next to none.
_NUL_SHARE = 0.3
_FEW_NULS = 8
# Compressed data holds a tenth control characters, legacy text none.
_CONTROL_SHARE = 0.03
# Below this share (and number) of bytes beyond ASCII, detection guesses: it takes quotation marks
# and a stray accent for Chinese. Windows-1252 is what they are in English.
_HIGH_SHARE = 0.02
_FEW_HIGH = 16


def decode(data: bytes, source: str, declared: str | None = None) -> str:
    """The text in some bytes, line ends and NULs kept, a byte order mark removed.

    What stands for no character becomes U+FFFD, a surrogate exactly one.

    Args:
        data: the whole file.
        source: what messages call it.
        declared: the encoding that the file itself claims, believed if it is not UTF-8.

    Raises:
        ReadError: it is empty, or no text.
    """
    if is_binary(data):
        raise ReadError(f"{source} is not text. Convert it to .txt, .md, .html or .jsonl first.")
    text = without_surrogates(_text(data, declared))
    if not text.strip():
        raise ReadError(f"{source} is empty. Put text into it, or leave it out.")
    return text


def is_binary(data: bytes) -> bool:
    """Whether the beginning of a file shows that it is no text in any encoding."""
    sample = data[:SAMPLE]
    if sample.startswith(tuple(mark for mark, _ in _MARKS)) or _wide(sample):
        return False
    if sample.count(0) > max(_FEW_NULS, _NUL_SHARE * len(sample)):
        return True
    return not _is_utf8(sample) and _share(sample, _CONTROL) > _CONTROL_SHARE


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, so that it can be written as UTF-8."""
    return _SURROGATE.sub("\ufffd", text)


def _text(data: bytes, declared: str | None) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    if wide := _wide(data):
        return _lenient(data, wide)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _legacy(data, declared)


def _is_utf8(sample: bytes) -> bool:
    try:
        # A sample may end in the middle of a character; the incremental decoder waits for the rest.
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark: NULs in one half of the pairs only, as Latin letters have them."""
    pairs = data[: len(data[:SAMPLE]) // 2 * 2]
    even, odd = pairs[::2].count(0), pairs[1::2].count(0)
    few, many = sorted((even, odd))
    if many <= max(_FEW_NULS, _NUL_SHARE * len(pairs)) or few > many // 20:
        return None
    encoding = "utf-16-be" if even > odd else "utf-16-le"
    # A text needs more than NULs and control characters to be one.
    letters = sum(character.isalpha() for character in _lenient(pairs, encoding))
    return encoding if letters > len(pairs) // 6 else None


def _lenient(data: bytes, encoding: str) -> str:
    """Decodes what can be, keeping surrogates (each becomes one U+FFFD later)."""
    try:
        return data.decode(encoding, "surrogatepass")
    except UnicodeDecodeError:
        return data.decode(encoding, "replace")


def _legacy(data: bytes, declared: str | None) -> str:
    text = _lenient(data, "utf-8")
    # UTF-8 with a few broken bytes (cut off, patched, surrogates) is still mostly valid.
    damaged = text.count("\ufffd") + len(_SURROGATE.findall(text))
    valid = sum(character > "\x7f" for character in text) - text.count("\ufffd")
    if valid >= damaged:
        return text
    if declared and _known(declared):
        return data.decode(declared, "replace")
    high = len(data) - len(data.translate(None, _HIGH))
    if high < max(_FEW_HIGH, _HIGH_SHARE * len(data)):
        return data.decode("cp1252", "replace")
    return data.decode(_detected(data), "replace")


def _known(encoding: str) -> bool:
    try:
        return isinstance(b"".decode(encoding), str)
    except LookupError:
        return False  # no encoding of text, or none that Python has


def _detected(data: bytes) -> str:
    from charset_normalizer import from_bytes

    # The end of a line is no middle of a character, in any encoding without a mark.
    sample = data[: data.rfind(b"\n", 0, SAMPLE) + 1] if len(data) > SAMPLE else data
    best = from_bytes(sample or data[:SAMPLE]).best()
    return best.encoding if best else "cp1252"


def _share(sample: bytes, of: bytes) -> float:
    return 1 - len(sample.translate(None, of)) / max(1, len(sample))
