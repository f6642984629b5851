"""The chat in a terminal: reads lines, lets `chat` reply, shows what it says."""

import io
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from qa import locations, prompt, sessions
from qa.bot import Bot
from qa.chat import Chat
from qa.commands import Command, Quit, Replay, parse
from qa.console import TRACEBACK, Console, fault
from qa.errors import QaError
from qa.style import PLAIN, Style, clean
from qa.waiting import patiently
from qa.wording import counted

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
        patiently=patiently,
        progress=console.indexing,
        editable=person,
    )
    if session is not None:
        chat.conversation = sessions.load(session)
    if person and (input is not None or os.environ.get("TERM", "dumb") != "dumb"):
        kept = prompt.History(history or locations.history())
        keyboard = prompt.session(bot, kept, color=style.color, input=input, output=output)
        read = prompt.reading(bot, chat, kept, keyboard, _notice)
    else:
        read = _plain(prompt.PROMPT if person else "")
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
    try:
        said = chat.reply(command)
    except QaError:
        raise
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        raise QaError(fault(error)) from error  # a question that fails is not the last one
    _say(said)
    # After the answer, which is there to be read even if it cannot be kept.
    if session is not None and chat.conversation != before:
        sessions.save(session, before, chat.conversation)


def _lines(path: str) -> list[str]:
    """The questions and commands of a file, without blank lines and those that begin with #."""
    try:
        text = locations.expanded(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise QaError(f"'{path}' cannot be read: {error.strerror}. /replay another.") from error
    lines = [line.strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _replayed(waiting: deque[str]) -> str:
    """The next line of a file, shown as if it were typed."""
    line = waiting.popleft()
    _say(f"{prompt.PROMPT}{clean(line)}")
    return line


def _plain(mark: str) -> Read:
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")

    def read() -> str:
        print(end=mark, flush=True)  # noqa: T201 -- a prompt, or nothing
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line

    return read


def _say(text: str) -> None:
    if text:
        Console(PLAIN, _width()).show(text)


def _notice(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 -- stderr is where notices go


def _width() -> int:
    return shutil.get_terminal_size().columns
