"""Are citations still exactly there? As quoted, in the library, and in the file that was read."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qa import reading
from qa.errors import QaError, ReadError
from qa.library import Library
from qa.model import Article, Citation, text_sha256
from qa.schema import citation_from_dict

_ESCAPED = re.compile(r"\\x[89a-f][0-9a-f]")

Finding = Literal["exact", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation, and whether an answer gives for it the words that it cites (None: gives none)."""

    citation: Citation
    quoted: Finding | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a citation: as quoted, in the library, in its file (None: not on disk)."""

    citation: Citation
    quoted: Finding | None
    library: Finding
    file: Finding | None

    @property
    def holds(self) -> bool:
        """Whether the words quoted are the cited ones, and stand where the citation says."""
        return self.library == "exact" and {self.quoted, self.file} <= {"exact", None}


def citations(text: str, name: str) -> list[Cited]:
    """The citations of answers written as JSON or JSON lines, copies in other articles included.

    Raises:
        QaError: it is no such file.
    """
    try:
        return [cited for answer in _values(text) for cited in _cited(answer)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QaError(
            f"{name} holds no answer as JSON ({type(error).__name__}: {error}). "
            "Make one: qa ask QUESTION --json > answer.json"
        ) from error


def verify(library: Library, cited: Iterable[Cited]) -> Iterator[Verified]:
    """Each citation, compared with the library and, where it was read from one, with its file."""
    with library.snapshot() as snapshot:
        for each in cited:
            citation, quoted = each.citation, each.quoted
            stored = snapshot.cited(citation.article_id, citation.source)
            # Two files may bring the same id and source: one of them said what is cited.
            found = [
                Verified(
                    citation, quoted, _finding([article], citation), _on_disk(origin, citation)
                )
                for origin, article in stored.items()
            ] or [Verified(citation, quoted, "gone", _in_file(Path(citation.source), citation))]
            yield max(found, key=lambda one: (one.holds, one.library == "exact"))


def _on_disk(origin: str, citation: Citation) -> Finding | None:
    path = Path(origin)
    return _in_file(path, citation) if path.is_absolute() else None


def _in_file(path: Path, citation: Citation) -> Finding | None:
    if not path.is_file():
        # Bytes of a name that are no UTF-8 were kept as escapes: which they were is not known.
        return None if _ESCAPED.search(str(path)) else "gone"
    try:
        items = list(reading.read(path.resolve(), citation.source))
    except ReadError:
        return "changed"
    articles = [item for item in items if not isinstance(item, ReadError)]
    return _finding([item for item in articles if item.id == citation.article_id], citation)


def _finding(articles: Iterable[Article], citation: Citation) -> Finding:
    findings = [citation.stands_in(article) for article in articles]
    if not findings:
        return "gone"
    return "exact" if any(findings) else "changed"


def _values(text: str) -> list[Any]:
    """One JSON value, or one a line."""
    try:
        return [json.loads(text)]
    except ValueError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]


def _cited(answer: dict[str, Any]) -> Iterator[Cited]:
    for hit in answer["hits"]:
        citation = citation_from_dict(hit["citation"])
        yield Cited(citation, "exact" if _is_quoted(hit, citation) else "changed")
        yield from (Cited(citation_from_dict(values)) for values in hit["also_in"])


def _is_quoted(hit: dict[str, Any], citation: Citation) -> bool:
    """Whether a hit's text is what its citation cites, and its span is of that text."""
    text, span = hit["text"], hit["span"]
    whole = text_sha256(text) == citation.sha256
    return whole and (span is None or text[span["start"] : span["end"]] == span["text"])
