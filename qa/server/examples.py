"""Examples for the description of the API, made by the very code that answers."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from fastapi.sse import format_sse_event

from qa import errors, schema
from qa.library import ArticleInfo
from qa.model import (
    Answer,
    Article,
    Citation,
    Hit,
    Passage,
    Shown,
    Span,
    text_sha256,
)
from qa.server import problems
from qa.server.problems import Problem

_TEXT = "A summit\n\nThe leaders will meet in Geneva, both sides say."
_START = 10
_PASSAGE = _TEXT[_START:]
_CITATION = Citation(
    article_id="f0e1d2c3b4a59687",
    title="A summit",
    source="news/summit.txt",
    date=dt.date(2023, 9, 11),
    url=None,
    paragraph=2,
    line=3,
    start=_START,
    end=len(_TEXT),
    sha256=text_sha256(_PASSAGE),
)
_SPAN = Span(_PASSAGE.index("Geneva"), _PASSAGE.index("Geneva") + 6, "Geneva", 0.94)
_HIT = Hit(
    1,
    0.71,
    Passage(7, _PASSAGE, _CITATION),
    _SPAN,
    {"dense": 0.62, "lexical": 0.48, "coverage": 0.8, "relevance": 0.97, "margin": 4.1},
)
_ANSWER = Answer(
    question="where will they meet?",
    understood_as="where will they meet?",
    status="answered",
    confidence=0.83,
    hits=(_HIT,),
    library_version=12,
    took_ms={"encode": 4.0, "search": 3.1, "read": 41.5},
)
_SHOWN = Shown(
    Article("f0e1d2c3b4a59687", "news/summit.txt", "A summit", _TEXT, dt.date(2023, 9, 11)),
    (_HIT.passage,),
    _CITATION,
    "",
)
_INFO = ArticleInfo(
    "f0e1d2c3b4a59687", "A summit", "news/summit.txt", dt.date(2023, 9, 11), None, None, "", 57, 2
)
_HITS = {"hits": schema.hits_as_dicts([_HIT])}
_WORDS = {"sureness": "confident", "why": None, "marked": [1], "agreement": []}

OF: Mapping[str, Any] = {
    "Answer": schema.as_dict(_ANSWER),
    "Hits": _HITS,
    "Event": b"".join(
        format_sse_event(event=name, data_str=schema.dumps(value))
        for name, value in (
            ("passages", _HITS),
            ("answer", schema.as_dict(_ANSWER)),
            ("words", _WORDS),
        )
    ).decode(),
    "ShownArticle": schema.shown_as_dict(_SHOWN),
    "Articles": {"articles": [schema.listed_as_dict(_INFO)], "total": 1, "next": None},
    "Added": {
        "added": 1,
        "changed": 0,
        "unchanged": 0,
        "removed": 0,
        "passages": 2,
        "failed": [],
        "passed_over": {},
        "seconds": 0.052,
    },
    "Removed": {"removed": 1},
    "Status": {"articles": 2, "passages": 61, "model": "a-model", "version": 12, "bytes": 400_000},
    "Health": {"status": "ok"},
}

_ASKED = {"question": "where will they meet?"}
_FILTERED = {**_ASKED, "top_k": 3, "sources": ["news/*"], "since": "2023-09"}
_ASKS: Mapping[str, Any] = {
    "follow-up": {
        "summary": "One after another",
        "value": {"question": "and when?", "earlier": ["where will they meet?"]},
    },
    "plain": {"summary": "A question", "value": _ASKED},
    "filtered": {"summary": "Of some articles only", "value": _FILTERED},
}
REQUESTS: Mapping[str, Mapping[str, Any]] = {
    "ask": _ASKS,
    "ask_stream": _ASKS,
    "search": _ASKS,
    "add_articles": {
        "text": {
            "summary": "A text",
            "value": {"text": "A summit\n\nThey will meet in Geneva.", "name": "summit.txt"},
        },
    },
}

_PROBLEMS: Mapping[int, Problem] = {
    400: problems.of_error(
        errors.QaError("Nothing is since 2023 and until 2022: exchange the two.")
    ),
    401: problems.NO_TOKEN,
    403: problems.WRONG_ORIGIN,
    404: problems.of_error(errors.UnknownArticle("No article 'x' in the library.")),
    408: problems.SLOW_BODY,
    413: problems.too_large(65_536),
    415: problems.of_status(415, "Send JSON, and say so: Content-Type: application/json"),
    421: problems.WRONG_HOST,
    422: problems.invalid(
        [{"loc": ("body", "question"), "msg": "String should have at least 1 character"}]
    ),
    500: problems.FAULT,
    503: problems.TOO_SLOW,
}


def problem(status: int) -> Problem:
    """A problem of that status."""
    return _PROBLEMS[status]
