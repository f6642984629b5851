"""Waiting in a terminal: what is found is shown until it is read, and Ctrl-C ends it at once."""

import os
import queue
import shutil
import sys
import threading
from typing import TextIO

from qa.chat import Work
from qa.model import Answer

PATIENCE = 0.3  # seconds without a word; longer feels broken
READING = "reading…"


def patiently(work: Work) -> Answer:
    """Work in a thread, so that Ctrl-C ends the waiting at once and breaks nothing off half-done.

    An interrupted question runs on unheard: halting an import or a model's loading midway would
    leave the process unfit for the next question. What is found is shown until it is read.
    """
    told: queue.SimpleQueue[str | Answer | BaseException] = queue.SimpleQueue()

    def target() -> None:
        try:
            told.put(work(told.put))
        except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
            told.put(error)

    threading.Thread(target=target, name="question", daemon=True).start()
    notice, found = _Passing(sys.stderr), _Passing(sys.stdout)
    notice.next, found.next = "searching…", ""
    try:
        while True:
            try:
                news = told.get(timeout=PATIENCE if notice.next or found.next else None)
            except queue.Empty:
                notice.wipe()
                found.show()
                notice.show()
                continue
            if isinstance(news, str):
                found.next, notice.next = news, READING
            elif isinstance(news, BaseException):
                raise news
            else:
                return news
    finally:
        notice.wipe()
        found.wipe()


class _Passing:
    """Text that stands on a terminal until it is wiped; elsewhere it is never written."""

    def __init__(self, stream: TextIO) -> None:
        self.next = ""
        self._stream = stream
        self._rows = 0
        self._blanks = 0

    def show(self) -> None:
        """Writes what is next; of many lines as many as the window can be cleared of."""
        text, self.next = self.next, ""
        if not text or not self._stream.isatty():
            return
        if "\n" not in text and self._stream is sys.stderr:
            # Blanks wipe it on every terminal; an escape code would not on a dumb one.
            text = text[: max(shutil.get_terminal_size().columns - 1, 0)]
            self._blanks = len(text)
            self._stream.write(f"\r{text}\r")
        elif os.environ.get("TERM", "dumb") != "dumb":
            rows = text.split("\n")[: max(shutil.get_terminal_size().lines - 2, 0)]
            self._rows = len(rows)
            self._stream.write("".join(f"{row}\n" for row in rows))
        self._stream.flush()

    def wipe(self) -> None:
        """Takes away what is shown."""
        if self._blanks:
            self._stream.write(f"\r{' ' * self._blanks}\r")
        if self._rows:
            self._stream.write(f"\x1b[{self._rows}F\x1b[J")
        if self._blanks or self._rows:
            self._stream.flush()
        self._blanks = self._rows = 0
