"""Who is measured, and how: filling an index, one cold question, many warm ones."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peers import environments

PEERS = ("plain", "txtai", "haystack", "llamaindex", "langchain", "bm25s", "qmd")
LEXICAL = frozenset({"bm25s", "qmd"})
SCRIPT = Path(__file__).with_name("peer.py")
TOP = "5"


@dataclass(frozen=True, slots=True)
class Qa:
    """`qa ask` with some options, on a library that all of them share."""

    name: str
    options: tuple[str, ...] = ()
    lexical: bool = False

    place = "qa"
    fine = (0, 1)  # 1: nothing here answers that

    @property
    def versions(self) -> str:
        """The versions of what it runs."""
        from importlib.metadata import version

        return f"article-qa {version('article-qa')}"

    def fill(self, folder: Path, passages: Path) -> tuple[list[str], Path | str]:
        """Adds the file to the library in the folder; command and standard input."""
        return [*_QA, "add", "--quiet", "-l", str(folder), str(passages)], ""

    def cold(self, folder: Path, question: str) -> tuple[list[str], str]:
        """One question; command and standard input."""
        return [*_QA, "ask", question, "-l", str(folder), *self.options], ""

    def ask(self, folder: Path) -> list[str]:
        """Answers each line of standard input with a line of JSON."""
        return [*_QA, "ask", "-", "-l", str(folder), "-k", TOP, *self.options]


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer in the environment of `python`."""

    name: str
    python: Path
    model: str

    fine = (0,)

    @property
    def place(self) -> str:
        """The folder of its index."""
        return self.name

    @property
    def lexical(self) -> bool:
        """Whether it finds by words alone."""
        return self.name in LEXICAL

    @property
    def versions(self) -> str:
        """The versions of what it runs."""
        return environments.versions(self.name)

    def fill(self, folder: Path, passages: Path) -> tuple[list[str], Path | str]:
        """Indexes the file in the folder; command and standard input."""
        return self._command("fill", folder), passages

    def cold(self, folder: Path, question: str) -> tuple[list[str], str]:
        """One question; command and standard input."""
        return self._command("ask", folder), f"{question}\n"

    def ask(self, folder: Path) -> list[str]:
        """Answers each line of standard input with a line of JSON."""
        return self._command("ask", folder)

    def _command(self, verb: str, folder: Path) -> list[str]:
        # -I: nothing of this folder, of the user's packages, or of qa is imported.
        return [str(self.python), "-I", str(SCRIPT), self.name, verb, self.model, str(folder)]


@dataclass(frozen=True, slots=True)
class Qmd(Peer):
    """qmd: its command `search` cold, its library where many questions go to one process."""

    def cold(self, folder: Path, question: str) -> tuple[list[str], str]:
        """One question to `qmd search`, whose index lies below $XDG_CACHE_HOME."""
        node, package = environments.qmd_of(self.python)
        here = f"XDG_CACHE_HOME={folder}"
        return ["env", here, node, str(package / "dist/cli/qmd.js"), "search", question], ""

    def _command(self, verb: str, folder: Path) -> list[str]:
        node, package = environments.qmd_of(self.python)
        return [node, str(SCRIPT.with_name("qmd.mjs")), str(package), verb, str(folder)]


Contestant = Qa | Peer

_QA = (sys.executable, "-m", "qa")
NO_READER = Qa("qa ask --no-reader", ("--no-reader",))
READER = Qa("qa ask")
WORDS = Qa("qa ask --mode lexical --no-reader", ("--mode", "lexical", "--no-reader"), lexical=True)


def ours() -> tuple[Qa, ...]:
    """`qa` in its three ways."""
    return NO_READER, READER, WORDS


def peers(names: Sequence[str], work: Path, model: str) -> list[Peer]:
    """The named peers, each in an environment of its own.

    Raises:
        SystemExit: there is no such peer, or its environment cannot be made.
    """
    unknown = sorted(set(names) - set(PEERS))
    if unknown:
        raise SystemExit(f"No peer named {', '.join(unknown)}. There are: {', '.join(PEERS)}.")
    kinds = {"qmd": Qmd}
    return [
        kinds.get(name, Peer)(name, environments.python_of(name, work), model) for name in names
    ]
