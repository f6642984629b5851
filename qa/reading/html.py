"""HTML: the main text of a page, without its navigation and advertisements."""

import logging
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

from qa.errors import ReadError
from qa.model import Article
from qa.reading import days
from qa.reading.decoding import decode, without_surrogates
from qa.reading.origin import Origin
from qa.reading.plain import as_title, first_lines

_CHARSET = re.compile(
    rb"<(?:meta|\?xml)[^>]{0,200}?(?:charset|encoding)\s*=\s*[\"']?([\w:-]+)", re.IGNORECASE
)
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_HEAD = 4096
# Lines that belong together: items of a list, rows of a table.
_TOGETHER = re.compile(r"(?:- |\|)")
_UNSEEN = frozenset(
    {"script", "style", "noscript", "template", "title", "svg", "nav", "aside", "footer"}
)
_INLINE = frozenset(
    "a abbr b bdi bdo cite code data dfn em font i kbd mark q s samp small span strong sub sup "
    "time tt u var wbr".split()
)
# A handler keeps what these say about odd pages off the user's terminal; who sets up logging, as
# programs do that import us, still gets it.
for _name in ("trafilatura", "htmldate", "courlan", "justext"):
    logging.getLogger(_name).addHandler(logging.NullHandler())


def articles(data: bytes, origin: Origin) -> Iterator[Article | ReadError]:
    """The one article on a page; the whole visible text where no main text stands out."""
    declared = _CHARSET.search(data, 0, _HEAD)
    page = decode(data, origin.source, declared[1].decode("ascii") if declared else None)
    # NUL is no character of HTML, and the parser stops at it.
    page = _DECLARATION.sub("", page.replace("\0", "\ufffd"), count=1)
    metadata, text = _extracted(page)
    blocks = _visible(page)
    # Where trafilatura finds no article it breaks lines at every inline element: "Kim", "will".
    whole = len(text.split("\n\n")) > len(blocks)
    text = without_surrogates("\n\n".join(blocks) if whole or not text else text)
    if not text.strip():
        raise ReadError(
            f"{origin.source} has no text. A page that a script fills must be saved as text."
        )
    yield Article(
        id=origin.article_id(),
        source=origin.source,
        title=as_title(_said(metadata, "title") or next(iter(first_lines(text)))),
        text=text,
        date=days.day(_said(metadata, "date") or ""),
        url=origin.url or _said(metadata, "url"),
        author=(_said(metadata, "author") or "").replace("; ", ", ") or None,
    )


def _extracted(page: str) -> tuple[object, str]:
    """What trafilatura says about a page, and its main text or nothing."""
    from trafilatura import bare_extraction, extract_metadata

    # Only dates that the page states: the extensive search takes one from a footer.
    stated = {"extensive_search": False, "original_date": True}
    document = bare_extraction(
        page, include_comments=False, with_metadata=True, date_extraction_params=stated
    )
    if document is not None:
        return document, _paragraphs(document.text or "")
    return extract_metadata(page, date_config=stated), ""


def _paragraphs(text: str) -> str:
    """Lines as paragraphs, blank lines between them, lists and tables kept together."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    joined = lines[:1]
    for before, line in pairwise(lines):
        together = _TOGETHER.match(before) and _TOGETHER.match(line)
        joined += ["\n" if together else "\n\n", line]
    return "".join(joined)


def _said(metadata: object, name: str) -> str | None:
    value = getattr(metadata, name, None)
    return without_surrogates(value) if isinstance(value, str) and value.strip() else None


def _visible(page: str) -> list[str]:
    """The text of each block of a page that shows any."""
    parser = _Visible()
    parser.feed(page)
    parser.close()
    blocks = (" ".join(block.split()) for block in "".join(parser.pieces).split("\f"))
    return [block for block in blocks if block]


class _Visible(HTMLParser):
    """Collects text, with a form feed wherever a block begins or ends."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unseen = 0
        self._verbatim = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 -- HTMLParser's signature
        self._unseen += tag in _UNSEEN
        self._verbatim += tag == "pre"
        self._border(tag)

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        self._verbatim = max(0, self._verbatim - (tag == "pre"))
        self._border(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 -- HTMLParser's signature
        self._border(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data.replace("\n", "\f") if self._verbatim else data)

    def _border(self, tag: str) -> None:
        if tag not in _INLINE:
            self.pieces.append("\f")
