"""The bot inside other software: thin skins, each of which imports what it serves."""

from dataclasses import dataclass
from typing import Any

from qa.model import Answer
from qa.schema import as_dict


@dataclass(frozen=True, slots=True)
class Cited:
    """A passage as other software takes it.

    `id` is the same for the same passage in every answer. `metadata` is the hit as JSON has it,
    its citation laid flat, with the status and confidence of the answer; `score` is in it too.
    """

    id: str
    text: str
    score: float
    metadata: dict[str, Any]


def cited(answer: Answer, *, abstain: bool = False) -> list[Cited]:
    """The passages of an answer, best first; none if nothing answers and it may abstain."""
    if abstain and answer.status == "unanswered":
        return []
    values = as_dict(answer)
    found = []
    for hit in values["hits"]:
        text, place = hit.pop("text"), hit.pop("citation")
        key = f"{place['source']}#{place['article_id']}#{place['start']}-{place['end']}"
        sure = {"status": values["status"], "confidence": values["confidence"]}
        found.append(Cited(key, text, hit["score"], {**place, **hit, **sure}))
    return found


def missing(extra: str, error: ImportError) -> ImportError:
    """The error of a module whose extra is not installed, with the line that cures it."""
    needed = (error.name or extra).partition(".")[0]
    return ImportError(
        f"qa.integrations.{extra} needs {needed}. Install it: pip install 'article-qa[{extra}]'"
    )
