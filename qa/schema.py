"""An answer as JSON, by `docs/answer.schema.json`; citations and filters back from it (pure)."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qa.dates import parse_day
from qa.errors import QaError
from qa.library import ArticleInfo
from qa.model import Agreement, Answer, Article, Citation, Filters, Hit, Shown
from qa.style import CONTROL

if TYPE_CHECKING:
    from qa.bot import Status
    from qa.indexing import Added

SCHEMA = "qa.answer/1"
# The JSON Schema of each field that `article_as_dict` writes.
ARTICLE: Mapping[str, dict[str, Any]] = {
    "article_id": {"type": "string"},
    "title": {"type": "string"},
    "source": {"type": "string"},
    "date": {"type": ["string", "null"], "format": "date"},
    "url": {"type": ["string", "null"]},
    "author": {"type": ["string", "null"]},
}
_FILTERS = ("sources", "since", "until")


def answer_schema() -> dict[str, Any]:
    """The JSON Schema of an answer, `docs/answer.schema.json`."""
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("answer.schema.json").read_text())
    return schema


def answer_json(answer: Answer, *, indent: int | None = 2) -> str:
    """An answer as JSON, as `docs/answer.schema.json` describes it; one line without indent."""
    return dumps(as_dict(answer), indent=indent)


def dumps(value: Any, *, indent: int | None = None) -> str:  # noqa: ANN401 -- any JSON value
    """JSON that is safe to print: what a terminal would obey is written as JSON's own escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return CONTROL.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def as_dict(answer: Answer) -> dict[str, Any]:
    """An answer as plain values for JSON."""
    return {
        "schema": SCHEMA,
        "question": answer.question,
        "understood_as": answer.understood_as,
        "carried": [
            {"text": each.text, "stands_for": each.stands_for, "turn": each.turn}
            for each in answer.carried
        ],
        "status": answer.status,
        "confidence": round(answer.confidence, 4),
        "hits": hits_as_dicts(answer.hits),
        "unmentioned": list(answer.unmentioned),
        "agreement": [_agreement_as_dict(item) for item in answer.agreement],
        "library_version": answer.library_version,
        "took_ms": {name: round(value, 2) for name, value in answer.took_ms.items()},
    }


def _agreement_as_dict(item: Agreement) -> dict[str, Any]:
    return {
        "kind": item.kind,
        "answers": [
            {
                "text": said.text,
                "ranks": list(said.ranks),
                "citations": [citation_as_dict(citation) for citation in said.citations],
            }
            for said in item.answers
        ],
    }


def hits_as_dicts(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """Hits as plain values for JSON."""
    return [
        {
            "rank": hit.rank,
            "score": round(hit.score, 6),
            "text": hit.passage.text,
            "span": _span(hit),
            "citation": citation_as_dict(hit.citation),
            "noise": hit.passage.noise,
            "also_in": [citation_as_dict(copy) for copy in hit.also_in],
            "signals": {name: round(value, 6) for name, value in hit.signals.items()},
        }
        for hit in hits
    ]


def _span(hit: Hit) -> dict[str, Any] | None:
    if hit.span is None:
        return None
    span = hit.span
    return {"start": span.start, "end": span.end, "text": span.text, "score": span.score}


def citation_as_dict(citation: Citation) -> dict[str, Any]:
    """A citation as plain values for JSON."""
    return {
        "article_id": citation.article_id,
        "title": citation.title,
        "source": citation.source,
        "url": citation.url,
        "date": citation.date.isoformat() if citation.date else None,
        "paragraph": citation.paragraph,
        "line": citation.line,
        "start": citation.start,
        "end": citation.end,
        "sha256": citation.sha256,
    }


def article_as_dict(article: Article | ArticleInfo) -> dict[str, Any]:
    """What names an article, by `ARTICLE`."""
    return {
        "article_id": article.id,
        "title": article.title,
        "source": article.source,
        "date": article.date.isoformat() if article.date else None,
        "url": article.url,
        "author": article.author,
    }


def listed_as_dict(info: ArticleInfo) -> dict[str, Any]:
    """An article as it is listed, without its text, as plain values for JSON."""
    return {
        **article_as_dict(info),
        "characters": info.characters,
        "passages": info.passages,
    }


def shown_as_dict(shown: Shown) -> dict[str, Any]:
    """An article with its text and passages, and the citation asked for, as plain values."""
    article = shown.article
    return {
        **article_as_dict(article),
        "sha256": article.sha256,
        "text": article.text,
        "passages": [
            {
                "start": passage.citation.start,
                "end": passage.citation.end,
                "paragraph": passage.citation.paragraph,
                "line": passage.citation.line,
                "noise": passage.noise,
            }
            for passage in shown.passages
        ],
        "citation": citation_as_dict(shown.citation) if shown.citation else None,
    }


def added_as_dict(added: "Added") -> dict[str, Any]:
    """What an `add` did as plain values for JSON."""
    return {
        "added": added.added,
        "changed": added.changed,
        "unchanged": added.unchanged,
        "removed": added.removed,
        "passages": added.passages,
        "failed": [str(failure) for failure in added.failed],
        "passed_over": dict(added.passed_over),
        "seconds": round(added.seconds, 3),
    }


def status_as_dict(status: "Status") -> dict[str, Any]:
    """What a library holds as plain values for JSON, without where it lies."""
    return {
        "articles": status.articles,
        "passages": status.passages,
        "model": status.model,
        "version": status.version,
        "bytes": status.bytes,
    }


def citation_from_dict(values: Mapping[str, Any]) -> Citation:
    """The citation that `citation_as_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    date = dt.date.fromisoformat(values["date"]) if values["date"] else None
    return Citation(**{**{name: values[name] for name in Citation.__slots__}, "date": date})


def filters_from_dict(values: Mapping[str, Any]) -> Filters:
    """Filters from plain values.

    Args:
        values: `sources`, a list of globs or parts of paths; `since` and `until`, as YYYY, YYYY-MM
            or YYYY-MM-DD. Each may be left out or None.

    Raises:
        QaError: one of them is something else, or the range is empty.
    """
    sources, since, until = (values.get(name) for name in _FILTERS)
    unknown = sorted(set(values) - set(_FILTERS))
    if unknown:
        raise QaError(f"No filter '{unknown[0]}'. There are: {', '.join(_FILTERS)}.")
    if not isinstance(sources or [], list | tuple) or not all(
        isinstance(source, str) for source in sources or []
    ):
        raise QaError(
            f"The filter 'sources' is a list of globs or parts of paths, not {sources!r}."
        )
    for name, day in (("since", since), ("until", until)):
        if not isinstance(day, str | None):
            raise QaError(f"The filter '{name}' is a date as text, YYYY-MM-DD, not {day!r}.")
    first = parse_day(since) if since else None
    last = parse_day(until, end=True) if until else None
    if first and last and first > last:
        raise QaError(f"Nothing is since {since} and until {until}: exchange the two.")
    return Filters(tuple(sources or ()), first, last)
