"""Pages of the documents as programs: their Python runs, and what they show is what it prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
_PYTHON = re.compile(r"^```python\n(.*?)^```(?:\n\n```text\n(.*?)^```)?", re.DOTALL | re.MULTILINE)
_END = "-- end of block --"


def blocks(name: str) -> list[tuple[str, str | None]]:
    """The Python blocks of a page in `docs/`, each with the output that is shown after it."""
    found = _PYTHON.findall((ROOT / "docs" / name).read_text())
    return [(code, shown or None) for code, shown in found]


def run(name: str, folder: Path) -> None:
    """Runs the Python of a page from top to bottom in one process; the shown output must be true."""
    page = blocks(name)
    assert page, name
    program = f"print({_END!r})\n".join(f"{code}\n" for code, _ in page)
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning:qa", "-c", program],
        cwd=folder, env=quiet(os.environ), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(f"{_END}\n")
    for (code, shown), output in zip(page, printed, strict=True):
        if shown is not None:
            assert output == shown, f"{code}\nprinted:\n{output}"


def quiet(env):
    """An environment in which nothing of others phones home or finds our own settings."""
    kept = {key: value for key, value in env.items() if not key.startswith(("QA_", "COV_"))}
    return {**kept, "HAYSTACK_TELEMETRY_ENABLED": "false", "HOME": "/nonexistent"}
