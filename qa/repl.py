"""The chat in a terminal: reads lines, lets `chat` reply, shows what it says."""

import io
import os
import queue
import shutil
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TextIO

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth, Output

from qa import locations, sessions
from qa.bot import Bot
from qa.chat import Chat, Work, described
from qa.commands import Command, Quit, Replay, parse
from qa.completion import Names, complete
from qa.console import Console
from qa.errors import QaError
from qa.model import Answer
from qa.style import Style, clean
from qa.wording import counted

PATIENCE = 0.3  # seconds without a word; longer feels broken
READING = "reading…"
PROMPT = "> "
NO_ARTICLES = "There are no articles yet. Add some: /add FOLDER"

Read = Callable[[], str]


def run(  # noqa: PLR0913 -- the options of the command, and a keyboard and a screen
    bot: Bot,
    *,
    style: Style,
    session: str | None = None,
    history: Path | None = None,
    input: Input | None = None,  # noqa: A002 -- prompt_toolkit's name for it
    output: Output | None = None,
) -> None:
    """Chat until the person leaves or the input ends.

    Answers go to stdout; errors, notices and "searching…" to stderr. Without a terminal, lines
    are read from stdin with no prompt; on a dumb terminal with a plain one.

    Args:
        bot: answers.
        style: how answers look.
        session: the kept conversation that the chat goes on with; None keeps none.
        history: the file that remembers questions; by default in the user's state directory.
        input: prompt_toolkit's keyboard, for tests; with it the terminal is taken to be real.
        output: prompt_toolkit's screen, for tests.

    Raises:
        QaError: the session cannot be read, or its name will not do.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # articles hold what not every terminal can
            stream.reconfigure(errors="backslashreplace")
    person = input is not None or (sys.stdin.isatty() and sys.stdout.isatty())
    console = Console(style, _width())
    chat = Chat(
        bot,
        style=style,
        width=_width,
        patiently=_patiently,
        progress=console.indexing,
        editable=person,
    )
    if session is not None:
        chat.conversation = sessions.load(session)
    if person and (input is not None or os.environ.get("TERM", "dumb") != "dumb"):
        kept = _History(history or locations.history())
        colors = None if style.color else ColorDepth.DEPTH_1_BIT
        read = _prompting(bot, chat, kept, _session(bot, kept, colors, input, output))
    else:
        read = _plain(PROMPT if person else "")
    if not bot.status().articles:
        _notice(NO_ARTICLES)
    elif person:
        _notice("Ask a question. /help lists what else there is.")
    if person and chat.conversation:
        before = counted(len(chat.conversation.turns), "question")
        _notice(f"Session '{session}' goes on with {before} in mind; /context shows them.")
    _converse(read, chat, session, person=person)


def _converse(read: Read, chat: Chat, session: str | None, *, person: bool) -> None:
    waiting: deque[str] = deque()  # lines of a file that is replayed
    while True:
        line = ""
        try:
            line = _replayed(waiting) if waiting else read()
            if not line.strip():
                continue
            command = parse(line)
            if isinstance(command, Quit):
                return
            if isinstance(command, Replay) and not waiting:
                waiting.extend(_lines(command.path))
                continue
            _reply(command, chat, session)
        except EOFError:
            return
        except QaError as error:
            _notice(clean(str(error).replace("\n", " ")))
        except KeyboardInterrupt:
            if not person:
                raise
            waiting.clear()
            if line:
                _notice("Stopped.")


def _reply(command: Command, chat: Chat, session: str | None) -> None:
    before = chat.conversation
    _say(chat.reply(command))
    # After the answer, which is there to be read even if it cannot be kept.
    if session is not None and chat.conversation != before:
        sessions.save(session, chat.conversation)


def _lines(path: str) -> list[str]:
    """The questions and commands of a file, without blank lines and those that begin with #."""
    try:
        text = Path(path).expanduser().read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise QaError(f"'{path}' cannot be read: {error.strerror}. /replay another.") from error
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _replayed(waiting: deque[str]) -> str:
    """The next line of a file, shown as if it were typed."""
    line = waiting.popleft()
    _say(f"{PROMPT}{clean(line)}")
    return line


