"""What a command may import: start-up time is a promise, so the list is short."""

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "sentence_transformers", "transformers", "fastapi", "scipy", "sklearn", "pandas"}

SPY = """
import json, sys
from qa.cli import run
sys.stdout = open(sys.argv[1], "w")
code = run(sys.argv[2:])
sys.stdout.close()
print(json.dumps([code, sorted({name.partition(".")[0] for name in sys.modules})]), file=sys.stderr)
"""

# Beside the standard library: what `qa ask` needs to encode, search and show, and what typer and
# faiss bring along. The last line is of tests: what Cython and SWIG keep.
ALLOWED = {
    "qa", "embeddings", "numpy", "faiss", "tokenizers", "Stemmer", "platformdirs",
    "typer", "annotated_doc", "shellingham", "packaging",
    "cython_runtime", "swig_runtime_data5",
}  # fmt: skip


def imported(qa, *arguments):
    """The top-level modules in memory after a command, and its exit code."""
    done = subprocess.run(
        [sys.executable, "-c", SPY, str(qa.folder / "out"), *arguments],
        cwd=qa.folder, env=qa.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    code, names = json.loads(done.stderr.splitlines()[-1])
    return code, set(names)


def test_help_imports_nothing_heavy_and_not_even_numpy(qa):
    code, names = imported(qa, "--help")
    assert code == 0
    assert not names & (HEAVY | {"numpy", "faiss", "tokenizers", "prompt_toolkit", "rich"})


@pytest.mark.real
def test_asking_an_indexed_library_imports_no_torch_and_nothing_unforeseen(qa):
    (qa.folder / "a.txt").write_text("Title\n\nThe leaders will meet in Vladivostok.\n")
    qa("add", "-l", ".qa", "a.txt")
    code, names = imported(qa, "ask", "where will they meet?")
    foreign = {name for name in names if name not in sys.stdlib_module_names and name[0] != "_"}
    assert code in {0, 1}
    assert not names & HEAVY
    assert foreign <= ALLOWED, foreign - ALLOWED


# What stands behind the bot's name before it is opened; the rest comes with the first question.
OF_THE_BOT = {
    "qa", "qa.bot", "qa.errors", "qa.library", "qa.library.database", "qa.library.names",
    "qa.library.snapshot",
    "qa.locations", "qa.model", "qa.twins",
}  # fmt: skip


def test_importing_the_bot_imports_the_standard_library_and_little_of_qa(qa):
    done = subprocess.run(
        [sys.executable, "-c", "import sys; before = {*sys.modules}; from qa import Bot; print(*{*sys.modules} - before)"],
        cwd=qa.folder, env=qa.env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = set(done.stdout.split())
    ours = {name for name in names if name.partition(".")[0] in {"qa", "embeddings"}}
    foreign = {name.partition(".")[0] for name in names - ours}
    assert ours == OF_THE_BOT
    assert foreign <= sys.stdlib_module_names
    # Of the standard library, what takes as long as several of ours.
    assert not names & {"hashlib", "asyncio", "email", "concurrent.futures", "logging"}
