"""A cited article opened where the passage stands: in the editor, in the browser, or told."""

import os
import re
import shlex
import signal
import subprocess
import sys
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from qa.errors import QaError, ReadError
from qa.model import Citation, text_sha256
from qa.reading.decoding import decode
from qa.style import clean

# How editors that do not know `+LINE FILE` take a line.
_COLON = frozenset({"subl", "sublime_text", "hx", "helix", "zed", "zeditor", "mate"})
_GOTO = frozenset({"code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"})
_WEB = re.compile("https?://", re.IGNORECASE)
_PAGES = frozenset({".html", ".htm", ".xhtml"})


@dataclass(frozen=True, slots=True)
class Edit:
    """Run an editor."""

    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Browse:
    """Show an address in the browser."""

    url: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Nothing here can open it: say where it is."""

    place: str


def opening(
    citation: Citation, origin: str | None, line: int | None, env: Mapping[str, str]
) -> Edit | Browse | Tell:
    """How a cited article is best opened here (pure, but for the name of the platform).

    Args:
        citation: the passage.
        origin: what was read: an absolute path, an address, or nothing that lasts.
        line: the passage's line in that file; None if the file has other lines than the text.
        env: the environment. On a dumb terminal $VISUAL, a full-screen editor, is not for use.

    Raises:
        QaError: $VISUAL or $EDITOR cannot be read as a command.
    """
    graphical = sys.platform == "darwin" or any(
        env.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    path = _file(origin)
    if path is None:
        # An address is the article's own word: only the web's two schemes are followed.
        url = next((url for url in (origin, citation.url) if url and _WEB.match(url)), None)
        if url is None:
            return Tell(citation.source)
        return Browse(url) if graphical else Tell(url)
    if graphical and path.suffix.casefold() in _PAGES:
        return Browse(path.as_uri())
    visual = "" if env.get("TERM", "dumb") == "dumb" else env.get("VISUAL", "")
    editor = visual or env.get("EDITOR", "")
    if not editor.strip():
        return Tell(_place(path, line))
    return Edit(_editor(editor, str(path), line))


def _file(origin: str | None) -> Path | None:
    """The file among origins; stdin and addresses have none."""
    path = Path(origin or "")
    return path if path.is_absolute() else None


def _place(path: Path, line: int | None) -> str:
    return f"{path}:{line}" if line else str(path)


def _editor(editor: str, path: str, line: int | None) -> tuple[str, ...]:
    try:
        argv = shlex.split(editor)
    except ValueError as error:
        raise QaError(f"$EDITOR '{editor}' is no command ({error}). Set EDITOR anew.") from error
    name = Path(argv[0]).name
    if line is None:
        return (*argv, path)
    if name in _GOTO:
        return (*argv, "--goto", f"{path}:{line}")
    if name in _COLON:
        return (*argv, f"{path}:{line}")
    return (*argv, f"+{line}", path)


def line_in_file(citation: Citation, path: Path) -> int | None:
    """The passage's line in the file, or None if the file's text is not the article's.

    It is not for pages, whose text is extracted, nor for files changed since they were read:
    the hash of the slice tells.

    Raises:
        QaError: The file is no longer there, or cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise QaError(
            f"{path} cannot be opened: {error.strerror}. The library still has its text: show it."
        ) from error
    try:
        text = decode(data, str(path))
    except ReadError:
        return None  # no longer a text: it can still be opened
    same = text_sha256(text[citation.start : citation.end]) == citation.sha256
    return citation.line if same else None


def open_citation(
    citation: Citation,
    origin: str | None,
    *,
    run: Callable[[tuple[str, ...]], int] | None = None,
    browse: Callable[[str], bool] = webbrowser.open,
) -> str:
    """Open a cited article and return what there is to tell: a place, or nothing; it is clean.

    Args:
        citation: the passage.
        origin: what was read: an absolute path, an address, or nothing that lasts.
        run: runs an editor and returns its exit code; without it the terminal is lent to one.
        browse: shows an address, and says whether it could.

    Raises:
        QaError: The file is gone, or the editor cannot be run.
    """
    path = _file(origin)
    line = line_in_file(citation, path) if path else None
    found = opening(citation, origin, line, os.environ)
    match found:
        case Browse(url):
            return "" if browse(url) else clean(url)
        case Tell(place):
            return clean(place)
        case Edit(argv):
            if path and run is None and not (sys.stdin.isatty() and sys.stdout.isatty()):
                return clean(_place(path, line))
            return _edited(argv, run or _run)


def _edited(argv: tuple[str, ...], run: Callable[[tuple[str, ...]], int]) -> str:
    try:
        code = run(argv)
    except OSError as error:
        raise QaError(
            f"The editor '{argv[0]}' cannot be run: {error.strerror}. Set VISUAL or EDITOR."
        ) from error
    return f"{argv[0]} ended with code {code}." if code else ""


def _run(argv: tuple[str, ...]) -> int:
    with _terminal_lent():
        return subprocess.run(argv, check=False).returncode  # noqa: S603 -- the user's own editor


@contextmanager
def _terminal_lent() -> Iterator[None]:
    """Leave Ctrl-C to the child, and put the terminal back as it was, however the child ends."""
    import termios

    settings = termios.tcgetattr(sys.stdin)
    # A handler of ours, not SIG_IGN: the child would inherit that and be deaf to Ctrl-C.
    interrupt = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, interrupt)
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, settings)
