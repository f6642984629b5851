"""Are citations still exactly there? In the library, and in the file that was read."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from qa import reading
from qa.errors import QaError, ReadError
from qa.library import Library
from qa.model import Article, Citation
from qa.schema import citation_from_dict

_ESCAPED = re.compile(r"\\x[89a-f][0-9a-f]")

Finding = Literal["exact", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Verified:
    """What became of a citation: in the library, and in its file (None: not a file on disk)."""

    citation: Citation
    library: Finding
    file: Finding | None

    @property
    def holds(self) -> bool:
        """Whether the cited words stand where the citation says."""
        return self.library == "exact" and self.file in {"exact", None}


def citations(text: str, name: str) -> list[Citation]:
    """The citations of answers written as JSON or JSON lines, copies in other articles included.

    Raises:
        QaError: it is no such file.
    """
    try:
        return [citation_from_dict(values) for answer in _values(text) for values in _cited(answer)]
    except (ValueError, KeyError, TypeError) as error:
        raise QaError(
            f"{name} holds no answer as JSON ({type(error).__name__}: {error}). "
            "Make one: qa ask QUESTION --json > answer.json"
        ) from error


def verify(library: Library, cited: Iterable[Citation]) -> Iterator[Verified]:
    """Each citation, compared with the library and, where it was read from one, with its file."""
    with library.snapshot() as snapshot:
        for citation in cited:
            stored = snapshot.cited(citation.article_id, citation.source)
            # Two files may bring the same id and source: one of them said what is cited.
            found = [
                Verified(citation, _finding([article], citation), _on_disk(origin, citation))
                for origin, article in stored.items()
            ] or [Verified(citation, "gone", _in_file(Path(citation.source), citation))]
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


def _cited(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for hit in answer["hits"]:
        yield hit["citation"]
        yield from hit["also_in"]
