"""An answer as JSON, by `docs/answer.schema.json`, and a citation back from it (pure)."""

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from typing import Any

from qa.model import Agreement, Answer, Citation, Hit
from qa.render import CONTROL

SCHEMA = "qa.answer/1"


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


def citation_from_dict(values: Mapping[str, Any]) -> Citation:
    """The citation that `citation_as_dict` wrote.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    date = dt.date.fromisoformat(values["date"]) if values["date"] else None
    return Citation(**{**{name: values[name] for name in Citation.__slots__}, "date": date})
