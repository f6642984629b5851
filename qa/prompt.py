"""The prompt of the chat: keys, completion, the toolbar, and what was asked before."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.history import FileHistory
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth, Output

from qa.bot import Bot
from qa.chat import Chat, described
from qa.completion import Names, complete
from qa.errors import QaError
from qa.style import clean
from qa.wording import counted

PROMPT = "> "


def session(
    bot: Bot,
    history: "History",
    *,
    color: bool,
    input: Input | None,  # noqa: A002 -- prompt_toolkit's name for it
    output: Output | None,
) -> PromptSession[str]:
    """A person's keyboard and screen, with completion and history."""
    made: PromptSession[str] = PromptSession(
        PROMPT,
        history=history,
        completer=_Completer(bot),
        complete_in_thread=True,
        complete_while_typing=Condition(lambda: made.default_buffer.text.startswith(("/", ":"))),
        auto_suggest=AutoSuggestFromHistory(),
        key_bindings=_keys(),
        color_depth=None if color else ColorDepth.DEPTH_1_BIT,
        input=input,
        output=output,
    )
    return made


def reading(
    bot: Bot,
    chat: Chat,
    history: "History",
    keyboard: PromptSession[str],
    notice: Callable[[str], None],
) -> Callable[[], str]:
    """Reads lines at the prompt, the chat's draft put up for editing; notices no history once."""

    def read() -> str:
        draft, chat.draft = chat.draft, ""
        line = keyboard.prompt(bottom_toolbar=_toolbar(bot, chat), default=draft)
        if history.problem:
            notice(history.problem)
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


class History(FileHistory):
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
        """What was asked, the newest first; nothing if it cannot be read."""
        try:
            return super().load_history_strings()
        except OSError as error:
            self._fail(error)
            return []

    def store_string(self, string: str) -> None:
        """Keeps a line for the next chat, unless an earlier one could not be."""
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
