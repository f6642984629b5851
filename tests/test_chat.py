import errno
import io
import json
import os
import signal
import sys
import tempfile
import threading

import pytest
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from qa import locations, prompt, repl, sessions, waiting
from qa.bot import Bot
from qa.chat import Chat
from qa.commands import parse
from qa.errors import QaError
from qa.style import PLAIN

ENTER, ALT_ENTER, CTRL_C, CTRL_D, CTRL_R, UP = "\r", "\x1b\r", "\x03", "\x04", "\x12", "\x1b[A"
PASTE, PASTED = "\x1b[200~", "\x1b[201~"
TITLES = {
    "kim.txt": "Kim travels to Russia",
    "rain.txt": "Rain in Spain",
    "bell.txt": "A bell \x1b]0;owned\x07 rings",
}
TEXTS = {
    "kim.txt": "The two leaders will meet in Vladivostok.\n\nNobody says when they meet.",
    "rain.txt": "The rain falls mainly on the plain.\n\n"
    + "\n\n".join(
        f"In village {number} the rain measured {number} litres." for number in range(1, 71)
    ),
    "bell.txt": "The bell rings \x1b[2J\x1b]8;;evil\x07at noon\x9b31m in the tower.",
}


@pytest.fixture
def articles(tmp_path):
    folder = tmp_path / "articles"
    folder.mkdir()
    for name, text in TEXTS.items():
        (folder / name).write_text(f"{TITLES[name]}\n\n{text}\n", encoding="utf-8")
    return folder


