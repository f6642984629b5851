"""What a measurement was made on, in one line; imports nothing that weighs."""

import datetime as dt
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path


def today() -> str:
    """The date in UTC."""
    return str(dt.datetime.now(tz=dt.UTC).date())


def described(*packages: str) -> str:
    """Date, processor, cores, load, Python, the packages' versions, and the commit."""
    versions = "".join(f", {package} {version(package)}" for package in packages)
    return (
        f"{today()}, {_processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}{versions}, article-qa {version('article-qa')} at "
        f"{_commit()}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine()


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False,
        cwd=Path(__file__).parent,
    )  # fmt: skip
    return done.stdout.strip() or "no commit"
