"""The description of the API: every operation with examples, every answer by the one contract."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from qa import schema
from qa.server import examples, problems

_ABOUT = """The passages that answer, best first, each with a citation that can be checked.

Errors are [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457) problems. Where the server was given a
token, it is wanted everywhere but for `health` and this description."""

_OPERATIONS: Mapping[str, tuple[str, str, tuple[int, ...]]] = {
    "ask": ("Answer a question with cited passages", "Answer", (400, 408, 413, 415, 422, 503)),
    "ask_stream": (
        "The same as it forms: passages as found, then the answer, then its words",
        "Event",
        (400, 408, 413, 415, 422, 503),
    ),
    "search": (
        "Rank passages, whether or not they answer",
        "Hits",
        (400, 408, 413, 415, 422, 503),
    ),
    "show": ("An article, and a cited passage in it", "ShownArticle", (400, 404, 422, 503)),
    "list_articles": ("List the articles, a page at a time", "Articles", (400, 422, 503)),
    "add_articles": ("Add articles, if writable", "Added", (400, 403, 408, 413, 415, 422, 503)),
    "remove_articles": ("Remove articles, if writable", "Removed", (403, 404, 422, 503)),
    "status": ("What the library holds", "Status", (503,)),
    "health": ("Whether the library can be used", "Health", (503,)),
}
# Any request may be refused by the guard.
_ALWAYS = (401, 403, 421, 500)
_PROBLEM: Mapping[str, Any] = {
    "description": "No answer: the problem says why.",
    "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def described(name: str) -> dict[str, Any]:
    """What FastAPI is told of an operation beside its path and parameters."""
    summary, component, failures = _OPERATIONS[name]
    media_type = "text/event-stream" if component == "Event" else "application/json"
    # As OpenAPI 3.2 has it: of a stream, each event is described.
    described_by = "itemSchema" if component == "Event" else "schema"
    content = {media_type: {described_by: _ref(component)}}
    responses: dict[int | str, dict[str, Any]] = {
        200: {"description": summary + ".", "content": content}
    }
    for status in sorted({*failures, *(_ALWAYS if name != "health" else (403, 421, 500))}):
        responses[status] = dict(_PROBLEM)
    found: dict[str, Any] = {
        "summary": summary,
        "operation_id": name,
        "responses": responses,
    }
    if name in examples.REQUESTS:
        sent = {"application/json": {"examples": examples.REQUESTS[name]}}
        found["openapi_extra"] = {"requestBody": {"content": sent}}
    if name == "health":
        found["openapi_extra"] = {"security": []}
    return found


def document(app: FastAPI, version: str) -> dict[str, Any]:
    """The whole description, with the contract of answers among its components."""
    made = get_openapi(
        title="qa", version=version, description=_ABOUT, routes=app.routes, openapi_version="3.1.0"
    )
    for operations in made["paths"].values():
        for operation in operations.values():
            _exemplify(operation)
    components = made.setdefault("components", {})
    components["schemas"] = {**components.get("schemas", {}), **_contract(), **_ENVELOPES}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    # The empty one: without a token on this machine, unless the server was given one.
    made["security"] = [{"token": []}, {}]
    return made


def _exemplify(operation: dict[str, Any]) -> None:
    """Puts an example to every response; not before, since FastAPI drops the nulls in them."""
    for status, response in operation["responses"].items():
        for content in response["content"].values():
            (component,) = (part["$ref"].rpartition("/")[2] for part in content.values())
            content["example"] = (
                examples.problem(int(status)).as_dict()
                if component == "Problem"
                else examples.OF[component]
            )


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _contract() -> dict[str, Any]:
    """The JSON Schema of an answer as components: one place says what an answer is."""
    found = json.loads(
        json.dumps(schema.answer_schema()).replace("#/$defs/", "#/components/schemas/")
    )
    parts = found.pop("$defs")
    for name in ("$schema", "$id"):
        found.pop(name)
    return {"Answer": found, **parts}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these and nothing else."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


_COUNT = {"type": "integer", "minimum": 0}
_TEXT = {"type": "string"}
_OPTIONAL = {"type": ["string", "null"]}

_ENVELOPES: Mapping[str, dict[str, Any]] = {
    "Hits": _object(hits={"type": "array", "items": _ref("hit")}),
    "Event": {
        "description": "`passages` (Hits), then `answer` (Answer), then `words` (Words); or "
        "`problem` (Problem) where it fails after the passages.",
        **_object(
            event={"enum": ["passages", "answer", "words", "problem"]},
            data={
                **_TEXT,
                "contentMediaType": "application/json",
                "contentSchema": {
                    "oneOf": [_ref("Hits"), _ref("Answer"), _ref("Words"), _ref("Problem")]
                },
            },
        ),
    },
    "Words": _object(
        sureness={"enum": ["confident", "likely", "unsure", None]},
        why={**_OPTIONAL, "description": "Why nothing answers; null where something does."},
        marked={
            "type": "array",
            "items": {"type": "integer", "minimum": 1},
            "description": "The ranks of the hits whose words are claimed to answer.",
        },
        agreement={"type": "array", "items": _TEXT},
    ),
    "Article": _object(**schema.ARTICLE, characters=_COUNT, passages=_COUNT),
    "Articles": _object(
        articles={"type": "array", "items": _ref("Article")},
        total={**_COUNT, "description": "How many pass the filters."},
        next={**_OPTIONAL, "description": "`after` of the next page; null on the last."},
    ),
    "ShownArticle": _object(
        **schema.ARTICLE,
        sha256=_TEXT,
        text={**_TEXT, "description": "As it was read; offsets are characters of it."},
        passages={
            "type": "array",
            "items": _object(
                start=_COUNT, end=_COUNT, paragraph=_COUNT, line=_COUNT, noise=_OPTIONAL
            ),
        },
        citation={"anyOf": [{"type": "null"}, _ref("citation")]},
    ),
    "Added": _object(
        added=_COUNT,
        changed=_COUNT,
        unchanged=_COUNT,
        removed=_COUNT,
        passages=_COUNT,
        failed={"type": "array", "items": _TEXT},
        passed_over={"type": "object", "additionalProperties": _COUNT},
        seconds={"type": "number", "minimum": 0},
    ),
    "Removed": _object(removed=_COUNT),
    "Status": _object(articles=_COUNT, passages=_COUNT, model=_TEXT, version=_COUNT, bytes=_COUNT),
    "Health": _object(status={"const": "ok"}),
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {**_TEXT, "format": "uri-reference"},
            "title": _TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": _TEXT,
            "errors": {"type": "array", "items": _object(at=_TEXT, detail=_TEXT)},
        },
    },
}
