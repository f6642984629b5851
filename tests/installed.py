"""The command line as users have it: from the built wheel, in a process and folder of its own."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def build(folder: Path, project: Path = ROOT) -> Path:
    """Builds the wheel of a project into a folder and gives its path."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, project],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return wheel


def unpack(wheel: Path, folder: Path) -> Path:
    """Puts the wheel's packages into a folder, as an installer would."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


class Command:
    """Runs `qa` from unpacked packages, with a home of its own and no terminal."""

    def __init__(self, packages: Path, folder: Path) -> None:
        self.folder = folder
        home = folder.parent / "home"
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("QA_", "COV_"))},
            "PYTHONPATH": str(packages),
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
            "PYTHONSAFEPATH": "1",
            "COLUMNS": "80",
        }  # fmt: skip

    def __call__(self, *arguments, stdin="", code=0, env=None):
        """Runs a command and gives what it wrote; its exit code must be `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "qa", *map(str, arguments)],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done