@pytest.fixture
def bot(tmp_path, toy, articles):
    bot = Bot.open(tmp_path / "library", encoder=toy, reader=None, create=True)
    bot.add(articles)
    return bot


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("VISUAL", "EDITOR", "DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def typed(bot, tmp_path, capsys):
    """Types keys at the prompt, leaves, and gives what was said on stdout and stderr."""

    def type_(keys, bot=bot, history=tmp_path / "state" / "history", session=None):
        with create_pipe_input() as pipe:
            pipe.send_text(keys + CTRL_D)
            repl.run(
                bot, style=PLAIN, session=session, history=history, input=pipe, output=DummyOutput(),
            )  # fmt: skip
        return capsys.readouterr()

    return type_


@pytest.fixture
def piped(bot, capsys, monkeypatch):
    """Sends lines on stdin without a terminal."""

    def pipe(lines, bot=bot, session=None):
        read, write = os.pipe()
        os.write(write, lines if isinstance(lines, bytes) else lines.encode())
        os.close(write)
        with os.fdopen(read, encoding="utf-8") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            repl.run(bot, style=PLAIN, session=session)
        return capsys.readouterr()

    return pipe


def question_of(out):
    """The question of the answer that `/json` showed last."""
    return json.loads(out[out.rindex("\n{") :])["question"]


def first(out):
    return next(line for line in out.splitlines() if line.startswith("[1]"))


def test_a_fault_is_said_in_one_line_and_the_chat_goes_on(typed, bot):
    class Faulty(Bot):
        def show(self, _):
            raise ZeroDivisionError("by nought")

    faulty = Faulty.open(bot.status().path, encoder=bot.encoder(), reader=None)
    said = typed("when does it rain?\r/show 1\r/help\r", bot=faulty)
    assert "ZeroDivisionError: by nought. This is a fault of qa's" in said.err
    assert "/filter" in said.out


def test_a_name_may_begin_with_a_tilde(typed, tmp_path):
    said = typed("where do the leaders meet?\r/save ~nobody.md\r/replay ~none\r/help\r")
    assert "Saved as ~nobody.md." in said.out
    assert (tmp_path / "~nobody.md").is_file()
    assert "'~none' cannot be read" in said.err


def test_a_question_is_answered_with_its_passages(typed):
    said = typed("where will the leaders meet?\r")
    assert first(said.out) == "[1] Kim travels to Russia"
    assert "Vladivostok" in said.out


def test_show_gives_the_passage_in_its_article(typed):
    said = typed("where will the leaders meet?\r/show 1\r")
    assert "Nobody says when they meet." in said.out.rpartition("[1]")[2]


def test_why_gives_the_signals_in_words_within_the_width(typed, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    said = typed("where will the leaders meet?\r").out
    reasons = typed("where will the leaders meet?\r/why 1\r").out.removeprefix(said)
    assert "alike in meaning" in reasons.replace("\n", " ")
    assert max(map(len, reasons.splitlines())) <= 30


def test_more_goes_on_numbering_and_what_was_shown_keeps_its_number(bot, typed):
    said = typed("rain litres village\r/more\r/why 4\r/save a.json\r")
    numbers = [line[1:].partition("]")[0] for line in said.out.splitlines() if line[:1] == "["]
    assert numbers == [str(number) for number in range(1, 7)]
    saved = json.loads((bot.status().path.parent / "a.json").read_text())
    three = [hit.passage.text for hit in bot.ask("rain litres village", top_k=3).hits]
    assert [hit["text"] for hit in saved["hits"]][:3] == three
    assert [hit["rank"] for hit in saved["hits"]] == list(range(1, 7))


def test_more_says_when_that_was_all(typed):
    said = typed("/filter source:kim\rmeet\r/more\r")
    assert said.out.endswith("That was all.\n")


def test_a_filter_holds_for_the_questions_after_it(typed):
    said = typed("/filter source:rain\rwhere will the leaders meet?\r/filter\r/filter clear\r")
    assert "Only articles from rain. That is 1 of 3.\n" in said.out
    assert "Vladivostok" not in said.out
    assert said.out.endswith("Only articles from rain.\nAll articles may answer. That is 3 of 3.\n")


def test_sources_lists_articles_and_narrows_by_title_or_source(typed):
    assert len(typed("/sources\r").out.splitlines()) == 3
    (line,) = typed("/sources SPAIN\r").out.splitlines()
    assert line.endswith("rain.txt  Rain in Spain")
    assert typed("/sources xyzzy\r").out == "No article has 'xyzzy' in its title or source.\n"


def test_json_shows_the_last_answer(typed):
    said = typed("where will the leaders meet?\r/json\r")
    assert question_of(said.out) == "where will the leaders meet?"


def test_save_keeps_the_answer_and_never_overwrites(typed, tmp_path):
    said = typed(
        "where will the leaders meet?\r/save a.md\r/save a.md\r/save a.txt\r/save no/a.md\r"
    )
    assert "Vladivostok" in (tmp_path / "a.md").read_text(encoding="utf-8")
    assert said.out.endswith("Saved as a.md.\n")
    assert said.err.splitlines()[-3:] == [
        "'a.md' is there already and stays. /save under another name.",
        "'a.txt' is no name to save to. Let it end in .md or .json.",
        "'no/a.md' cannot be written: No such file or directory. /save somewhere else.",
    ]


def test_open_tells_the_place_where_no_editor_is_set(bot, typed, articles):
    said = typed("where will the leaders meet?\r/open 1\r")
    line = bot.ask("where will the leaders meet?").hits[0].citation.line
    assert said.out.endswith(f"{articles / 'kim.txt'}:{line}\n")


@pytest.mark.parametrize(
    "command", ["/show 1", "/more", "/json", "/why 2", "/open 1", "/save a.md"]
)
def test_before_the_first_answer_a_command_says_that_there_is_none(typed, command):
    assert typed(f"{command}\r").err.endswith("Nothing is answered yet. Ask a question first.\n")


def test_a_number_that_was_not_shown_is_explained(typed):
    said = typed("/filter source:kim\rmeet\r/show 9\r")
    assert "There is no passage [9]: they go from 1 to " in said.err


def test_an_error_is_one_line_and_the_chat_goes_on(typed):
    said = typed("?\r/nonsense\rwhere will the leaders meet?\r")
    assert "Vladivostok" in said.out
    assert said.err.splitlines()[-1] == "There is no /nonsense. /help lists the commands."
    assert "Traceback" not in said.err


@pytest.mark.parametrize("word", ["quit", "exit", "/quit"])
def test_a_word_leaves(typed, word):
    assert typed(f"{word}\rwhere will the leaders meet?\r").out == ""


def test_an_empty_line_asks_nothing(typed):
    said = typed(ENTER + "  " + ENTER)
    assert said.out == ""
    assert said.err == "Ask a question. /help lists what else there is.\n"


def test_ctrl_c_at_the_prompt_drops_the_line(typed):
    said = typed(f"where will it rain{CTRL_C}where will the leaders meet?\r/json\r")
    assert question_of(said.out) == "where will the leaders meet?"


def test_alt_enter_starts_a_line_and_pasted_lines_stay_together(typed):
    said = typed(f"where{ALT_ENTER}leaders\r/json\r")
    assert question_of(said.out) == "where\nleaders"
    said = typed(f"{PASTE}when\nleaders{PASTED}\r/json\r")
    assert question_of(said.out) == "when\nleaders"


def test_questions_are_remembered_by_the_next_chat(typed, tmp_path):
    typed("where will the leaders meet?\r/help\r")
    assert "Vladivostok" in typed(UP + UP + ENTER).out
    assert "Vladivostok" in typed(CTRL_R + "leaders" + ENTER + ENTER).out
    assert (tmp_path / "state" / "history").stat().st_mode & 0o777 == 0o600


def test_a_history_that_cannot_be_kept_is_said_once(typed, tmp_path):
    (tmp_path / "file").write_text("")
    said = typed("where?\rwhen?\r", history=tmp_path / "file" / "history")
    assert said.err.count("Questions are not remembered") == 1


def test_without_articles_the_chat_says_how_to_add_some(toy, tmp_path, typed):
    empty = Bot.open(tmp_path / "empty", encoder=toy, reader=None, create=True)
    assert typed("", bot=empty).err == ("There are no articles yet. Add some: /add FOLDER\n")


def test_lines_from_a_pipe_are_answered_without_prompt_or_escape(piped):
    said = piped("where will the leaders meet?\n\n/filter\nwhen does the bell ring in the tower?")
    assert first(said.out) == "[1] Kim travels to Russia"
    assert "> " not in said.out
    assert "\x1b" not in said.out
    assert said.err == ""


def test_bytes_that_are_no_text_on_a_pipe_do_not_end_the_chat(piped):
    said = piped(b"caf\xe9 leaders meet\nwhere will the leaders meet?\n")
    assert said.out.count("[1]") == 2


def test_what_a_terminal_cannot_encode_is_written_as_escapes(typed, monkeypatch, articles, bot):
    (articles / "snow.txt").write_text("Snow in Perú ❄\n\nSnow falls.\n", encoding="utf-8")
    bot.add(articles)
    with io.TextIOWrapper(io.BytesIO(), encoding="ascii") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        typed("/sources snow\r")
        stdout.flush()
        assert stdout.buffer.getvalue().endswith(rb"Snow in Per\xfa \u2744" + b"\n")


def test_control_characters_of_articles_never_reach_the_terminal(typed):
    said = typed(
        "when does the bell ring in the tower?\r/show 1\r/why 1\r/sources\r/json\r/save a.md\r"
    )
    assert "noon" in said.out
    both = said.out + said.err
    assert [char for char in both if not char.isprintable() and char != "\n"] == []


@pytest.mark.parametrize("columns", ["1", "2", "7", "20"])
def test_any_width_will_do(typed, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    said = typed("where will the leaders meet?\r/show 1\r/help\r/sources\r/why 1\r")
    assert "Vladivostok" in said.out.replace("\n", "").replace(" ", "")


class Interrupted:
    """A bot whose first question takes until Ctrl-C is pressed."""

    def __init__(self, bot):
        self._bot = bot
        self.pressed = threading.Event()

    def __getattr__(self, name):
        return getattr(self._bot, name)

    def ask(self, question, **options):
        if not self.pressed.is_set():
            self.pressed.set()
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait(2)
        return self._bot.ask(question, **options)


def test_ctrl_c_stops_a_running_question_and_not_the_chat(bot, typed):
    said = typed("when does it rain?\r/json\rwhere will the leaders meet?\r", bot=Interrupted(bot))
    assert first(said.out) == "[1] Kim travels to Russia"
    assert said.err.splitlines()[-2:] == [
        "Stopped.",
        "Nothing is answered yet. Ask a question first.",
    ]


def test_ctrl_c_without_a_terminal_ends_the_chat(bot, piped):
    with pytest.raises(KeyboardInterrupt):
        piped("when does it rain?\n", bot=Interrupted(bot))


class Slow(Interrupted):
    """A bot that takes its time."""

    def ask(self, question, **options):
        threading.Event().wait(2 * waiting.PATIENCE)
        return self._bot.ask(question, **options)


def test_a_question_that_takes_long_says_so_and_wipes_it_after(bot, typed, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = typed("where will the leaders meet?\r", bot=Slow(bot))
    assert said.err.endswith(f"\rsearching…\r\r{' ' * 10}\r")


def test_a_library_that_cannot_be_read_is_told_in_the_toolbar_and_ends_nothing(bot, typed):
    class Gone(Interrupted):
        def status(self):
            if self.pressed.is_set():
                raise QaError("No library here.")
            self.pressed.set()
            return self._bot.status()

    assert "Vladivostok" in typed("where will the leaders meet?\r", bot=Gone(bot)).out


def completions(bot, text):
    return [found.text for found in prompt._Completer(bot).get_completions(Document(text), None)]


def test_titles_sources_and_commands_are_completed_without_control_characters(bot):
    assert completions(bot, "what of rain") == ["Rain in Spain"]
    (bell,) = completions(bot, "a bell")
    assert bell.isprintable()
    assert completions(bot, "/sh") == ["/show "]
    assert completions(bot, "/filter source:kim")[0].endswith("kim.txt")


def test_an_article_added_meanwhile_is_completed(bot, articles):
    completer = prompt._Completer(bot)
    document = Document("what of snow")
    assert list(completer.get_completions(document, None)) == []
    (articles / "snow.txt").write_text("Snow in Peru\n\nSnow falls.\n")
    bot.add(articles)
    assert [found.text for found in completer.get_completions(document, None)] == ["Snow in Peru"]


def test_save_completes_the_names_of_files(bot, tmp_path):
    (tmp_path / "folder").mkdir()
    assert completions(bot, "/save fol") == ["der"]


TALK = "who falls mainly on the plain in Spain?\r"


def test_a_follow_up_says_what_it_took_from_before(typed):
    said = typed(TALK + "why?\r/json\r/context\r")
    answer = json.loads(said.out[said.out.rindex("\n{") : said.out.rindex("\n}") + 2])
    assert answer["question"] == "why?"
    assert answer["understood_as"] == "why? (Spain)"
    assert "\nSpain\n" in said.out
    assert said.out.splitlines()[-3:] == [
        "who falls mainly on the plain in Spain?",
        "why? (Spain)",
        "/forget drops this, /edit changes the last question.",
    ]


def test_forget_lets_the_next_question_stand_alone(typed):
    said = typed(TALK + "/forget\r/context\rwhy?\r/json\r")
    assert "Forgotten. The next question stands alone.\n" in said.out
    assert "Nothing is carried: the next question stands alone.\n" in said.out
    assert json.loads(said.out[said.out.rindex("\n{") :])["understood_as"] == "why?"


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Where sessions are kept."""
    folder = tmp_path / "sessions"
    monkeypatch.setattr(locations, "sessions", lambda: folder)
    return folder


def test_a_session_goes_on_in_the_next_chat_and_keeps_its_turns(typed, piped, kept):
    begun = typed(TALK, session="trip")
    assert "Session" not in begun.err
    said = typed("why?\r/json\r", session="trip")
    assert "Session 'trip' goes on with 1 question in mind; /context shows them.\n" in said.err
    assert '"understood_as": "why? (Spain)"' in said.out
    on_a_pipe = piped("/edit\nwhen?\n", session="trip")
    assert on_a_pipe.err == "Nothing is answered yet. Ask a question first.\n"
    assert [turn.question for turn in sessions.load("trip").turns] == [TALK[:-1], "why?", "when?"]
    assert [turn.question for turn in sessions.load("other").turns] == []


def test_forget_and_edit_change_what_the_session_keeps(typed, kept):
    typed(TALK + "why?\r/edit\r now\r", session="trip")
    assert sessions.load("trip").turns[-1].question == "why? (Spain) now"
    typed("/forget\r", session="trip")
    assert not sessions.load("trip")
    typed("/forget\r" + TALK, session="new")
    assert len(sessions.load("new").turns) == 1
    typed("why?\r")
    assert len(sessions.load("new").turns) == 1


def test_a_session_that_cannot_be_kept_is_said_after_the_answer(typed, kept, monkeypatch):
    def full(**_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkstemp", full)
    said = typed(TALK, session="trip")
    assert first(said.out) == "[1] Rain in Spain"
    assert f"The session 'trip' cannot be kept in {kept}: No space left on device." in said.err


def test_edit_puts_the_understood_question_up_and_asks_it_in_place_of_the_last(typed):
    said = typed(TALK + "why?\r/edit\r now\r/json\r/context\r")
    assert '"question": "why? (Spain) now"' in said.out
    assert '"carried": []' in said.out
    assert said.out.splitlines()[-3:-1] == [
        "who falls mainly on the plain in Spain?",
        "why? (Spain) now",
    ]


def test_edit_without_a_terminal_says_what_would_be_edited(piped):
    said = piped(TALK.replace("\r", "\n") + "why?\n/edit\n")
    assert said.out.endswith("/edit why? (Spain)\n")


def test_whynot_says_where_a_passage_is_or_why_it_is_nowhere(typed):
    said = typed(
        "/k 1\rwhat falls mainly on the plain?\r/whynot falls MAINLY\r/whynot village 33 \r"
        "/whynot xyzzy\r/filter source:kim\rwhere do the leaders meet?\r/whynot rain in spain\r"
    )
    told = said.out.replace("\n", " ")
    assert "It came: it is [1], from 'Rain in Spain'." in told
    assert "'Rain in Spain' is at place " in told
    assert "None of the passages found says 'xyzzy', nor does a title or source." in told
    assert told.endswith("'Rain in Spain' may not answer. Only articles from kim. ")


def test_k_shows_so_many_at_once(typed):
    said = typed("/k 1\rrain litres village\r/k 2\rrain litres village\r/more\r/k 0\r/k 101\r")
    assert [line[:3] for line in said.out.splitlines() if line[:1] == "["] == [
        "[1]", "[1]", "[2]", "[3]", "[4]",
    ]  # fmt: skip
    assert said.err.splitlines()[-2:] == ["Write it like this: /k N (from 1 to 100)"] * 2


def test_replay_asks_the_lines_of_a_file_and_shows_them(typed, tmp_path):
    (tmp_path / "talk.txt").write_text(
        "# a talk\nwhere will the leaders meet?\n\n/nonsense\n/replay talk.txt\n:filter\n"
    )
    said = typed("/replay talk.txt\r/replay nowhere.txt\r")
    assert "> where will the leaders meet?\n" in said.out
    assert first(said.out) == "[1] Kim travels to Russia"
    assert said.out.endswith("> :filter\nAll articles may answer.\n")
    assert said.err.splitlines()[-3:] == [
        "There is no /nonsense. /help lists the commands.",
        "A file that is replayed cannot replay another.",
        "'nowhere.txt' cannot be read: No such file or directory. /replay another.",
    ]


def test_quit_in_a_replayed_file_leaves(typed, tmp_path):
    (tmp_path / "talk.txt").write_text("/filter\n/quit\n/library\n")
    assert typed("/replay talk.txt\r").out.endswith("> /quit\n")


def test_library_says_what_there_is_and_add_adds_to_it(bot, typed, tmp_path):
    (tmp_path / "snow.txt").write_text("Snow in Peru\n\nSnow falls on the mountains.\n")
    said = typed("/library\r/add snow.txt\r/library\rwhere does snow fall?\r/add nowhere\r/add\r")
    assert said.out.startswith("3 articles in ")
    assert f"\n{bot.status().path}\nArticles: 1 added.\n4 articles in " in said.out
    assert first(said.out) == "[1] Snow in Peru"
    assert "nowhere" in said.err.splitlines()[-2]
    assert said.err.splitlines()[-1] == "Write it like this: /add PATH..."


class Telling(Interrupted):
    """A bot that finds at once and reads for long."""

    def ask(self, question, *, found, **options):
        answer = self._bot.ask(question, **options)
        found(answer.hits)
        threading.Event().wait(2 * waiting.PATIENCE)
        return answer


def test_what_is_found_stands_there_until_it_is_read(bot, typed, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    said = typed("where will the leaders meet?\r", bot=Telling(bot))
    shown, wiped, answered = said.out.partition("F\x1b[J")
    assert shown.startswith("[1] Kim travels to Russia\n")
    assert shown.endswith(f"\x1b[{shown.count(chr(10))}")
    assert wiped
    assert answered.startswith("In these passages ")
    assert f"\r{waiting.READING}\r" in said.err


def test_on_a_pipe_only_the_answer_is_written(bot, piped):
    said = piped("where will the leaders meet?\n", bot=Telling(bot))
    assert said.out.startswith("In these passages ")
    assert said.err == ""


def test_a_folder_to_add_and_a_file_to_replay_are_completed(bot, tmp_path):
    (tmp_path / "folder").mkdir()
    assert completions(bot, "/add one fol") == ["der"]
    assert completions(bot, ":replay fol") == ["der"]
    assert completions(bot, "/whynot rain") == ["Rain in Spain"]


def test_the_toolbar_says_how_much_is_in_mind(bot):
    chat = Chat(bot, style=PLAIN, width=lambda: 80)
    assert "in mind" not in prompt._toolbar(bot, chat)
    chat.reply(parse("where will the leaders meet?"))
    assert "1 question in mind" in prompt._toolbar(bot, chat)
