"""The chat as a person has it: a process of its own on a pseudo-terminal."""

import os
import re
import sys
from pathlib import Path

import pexpect
import pytest

from qa.bot import Bot

# From Python 3.12 on, forking a process with threads warns; the child only calls exec.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

CHILD = """
import sys, time
from pathlib import Path
from toy import ToyEncoder
from qa import repl
from qa.bot import Bot
from qa.style import PLAIN

class Patient(Bot):
    def ask(self, question, **options):
        time.sleep(20 if "slow" in question else 0)
        return super().ask(question, **options)

bot = Patient.open(sys.argv[1], encoder=ToyEncoder(), reader=None)
repl.run(bot, style=PLAIN, history=Path(sys.argv[2]))
print("left")
"""
EDITOR = """#!/bin/sh
stty raw -echo
echo "edited $1 of $(basename "$2")"
"""
CTRL_C, CTRL_D, CTRL_R = "\x03", "\x04", "\x12"


class Terminal(pexpect.spawn):
    """A pseudo-terminal that says where its cursor is when asked, as every real one does."""

    def read_nonblocking(self, size=1, timeout=-1):
        text = super().read_nonblocking(size, timeout)
        for _ in range(text.count("\x1b[6n")):
            self.send("\x1b[1;1R")
        return text


@pytest.fixture
def terminal(tmp_path, toy):
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "kim.txt").write_text(
        "Kim travels to Russia\n\nThe two leaders will meet in Vladivostok.\n", encoding="utf-8"
    )
    Bot.open(tmp_path / "library", encoder=toy, reader=None, create=True).add(articles)
    editor = tmp_path / "editor"
    editor.write_text(EDITOR, encoding="utf-8")
    editor.chmod(0o755)
    children = []

    def start(**env):
        child = Terminal(
            sys.executable,
            ["-c", CHILD, str(tmp_path / "library"), str(tmp_path / "history")],
            env={
                **os.environ,
                "TERM": "xterm",
                "PYTHONPATH": str(Path(__file__).parent),
                "VISUAL": str(editor),
                **env,
            },
            encoding="utf-8",
            timeout=15,
            dimensions=(24, 80),
        )
        children.append(child)
        child.expect_exact("/help lists what else there is.\r\n")
        return child

    yield start
    for child in children:
        child.close(force=True)


def test_a_person_asks_follows_a_citation_searches_what_was_asked_interrupts_and_leaves(terminal):
    child = terminal()
    child.expect("1 article, [12] passages? · toy")
    child.send("where will the leaders meet?\r")
    child.expect(r"\[1\] Kim travels to Russia\r\n")
    child.send("/show 1\r")
    child.expect("┃ .*Vladivostok")
    child.send("a slow question\r")
    child.expect_exact("searching…")
    child.send(CTRL_C)
    child.expect_exact("Stopped.")
    child.send(CTRL_R)
    child.expect_exact("reverse-i-search")
    child.send("leaders\r")
    child.send("\r")
    child.expect(r"\[1\] Kim travels to Russia\r\n")
    child.send("half a question")
    child.send(CTRL_C)
    child.send(CTRL_D)
    child.expect_exact("left")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_an_editor_that_spoils_the_terminal_is_cleaned_up_after(terminal):
    child = terminal()
    child.send("where will the leaders meet?\r")
    child.expect(r"\[1\]")
    child.send("/open 1\r")
    child.expect(r"edited \+\d of kim\.txt")
    child.expect_exact("1 article")
    child.send("/filter\r")
    child.expect_exact("All articles may answer.\r\n")
    child.send("/quit\r")
    child.expect_exact("left\r\n")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_tab_completes_a_title(terminal):
    child = terminal()
    child.send("when kim tr\t")
    child.expect_exact("Kim travels to Russia")
    child.send("\r")
    child.expect(r"\[1\] Kim travels to Russia\r\n")
    child.send("/json\r")
    child.expect_exact('"question": "when Kim travels to Russia"')


def test_a_dumb_terminal_gets_a_plain_prompt_and_no_escape_code(terminal):
    child = terminal(TERM="dumb")
    child.send("a slow question\n")
    child.expect_exact("searching…")
    said = child.before
    child.send(CTRL_C)
    child.expect_exact("Stopped.")
    child.send("where will the leaders meet?\n")
    child.expect_exact("Vladivostok")
    said += child.before
    child.send(CTRL_D)
    child.expect_exact("left")
    assert "\x1b" not in said + child.before


def test_without_colors_none_is_sent(terminal):
    child = terminal()
    child.send("where will the leaders meet?\r")
    child.expect_exact("Vladivostok")
    child.send(CTRL_D)
    child.expect(pexpect.EOF)
    assert re.findall("\x1b\\[(?:[0-9]+;)*[34][0-7]m", child.before) == []
