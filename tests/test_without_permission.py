"""What a user who may read a library, and not write to it, is answered."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from toy import ToyEncoder

from qa import Bot
from qa.errors import LockedError
from qa.library import Library

NOBODY = 65534

# Adds an article and is killed, or goes on until the file `stop` is there.
KILLED = """
import os, signal
from qa import Bot
from qa.library import Library
from toy import ToyEncoder

Library.refresh_cache = lambda self, **_: os.kill(os.getpid(), signal.SIGKILL)
Bot.open("lib", encoder=ToyEncoder(), reader=None).add_text("Owls\\n\\nThe owl sings too.", "owls.txt")
"""
BUSY = """
from pathlib import Path
from qa import Bot
from toy import ToyEncoder

number = 0
while not Path("stop").exists():
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None)
    number += 1
    bot.add_text(f"Owls\\n\\nThe owl sings {'too ' * 300} {number}.", f"{number % 5}.txt")
"""


@pytest.fixture
def folder(monkeypatch):
    """A folder that others may look into, which those of pytest are not, and a library in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        monkeypatch.chdir(folder)
        bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
        bot.add_text("Whales\n\nThe blue whale sings at night.", "whales.txt")
        ask("Which whale sings?")  # loads all that asking needs: Python itself may be private
        yield folder
        monkeypatch.undo()


@contextmanager
def reading_only(folder):
    """The rights of one who may read the folder and all in it, and no more."""
    if os.geteuid() == 0:
        os.setresuid(NOBODY, NOBODY, 0)
        try:
            yield
        finally:
            os.setresuid(0, 0, 0)
    else:
        files = list(folder.iterdir())
        for file in files:
            file.chmod(0o444)
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)
            for file in files:
                file.chmod(0o644)


def start(script):
    tests = Path(__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent)])
    return subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path})


def ask(question):
    hits = Bot.open("lib", encoder=ToyEncoder(), reader=None).search(question)
    return [hit.passage.text for hit in hits]


def test_a_library_that_nobody_writes_to_is_read(folder):
    with reading_only(folder / "lib"):
        assert "The blue whale sings at night." in ask("Which whale sings?")


def test_what_a_killed_writer_has_committed_is_read(folder):
    assert start(KILLED).wait() == -signal.SIGKILL
    with reading_only(folder / "lib"):
        assert "The owl sings too." in ask("Which owl sings?")


def test_a_missing_vector_cache_is_made_up_for_and_left_missing(folder):
    (cache,) = (folder / "lib").glob("vectors-*")
    cache.unlink()
    with reading_only(folder / "lib"):
        assert "The blue whale sings at night." in ask("Which whale sings?")
    assert not cache.exists()


def test_what_a_writer_changes_while_it_is_read_is_busy_and_not_damaged(folder):
    shutil.copytree("lib", "other")
    other = Bot.open("other", encoder=ToyEncoder(), reader=None)
    other.add_text("Owls\n\n" + "The owl sings too. " * 999, "owls.txt")
    newer = Path("other/library.db").read_bytes()
    library = Library.open(folder / "lib")

    def read(file):
        with library.snapshot() as snapshot:
            # So does a writer's checkpoint to those who can hold no lock.
            file.write(newer)
            snapshot.articles()

    with Path("lib/library.db").open("r+b", buffering=0) as file, reading_only(folder / "lib"):
        with pytest.raises(LockedError, match="busy"):
            read(file)


def test_reading_while_another_adds_gives_a_version_or_says_busy(folder):
    writer = start(BUSY)
    read = 0
    try:
        for _ in range(60):
            with reading_only(folder / "lib"):
                try:
                    read += "The blue whale sings at night." in ask("Which whale sings?")
                except LockedError:
                    read += 0
    finally:
        (folder / "stop").touch()
        assert writer.wait() == 0
    assert read
