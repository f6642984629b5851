"""What went wrong, as RFC 9457 has it: one table from errors to problems."""

import logging
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from qa import errors, schema

MEDIA_TYPE = "application/problem+json"
_log = logging.getLogger(__name__)
_BUSY = {"Retry-After": "5"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A response that is no answer; `kind` tells programs which, `detail` people why."""

    status: int
    kind: str
    title: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, str]] = ()

    def as_dict(self) -> dict[str, Any]:
        """Its plain values for JSON; `errors` only where the request's parts are at fault."""
        values: dict[str, Any] = {
            "type": self.kind if self.kind == "about:blank" else f"urn:qa:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            values["errors"] = [dict(item) for item in self.errors]
        return values

    def body(self) -> bytes:
        """It as JSON."""
        return schema.dumps(self.as_dict()).encode()


class ProblemError(Exception):
    """A request that is answered with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


# The first that an error is an instance of.
_TABLE: tuple[tuple[type[errors.QaError], int, str, str], ...] = (
    (errors.UnknownArticle, 404, "unknown-article", "No such article"),
    (errors.QuestionError, 422, "question", "Not a question that can be searched"),
    (errors.NoArticles, 422, "no-articles", "Nothing to read"),
    (errors.ReadError, 422, "unreadable", "The article cannot be read"),
    (errors.LockedError, 503, "locked", "Another process is writing"),
    (errors.MissingLibrary, 503, "missing-library", "The library is not there"),
    (errors.MismatchedLibrary, 503, "mismatched-library", "The library is of another model"),
    (errors.LibraryError, 503, "damaged-library", "The library cannot be used"),
    (errors.ModelError, 503, "model", "The model cannot be used"),
    (errors.QaError, 400, "request", "The request cannot be carried out"),
)


def of_error(error: errors.QaError) -> Problem:
    """The problem that an error is."""
    status, kind, title = next(row[1:] for row in _TABLE if isinstance(error, row[0]))
    return Problem(status, kind, title, error.said, _BUSY if kind == "locked" else {})


def of_status(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Problem:
    """A problem that is just HTTP's own: its title is the status's phrase."""
    return Problem(status, "about:blank", HTTPStatus(status).phrase, detail, headers or {})


def note(scope: MutableMapping[str, Any], problem: Problem) -> None:
    """One line in the log: who asked for what, and why it was not answered."""
    client = scope.get("client")
    _log.warning(
        "%s %s %r: %s %s: %s",
        client[0] if client else "-",
        scope["method"],
        scope["path"],
        problem.status,
        problem.title,
        problem.detail,
    )


def invalid(found: Sequence[Mapping[str, Any]]) -> Problem:
    """A request whose parts are not what the description wants; `found` is pydantic's list."""
    parts = [{"at": _place(item["loc"]), "detail": str(item["msg"])} for item in found]
    said = "; ".join(f"{part['at']}: {part['detail']}" for part in parts[:3])
    return Problem(422, "invalid", "Not what is described", f"{said}.", {}, parts)


def _place(location: Sequence[str | int]) -> str:
    return ".".join(map(str, location))


READ_ONLY = Problem(
    403,
    "read-only",
    "Articles are not changed here",
    "This server adds and removes nothing. Start it with --writable to allow it.",
)
OUTSIDE = Problem(
    403,
    "outside",
    "Not below an allowed folder",
    "Files are only read below the folders that the server was started with: qa serve --writable "
    "--root FOLDER. Or send the text.",
)
BAD_AFTER = Problem(
    422,
    "invalid",
    "Not what is described",
    "after: not a `next` of this list. Leave it out to begin anew.",
)

# What the guard says.
WRONG_HOST = Problem(
    421,
    "wrong-host",
    "Not this host",
    "The Host is none that this server answers to. Use its address, or start it with --allow-host.",
)
WRONG_ORIGIN = Problem(
    403,
    "wrong-origin",
    "Another site asked",
    "Requests from pages of other sites are refused. Ask from a program, or from this server's "
    "own page.",
)
NO_TOKEN = Problem(
    401,
    "token",
    "A token is needed",
    "Send the token that the server printed when it started: Authorization: Bearer TOKEN.",
    {"WWW-Authenticate": "Bearer"},
)
WRONG_TOKEN = Problem(
    401,
    "token",
    "A token is needed",
    "The token is not this server's. Send the one that it printed when it started.",
    {"WWW-Authenticate": 'Bearer error="invalid_token"'},
)
SLOW_BODY = of_status(408, "The request's body did not come in time.", {"Connection": "close"})
GONE_BODY = of_status(400, "The request ended before its body did.", {"Connection": "close"})
TOO_SLOW = Problem(
    503, "too-slow", "Not ready in time", "It took too long. Try again in a moment.", _BUSY
)
TOO_MANY = Problem(
    503, "too-many", "Too many at once", "Too many requests at once. Try again in a moment.", _BUSY
)
FAULT = Problem(
    500,
    "fault",
    "A fault of the server",
    "This is a fault of qa's. The server's log says more: please report it.",
)


def too_large(limit: int) -> Problem:
    """A body beyond what is taken."""
    said = f"The body is larger than {limit:,} bytes, which is the most that is taken here."
    return of_status(413, said, {"Connection": "close"})