def _say(text: str) -> None:
    if text:
        print(text, flush=True)  # noqa: T201 -- stdout is where answers go


def _notice(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 -- stderr is where notices go


def _width() -> int:
    return shutil.get_terminal_size().columns


def _patiently(work: Work) -> Answer:
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
            text = text[: max(_width() - 1, 0)]
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


def _plain(prompt: str) -> Read:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")

    def read() -> str:
        print(end=prompt, flush=True)  # noqa: T201 -- a prompt, or nothing
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line

    return read


def _session(
    bot: Bot,
    history: "_History",
    colors: ColorDepth | None,
    input: Input | None,  # noqa: A002 -- prompt_toolkit's name for it
    output: Output | None,
) -> PromptSession[str]:
    session: PromptSession[str] = PromptSession(
        PROMPT,
        history=history,
        completer=_Completer(bot),
        complete_in_thread=True,
        complete_while_typing=Condition(lambda: session.default_buffer.text.startswith(("/", ":"))),
        auto_suggest=AutoSuggestFromHistory(),
        key_bindings=_keys(),
        color_depth=colors,
        input=input,
        output=output,
    )
    return session


def _prompting(bot: Bot, chat: Chat, history: "_History", session: PromptSession[str]) -> Read:
    def read() -> str:
        draft, chat.draft = chat.draft, ""
        line = session.prompt(bottom_toolbar=_toolbar(bot, chat), default=draft)
        if history.problem:
            _notice(history.problem)
            history.problem = ""
        return line

    return read


def _toolbar(bot: Bot, chat: Chat) -> str:
    try:
        status = bot.status()
    except QaError as error:
        return clean(str(error))
    turns = chat.conversation.turns
    parts = [
        f"{counted(status.articles, 'article')}, {counted(status.passages, 'passage')}",
        *([described(chat.filters)] if chat.filters else []),
        *([f"{counted(len(turns), 'question')} in mind"] if turns else []),
        clean(status.model),
        clean(str(status.path)),  # last, because it is the longest and may be cut off
    ]
    return " · ".join(parts)


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("escape", "enter")
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    return keys


class _History(FileHistory):
    """What was asked, kept for the next chat; `problem` says once that it cannot be."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.problem = ""
        self._kept = True
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.touch(mode=0o600)  # questions are the person's own
        except OSError as error:
            self._fail(error)

    def load_history_strings(self) -> Iterable[str]:
        try:
            return super().load_history_strings()
        except OSError as error:
            self._fail(error)
            return []

    def store_string(self, string: str) -> None:
        if not self._kept:
            return
        try:
            super().store_string(string)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._kept = False
        self.problem = clean(
            f"Questions are not remembered: {self.filename!s} cannot be used ({error.strerror})."
        )


_OF_FILES = frozenset({"save", "replay", "add"})


class _Completer(Completer):
    """Completes commands, titles, sources and days; the names of files where one is asked for."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._paths = PathCompleter(expanduser=True)
        self._version = -1
        self._names = Names()

    def get_completions(self, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        command, blank, path = document.text_before_cursor.partition(" ")
        if blank and command[:1] in {"/", ":"} and command[1:] in _OF_FILES:
            path = path.rpartition(" ")[2] if command[1:] == "add" else path
            yield from self._paths.get_completions(Document(path), event)
            return
        try:
            self._refresh()
        except QaError:
            return  # the next question says the same in words; a menu has no place for it
        for found in complete(document.text, document.cursor_position, self._names):
            yield Completion(
                found.text, found.start - document.cursor_position, display_meta=found.note
            )

    def _refresh(self) -> None:
        version = self._bot.status().version
        if version != self._version:
            articles = self._bot.articles()
            self._names = Names(
                [clean(" ".join(article.title.split())) for article in articles],
                [article.source for article in articles],
                [article.date.isoformat() for article in articles if article.date],
            )
            self._version = version
