"""Conversations by name, kept for the next question: one small file each, the user's alone."""

import json
import os
import re
import tempfile
from collections.abc import Sequence
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


def save(name: str, before: Conversation, now: Conversation) -> None:
    """Keeps what a conversation has become; a process that dies meanwhile leaves the one before.

    Turns that another process kept since are kept before the new ones, unless all are forgotten.

    Args:
        name: of the session.
        before: the conversation that went on.
        now: what it went on to.

    Raises:
        QaError: the name will not do, or the file cannot be read or written.
    """
    from filelock import FileLock

    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with FileLock(path.parent.with_suffix(".lock")):
            kept = load(name).turns
            turns = now.turns
            if turns and kept != before.turns[-_REMEMBERED:]:
                pairs = enumerate(zip(before.turns, turns, strict=False))
                same = next((at for at, (old, new) in pairs if old != new), len(before.turns))
                turns = kept + turns[same:]
            _write(path, turns[-_REMEMBERED:])
    except OSError as error:
        raise QaError(
            f"The session '{name}' cannot be kept in {path.parent}: {error.strerror}. "
            "Ask without --session, or make room there."
        ) from error


def _write(path: Path, turns: Sequence[Turn]) -> None:
    rows = [
        {
            "question": turn.question,
            "understood_as": turn.understood_as,
            "persons": list(turn.persons),
        }
        for turn in turns
    ]
    data = json.dumps({"turns": rows}, ensure_ascii=False).encode()
    # In the same folder: a rename to another file system is none.
    handle, written = tempfile.mkstemp(dir=path.parent)  # readable by the user alone
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(written).replace(path)
    except OSError:
        Path(written).unlink()
        raise


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
