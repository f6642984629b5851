"""Where things lie: libraries, the history of chats, and the two packages of `qa` themselves."""

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path

from qa.errors import QaError

FOLDER = ".qa"


def expanded(path: str | Path) -> Path:
    """The path with the home in the place of ~ or ~NAME, or as it is where there is no such."""
    try:
        return Path(path).expanduser()
    except RuntimeError:  # a file may have a name that begins with ~
        return Path(path)


def library(named: str | Path | None = None) -> Path:
    """The folder of the library to use.

    It is the one named, else that of the environment variable QA_LIBRARY, else the nearest `.qa`
    from here upwards, else one in the user's data directory.
    """
    given = named or os.environ.get("QA_LIBRARY")
    if given:
        return expanded(given).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        # Not Path.exists, which raises where a folder may not be looked into.
        if os.path.exists(folder / FOLDER / "library.db"):  # noqa: PTH110
            return folder / FOLDER
    from platformdirs import user_data_path

    return user_data_path("qa") / "library"


def library_of(paths: Iterable[Path], model: str | None) -> Path:
    """The folder of the library that stands for these paths alone, in the user's cache."""
    import hashlib

    from platformdirs import user_cache_path

    names = sorted({str(path.resolve()) for path in paths})
    key = "\n".join([model or "", *names]).encode("utf-8", "surrogateescape")
    return user_cache_path("qa") / "libraries" / hashlib.sha256(key).hexdigest()[:16]


def history() -> Path:
    """The file that remembers the questions of earlier chats."""
    from platformdirs import user_state_path

    return user_state_path("qa") / "history"


def sessions() -> Path:
    """The folder of the conversations that are kept by name."""
    from platformdirs import user_state_path

    return user_state_path("qa") / "sessions"


def side_by_side() -> str:
    """Where the two packages of `qa` lie.

    Raises:
        QaError: another package named `embeddings` stands before ours.
    """
    ours = Path(__file__).parent.parent
    spec = importlib.util.find_spec("embeddings")
    found = Path(spec.origin).parent.parent if spec and spec.origin else None
    if found != ours:
        raise QaError(
            f"The package 'embeddings' is taken from {found}, not from {ours}. "
            "Uninstall the other one: pip uninstall embeddings"
        )
    return f"qa and embeddings in {ours}"
