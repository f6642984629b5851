"""The door to the terminal: answers go to stdout and nothing else does, the rest to stderr."""

import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa.errors import QaError
from qa.model import Citation
from qa.style import Style, clean

if TYPE_CHECKING:
    from qa.indexing import Progress

TRACEBACK = "QA_TRACEBACK"  # the environment variable that lets faults through
_PATIENCE_S = 1.0


class OutputClosed(Exception):  # noqa: N818 -- no error: the reader has seen enough
    """Whoever reads stdout has gone (`qa ask … | head -1`)."""


@dataclass(frozen=True, slots=True)
class Console:
    """What stdout and stderr can show, and how much is to be said."""

    style: Style
    width: int
    quiet: bool = False

    @classmethod
    def of(cls, *, color: bool = True, quiet: bool = False) -> "Console":
        """The console that this process runs in."""
        return cls(_style(color=color), shutil.get_terminal_size().columns, quiet)

    def linking(self, origin: Callable[[Citation], str | None]) -> "Console":
        """The same, a terminal opening each citation from the origin of its article."""
        if not _is_capable():
            return self
        style = replace(self.style, link=lambda cited: _address(cited, origin(cited)))
        return replace(self, style=style)

    def show(self, text: str) -> None:
        """Writes to stdout; what it cannot encode is written as escapes.

        Raises:
            OutputClosed: nobody reads it any more.
            QaError: it cannot be written.
        """
        encoding = sys.stdout.encoding or "utf-8"
        try:
            sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            sys.stdout.flush()
        except OSError as error:
            # Python flushes stdout once more on its way out, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                raise OutputClosed from error
            raise QaError(
                f"The output cannot be written ({error.strerror}). Send it to another place."
            ) from error

    def notice(self, text: str) -> None:
        """Says something on the way, unless told to be quiet."""
        if not self.quiet:
            complain(text)

    @contextmanager
    def indexing(self) -> "Iterator[Callable[[Progress], None]]":
        """A bar for reading and encoding, once it has taken a second."""
        with self._bar("passages") as advance:
            yield lambda now: advance(now.bytes_done, now.bytes_total, now.passages)

    @contextmanager
    def counting(self, what: str) -> Iterator[Callable[[int, int], None]]:
        """A bar for anything counted, once it has taken a second."""
        with self._bar(what) as advance:
            yield lambda done, total: advance(done, total, done)

    @contextmanager
    def _bar(self, what: str) -> "Iterator[Callable[[int, int, int], None]]":
        """A bar that takes what is done, of how much, and how many `what` that is."""
        if self.quiet or not sys.stderr.isatty():
            yield lambda _done, _total, _count: None
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeLeft(),
            console=RichConsole(stderr=True, no_color=not self.style.color),
            transient=True,
        )
        task = bars.add_task(what, total=None)
        began = time.monotonic()

        def advance(done: int, total: int, count: int) -> None:
            rate = count / max(1e-3, time.monotonic() - began)
            said = f"{count:,} {what}, {rate:,.0f}/s"
            bars.update(task, completed=done, total=total, description=said)

        timer = threading.Timer(_PATIENCE_S, bars.start)
        timer.daemon = True
        timer.start()
        try:
            yield advance
        finally:
            timer.cancel()
            timer.join()
            bars.stop()


def complain(text: str) -> None:
    """One line on stderr."""
    line = clean(f"qa: {text}".replace("\n", " "))
    encoding = sys.stderr.encoding or "utf-8"
    sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def fault(error: Exception) -> str:
    """What is said of an error that nobody foresaw."""
    return (
        f"{type(error).__name__}: {error}. This is a fault of qa's: please report it, with "
        f"what {TRACEBACK}=1 shows."
    )


def forward_warnings() -> None:
    """Shows the warnings that the library logs, each as one line on stderr."""
    logger = logging.getLogger("qa")
    if not logger.handlers:
        logger.addHandler(_Complaints())
        logger.propagate = False


class _Complaints(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        complain(record.getMessage())


def _is_capable() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _style(*, color: bool) -> Style:
    return Style(color=color and _is_capable() and not os.environ.get("NO_COLOR"))


def _address(citation: Citation, origin: str | None) -> str | None:
    """Where a terminal may open a citation: its page, or the file that was read if it is there."""
    if citation.url and citation.url.startswith(("http://", "https://")):
        return clean(citation.url)
    path = Path(origin or "")
    return path.as_uri() if path.is_absolute() and path.is_file() else None
