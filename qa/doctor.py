"""Looks at everything that `qa` stands on, and says in a line each what is well and what is not."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from qa.errors import QaError
from qa.library import Library
from qa.locations import side_by_side


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `found` says what is there, or what to do."""

    name: str
    good: bool
    found: str


def checks(folder: Path) -> Iterator[Check]:
    """The checks of the installation, and of the library in `folder` if there is one."""
    yield _tried("python", lambda: f"{sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}")
    yield _tried("packages", side_by_side)
    yield _tried("versions", _versions)
    yield _tried("weights", _weights)
    library = Library(folder)
    if not library.exists():
        yield Check("library", good=True, found=f"none at {folder}; make one: qa add ARTICLES")
        return
    for name, look in library.examinations():
        yield _tried(name, look)


def _versions() -> str:
    names = ("article-qa", "sentence-transformers", "faiss-cpu", "numpy", "tokenizers")
    return ", ".join(f"{name} {version(name)}" for name in names)


def _weights() -> str:
    from embeddings.errors import EncoderError
    from embeddings.weights import default_weights

    try:
        weights = default_weights()
    except EncoderError as error:
        raise QaError(str(error)) from error
    return f"all-MiniLM-L6-v2, SHA-256 {weights.sha256[:16]}… as published"


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, good=True, found=look())
    except QaError as error:
        return Check(name, good=False, found=str(error))
