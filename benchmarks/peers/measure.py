"""Measures processes: how long, how much memory, and what they answer line by line."""

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

# Questions before the clock: caches fill, and lazy imports happen.
WARMING = 3


@dataclass(frozen=True, slots=True)
class Taken:
    """What a whole process took: wall seconds, and megabytes at its peak."""

    seconds: float
    megabytes: float


def whole(
    command: Sequence[str],
    environment: Mapping[str, str],
    stdin: Path | str = "",
    fine: Container[int] = (0,),
) -> Taken:
    """Runs a process from start to end; `stdin` is a file, or the text of it.

    The peak is at least what this process weighs, which is little: it imports nothing that weighs.
    """
    with TemporaryFile() as errors, TemporaryFile() as text:
        if isinstance(stdin, str):
            text.write(stdin.encode())
            text.seek(0)
        given = text if isinstance(stdin, str) else stdin.open("rb")
        began = time.perf_counter()
        process = subprocess.Popen(
            command, env=environment, stdin=given, stdout=subprocess.DEVNULL, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        given.close()
        if process.returncode not in fine:
            errors.seek(0)
            _fail(command, errors.read())
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return Taken(seconds, usage.ru_maxrss / unit)


def warm(
    command: Sequence[str], environment: Mapping[str, str], questions: Sequence[str]
) -> list[tuple[float, list[str]]]:
    """Milliseconds and the ids found, best first, of each question to one process that goes on."""
    asked = [*questions[:WARMING], *questions]
    taken = []
    with (
        TemporaryFile() as errors,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        with contextlib.suppress(BrokenPipeError):  # it has ended: it says why below
            for question in asked:
                began = time.perf_counter()
                process.stdin.write(f"{question}\n".encode())
                process.stdin.flush()
                line = process.stdout.readline()
                milliseconds = (time.perf_counter() - began) * 1e3
                if not line:
                    break
                taken.append((milliseconds, _ids(json.loads(line))))
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        process.wait()
        if len(taken) < len(asked):
            errors.seek(0)
            _fail(command, errors.read())
    return taken[len(asked) - len(questions) :]


def _ids(answer: dict | list) -> list[str]:
    """Of an answer of qa, or of a peer."""
    if isinstance(answer, dict):
        return [hit["citation"]["article_id"] for hit in answer["hits"]]
    return [key for key, _ in answer]


def _fail(command: Sequence[str], errors: bytes) -> None:
    said = errors.decode("utf-8", "replace").strip()[-2000:]
    raise SystemExit(f"{' '.join(command)} failed:\n{said}")
