"""Pages of the documents as programs: their Python runs, and what they show is what it prints."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
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
        [sys.executable, "-W", "error", "-c", program],
        cwd=folder, env=quiet(os.environ), capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(f"{_END}\n")
    for (code, shown), output in zip(page, printed, strict=True):
        if shown is not None:
            assert output == shown, f"{code}\nprinted:\n{output}"


def sessions(text: str) -> Iterator[tuple[str, str]]:
    """The commands of the console blocks of a page, each with the output shown after it."""
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        yield from re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)


def converse(path: Path, qa, folder: Path) -> int:
    """Runs the commands of a page in the command's folder; the shown output must be true.

    Gives how many there were; what installs or needs an engine is left out.
    """
    binary = folder / "bin"
    binary.mkdir()
    (binary / "qa").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qa "$@"\n')
    (binary / "qa").chmod(0o755)
    env = {**qa.env, "PATH": f"{binary}:{qa.env['PATH']}", "EDITOR": "true"}
    found = list(sessions(path.read_text()))
    with contextlib.ExitStack() as running:
        for command, output in found:
            if command.startswith(("make ", "pip ", "docker ", "qa --install-completion")):
                continue
            if command.startswith("qa serve"):
                # It runs on until all commands are done: those after it may ask it.
                assert running.enter_context(served(command, qa.folder, env)) == output
            else:
                tried(command, output, qa.folder, env)
    return len(found)


def tried(command: str, output: str, folder: Path, env: dict[str, str]) -> None:
    """Runs a command, which must print what is shown."""
    done = subprocess.run(
        command, shell=True, cwd=folder, env=env, capture_output=True, text=True,
        stdin=subprocess.DEVNULL, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, (command, done.stderr)
    assert "Traceback" not in done.stderr
    if output:
        assert done.stdout == output, command


@contextlib.contextmanager
def served(command: str, folder: Path, env: dict[str, str]) -> Iterator[str]:
    """What a command that serves writes first; afterwards it is interrupted."""
    process = subprocess.Popen(
        f"exec {command}", shell=True, cwd=folder, env=env, text=True,
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process.stdout.readline()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        process.stdout.close()


def quiet(env):
    """An environment in which nothing of others phones home or finds our own settings."""
    kept = {key: value for key, value in env.items() if not key.startswith(("QA_", "COV_"))}
    return {**kept, "HAYSTACK_TELEMETRY_ENABLED": "false", "HOME": "/nonexistent"}
