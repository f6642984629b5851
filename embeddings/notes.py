"""What was found out once and costs too much to find out each time; losing it costs only time."""

import json
from pathlib import Path


def remembered(name: str) -> dict[str, str]:
    """What `remember` kept under a name; empty if nothing is there or it cannot be read."""
    try:
        found = json.loads(_path(name).read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def remember(name: str, values: dict[str, str]) -> None:
    """Keeps values for next time; without a place to write they are found out again."""
    path = _path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".tmp")
        temporary.write_text(json.dumps(values))
        temporary.replace(path)
    except OSError:
        return


def _path(name: str) -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("qa") / "weights" / f"{name}.json"
