"""Conversations by name, kept for the next question: one small file each, the user's alone."""

import json
import os
import re
import tempfile
from pathlib import Path

from qa import locations
from qa.conversation import Conversation, Turn
from qa.errors import QaError

_NAME = re.compile(r"\w[\w.-]{0,63}")
_REMEMBERED = 100  # turns; older ones are not looked at anyway


def load(name: str) -> Conversation:
    """The conversation of that name, a new one if there is none.

    Raises:
        QaError: the name will not do, or its file cannot be read.
    """
    path = _path(name)
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        turns = (
            Turn(turn["question"], turn["understood_as"], tuple(turn["persons"]))
            for turn in kept["turns"]
        )
        return Conversation(tuple(turns))
    except FileNotFoundError:
        return Conversation()
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise QaError(
            f"The session '{name}' cannot be read from {path}. Begin anew: "
            f"qa sessions --forget {name}"
        ) from error


def save(name: str, conversation: Conversation) -> None:
    """Keeps a conversation under a name; a process that dies meanwhile leaves the one before.

    Raises:
        QaError: the name will not do, or the file cannot be written.
    """
    path = _path(name)
    turns = [
        {
            "question": turn.question,
            "understood_as": turn.understood_as,
            "persons": list(turn.persons),
        }
        for turn in conversation.turns[-_REMEMBERED:]
    ]
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # In the same folder: a rename to another file system is none.
        handle, written = tempfile.mkstemp(dir=path.parent)  # readable by the user alone
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"turns": turns}, file, ensure_ascii=False)
        Path(written).replace(path)
    except OSError as error:
        raise QaError(
            f"The session '{name}' cannot be kept in {path.parent}: {error.strerror}. "
            "Ask without --session, or make room there."
        ) from error


def names() -> list[str]:
    """The names of the conversations that are kept, in their order."""
    return sorted(path.stem for path in locations.sessions().glob("*.json"))


def forget(name: str) -> None:
    """Drops the conversation of that name.

    Raises:
        QaError: there is none.
    """
    try:
        _path(name).unlink()
    except FileNotFoundError as error:
        raise QaError(f"There is no session '{name}'. See which there are: qa sessions") from error


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise QaError(
            f"'{name}' is no name for a session. Take letters, digits, '-', '_' and '.': "
            "--session work"
        )
    return locations.sessions() / f"{name}.json"
