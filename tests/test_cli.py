"""The command line, from the built wheel, with the real model."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pexpect
import pytest

from qa import cli

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "docs" / "answer.schema.json").read_text())
SUMMIT = (
    "Leaders plan a summit\n\nThe two leaders will meet in Vladivostok in September.\n\n"
    "They will talk about satellites and about food aid.\n"
)
HARBOUR = (
    "---\ntitle: A new harbour\ndate: 2021-05-04\n---\n\n"
    "The town will build a harbour for fishing boats by 2030.\n"
)
EVIL = "\x1b[31mred\x1b]8;;http://evil\x07\x9b2J"

pytestmark = pytest.mark.real


@pytest.fixture
def articles(qa):
    """A folder of two articles where the command runs."""
    folder = qa.folder / "articles"
    folder.mkdir()
    (folder / "summit.txt").write_text(SUMMIT)
    (folder / "harbour.md").write_text(HARBOUR)
    return folder


@pytest.fixture
def library(qa, articles):
    """A library of the two articles, found by its place."""
    qa("add", "-l", ".qa", "articles")
    return qa.folder / ".qa"


def test_one_command_answers_from_a_folder_and_leaves_nothing_in_it(qa, articles):
    done = qa("ask", "where will they meet?", "articles")
    assert "[1] Leaders plan a summit" in done.stdout
    assert "will meet in «Vladivostok»" in done.stdout.replace("\n    ", " ")
    assert "articles/summit.txt:3" in done.stdout
    assert done.stderr == ""
    assert [path.name for path in qa.folder.iterdir()] == ["articles"]


def test_asking_a_folder_again_sees_what_changed_in_it(qa, articles):
    qa("ask", "where will they meet?", "articles")
    (articles / "summit.txt").write_text(SUMMIT.replace("Vladivostok", "Sapporo"))
    done = qa("ask", "where will they meet?", "articles")
    assert "Sapporo" in done.stdout
    assert "Vladivostok" not in done.stdout


def test_a_question_off_every_subject_is_not_answered_and_exits_with_one(qa, library):
    done = qa("ask", "Which enzyme splits lactose in mammals?", code=1)
    assert done.stdout.startswith("Nothing here answers that")
    assert "[1]" in done.stdout


def test_json_is_as_the_schema_says_and_can_be_verified(qa, library, articles):
    done = qa("ask", "where will they meet?", "--json")
    answer = json.loads(done.stdout)
    jsonschema.validate(answer, SCHEMA)
    assert answer["status"] == "answered"
    (qa.folder / "answer.json").write_text(done.stdout)
    assert "exact" in qa("verify", "answer.json").stdout
    (articles / "summit.txt").write_text(SUMMIT.replace("will meet", "may meet"))
    assert "file: changed" in qa("verify", "answer.json", code=1).stdout
    (articles / "summit.txt").unlink()
    assert "file: gone" in qa("verify", "answer.json", code=1).stdout
    qa("remove", "articles/summit.txt")
    assert "library: gone" in qa("verify", "answer.json", code=1).stdout


def test_questions_from_standard_input_give_a_json_line_each_in_order(qa, library):
    done = qa("ask", "-", stdin="Where will they meet?\n\nWho builds a harbour?\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["question"] for answer in answers] == [
        "Where will they meet?",
        "Who builds a harbour?",
    ]
    for answer in answers:
        jsonschema.validate(answer, SCHEMA)


def test_a_question_that_is_none_is_reported_and_the_others_are_answered(qa, library):
    done = qa("ask", "-", "--json", stdin="?!\nWho builds a harbour?\n", code=2)
    assert [json.loads(line)["question"] for line in done.stdout.splitlines()] == [
        "Who builds a harbour?"
    ]
    assert "'?!'" in done.stderr


def test_what_cannot_be_read_exits_with_two_though_the_rest_answers(qa, articles):
    (articles / "more.jsonl").write_text('{"text": "A whale sang."}\n{broken\n')
    for verb in ("ask", "search"):
        done = qa(verb, "where will they meet?", "articles", code=2)
        assert "Vladivostok" in done.stdout
        assert "more.jsonl line 2 is not read" in done.stderr


def test_a_line_that_is_no_question_is_reported_and_the_others_are_searched(qa, library):
    done = qa("search", "-", "--format", "ids", "-k", "1", stdin="?!\nharbour?\n", code=2)
    assert done.stdout.count("\n") == 1
    assert "'?!'" in done.stderr


def test_a_chat_ends_well_when_nobody_reads_it_any_more(qa, library):
    lines = "where will they meet?\n" * 30
    command = f"'{sys.executable}' -m qa chat --no-reader 2>complaints; echo $? >code"
    subprocess.run(
        ["bash", "-c", f"({command}) | head -1"],
        cwd=qa.folder, env=qa.env, input=lines.encode(), check=True, capture_output=True,
    )  # fmt: skip
    assert (qa.folder / "complaints").read_text() == ""
    assert (qa.folder / "code").read_text() == "0\n"


@pytest.mark.parametrize(
    ("redirected", "code", "said"),
    [(">/dev/full", 2, "cannot be written"), (">&-", 0, ""), (">/dev/null 2>&-", 0, "")],
)
def test_a_stream_that_takes_nothing_is_no_fault(qa, library, redirected, code, said):
    command = f"'{sys.executable}' -m qa ask 'Where will they meet?' --no-reader -q {redirected}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=qa.folder, env=qa.env, check=False, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == code
    assert said in done.stderr
    assert "fault" not in done.stderr


def test_reading_with_one_search_alone_is_an_error(qa, library):
    done = qa("ask", "a harbour?", "--reader", "default", "--mode", "dense", code=2)
    assert "Reading goes with hybrid mode" in done.stderr


def test_reading_and_not_reading_exclude_each_other(qa, library):
    done = qa("ask", "a harbour?", "--reader", "default", "--no-reader", code=2)
    assert "either --reader or --no-reader" in done.stderr


def test_without_reading_no_words_are_marked(qa, library):
    done = qa("ask", "where will they meet?", "--no-reader")
    assert "Vladivostok" in done.stdout
    assert "«" not in done.stdout


@pytest.mark.real
def test_confidence_is_fitted_to_questions_of_ones_own_and_back(qa, library):
    lines = [
        {"question": text, "source": "harbour" if "harbour" in text else "summit"}
        for text in (
            "where will they meet?", "who plans a summit?", "who meets?", "when is the summit?",
            "who builds a harbour?", "what is built at the harbour?", "when is the harbour built?",
        )
    ]  # fmt: skip
    lines += [
        {"question": text, "answerable": False}
        for text in (
            "capital of mongolia", "why do cats purr?", "who invented the telephone?",
            "how long is a marathon?", "sourdough temperature", "who won the chess title?",
        )
    ]  # fmt: skip
    (qa.folder / "own.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    def sure(*options):
        done = qa("ask", "why do cats purr?", "--json", *options, code=1)
        return json.loads(done.stdout)["confidence"]

    before = sure(), sure("--no-reader")
    told = qa("calibrate", "own.jsonl").stdout
    assert "13 questions asked" in told
    assert sure() != before[0]
    assert sure("--no-reader") == before[1]
    assert qa("calibrate", "--reset").stdout == "Forgotten.\n"
    assert (sure(), sure("--no-reader")) == before
    assert qa("calibrate", "--reset").stdout == "There was none of your own.\n"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"question": "who?"}', "neither answers nor a source"),
        ("{", "own.jsonl line 1 is no question"),
        ('{"question": "who?", "answers": "he"}', "answers are a list"),
        ('{"question": "who?", "answers": ["he"]}', "of each are needed"),
    ],
)
def test_questions_that_nothing_can_be_fitted_to_are_an_error(qa, library, line, said):
    (qa.folder / "own.jsonl").write_text(f"{line}\n")
    assert said in qa("calibrate", "own.jsonl", code=2).stderr


def test_calibrating_wants_a_file_or_to_forget(qa, library):
    assert "Give either a file" in qa("calibrate", code=2).stderr
    assert "Cannot read none.jsonl" in qa("calibrate", "none.jsonl", code=2).stderr


def test_bytes_that_are_no_text_are_asked_as_far_as_they_go(qa, library):
    qa("ask", b"where will they meet\xff?".decode("utf-8", "surrogateescape"))
    assert qa("ask", "-", stdin=b"where will they meet \xff?\n").stdout.count("\n") == 1


def test_answers_come_as_markdown_and_with_their_signals(qa, library):
    assert qa("ask", "a harbour?", "--format", "md").stdout.startswith("## a harbour?\n")
    assert "cosine" in qa("ask", "a harbour?", "--explain").stdout


def test_filters_choose_among_articles(qa, library):
    found = qa("search", "harbour", "--since", "2021", "--until", "2021-05", "--json")
    assert {hit["citation"]["source"] for hit in json.loads(found.stdout)} == {
        "articles/harbour.md"
    }
    assert qa("search", "harbour", "--source", "summit", "--json").stdout.count("harbour") == 0
    assert qa("search", "harbour", "--since", "2022", code=1).stdout == "\n"
    assert "is no date" in qa("search", "harbour", "--since", "soon", code=2).stderr
    assert "exchange" in qa("ask", "x", "--since", "2022", "--until", "2021", code=2).stderr


def test_the_library_is_the_named_one_or_the_nearest_or_the_users_own(qa, library):
    below = qa.folder / "deep" / "er"
    below.mkdir(parents=True)
    home = qa.folder
    qa.folder = below
    assert str(library) in qa("status").stdout
    qa.folder = home.parent
    assert "No library at" in qa("status", code=3).stderr
    assert str(library) in qa("status", env={"QA_LIBRARY": str(library)}).stdout
    assert str(library) in qa("status", "-l", library).stdout


def test_search_writes_places_that_show_takes_and_json_lines(qa, library):
    places = qa("search", "where will they meet?", "--format", "ids", "-k", "2").stdout.splitlines()
    assert len(places) == 2
    assert "Vladivostok" in qa("show", places[0]).stdout
    lines = qa(
        "search", "where will they meet?", "--format", "jsonl", "-k", "2"
    ).stdout.splitlines()
    hits = json.loads(qa("search", "where will they meet?", "--json", "-k", "2").stdout)
    assert [json.loads(line) for line in lines] == hits
    assert places[0] == "{article_id}#{start}-{end}".format(**hits[0]["citation"])
    batch = qa("search", "-", "--format", "ids", "-k", "1", stdin="where do they meet?\nharbour?\n")
    assert len(batch.stdout.splitlines()) == 2
    none = qa("search", "harbour", "--source", "nowhere", "--format", "ids", code=1)
    assert none.stdout == ""


def test_articles_are_listed_shown_and_removed(qa, library):
    listed = json.loads(qa("list", "--json").stdout)
    assert [(row["title"], row["date"]) for row in listed] == [
        ("A new harbour", "2021-05-04"),
        ("Leaders plan a summit", None),
    ]
    assert listed[0]["article_id"] in qa("list").stdout
    shown = qa("show", "articles/summit.txt:3").stdout
    assert "┃ The two leaders will meet in Vladivostok" in shown
    assert qa("show", "--noise", "summit.txt").stdout == "1: headline: Leaders plan a summit\n"
    assert "removed 1 article." in qa("remove", "articles/summit.txt").stderr
    assert json.loads(qa("status", "--json").stdout)["articles"] == 1


def test_open_without_a_terminal_says_the_place(qa, library, articles):
    done = qa("open", "summit.txt:3", env={"EDITOR": "vi"})
    assert done.stdout == f"{articles / 'summit.txt'}:3\n"


def test_open_starts_the_editor_at_the_line(qa, library, articles):
    editor = qa.folder / "editor"
    editor.write_text('#!/bin/sh\necho "$@" > opened\n')
    editor.chmod(0o755)
    env = {**qa.env, "EDITOR": str(editor), "VISUAL": "", "TERM": "xterm"}
    arguments = ["-m", "qa", "open", "articles/summit.txt:3"]
    with pexpect.spawn(sys.executable, arguments, cwd=str(qa.folder), env=env) as terminal:
        terminal.expect(pexpect.EOF)
    assert (qa.folder / "opened").read_text().split() == ["+3", str(articles / "summit.txt")]


def test_text_from_standard_input_is_added(qa, library):
    qa("add", "-", stdin="Whales\n\nBlue whales sing at night.\n")
    assert "Blue whales sing" in qa("ask", "when do whales sing?").stdout


def test_add_reports_what_it_did_on_stderr_or_as_json(qa, articles):
    (articles / "empty.txt").write_text("")
    (articles / ".hidden.txt").write_text("x")
    (articles / "photo.txt").write_bytes(bytes(range(256)) * 20)
    done = qa("add", "-l", "lib", "articles", code=2)
    assert done.stdout == ""
    assert "2 articles added" in done.stderr
    assert "empty.txt" in done.stderr
    assert "1 hidden" in done.stderr
    report = json.loads(qa("add", "-l", "lib", "--json", "articles", code=2).stdout)
    assert (report["added"], report["unchanged"], len(report["failed"])) == (0, 2, 1)


def test_a_page_that_cannot_be_had_is_reported_and_the_files_are_added(qa, articles):
    dead = "http://127.0.0.1:9/page"  # the discard port: closed
    done = qa("add", "-l", "lib", "--json", "articles", dead, code=2)
    report = json.loads(done.stdout)
    assert (report["added"], len(report["failed"])) == (2, 1)
    assert f"{dead} cannot be fetched" in done.stderr


def test_a_name_mistyped_leaves_no_library_behind(qa, articles):
    assert "artcles" in qa("add", "-l", "lib", "artcles", code=2).stderr
    assert "empty name" in qa("add", "-l", "lib", "", code=2).stderr
    assert not (qa.folder / "lib").exists()


def test_doctor_finds_nothing_wrong_and_then_the_damage(qa, library):
    assert "BAD" not in qa("doctor").stdout
    (cache,) = library.glob("vectors-*.faiss")
    cache.write_bytes(b"\0" * 100)
    assert "BAD vector cache" in qa("doctor", code=3).stdout
    (library / "library.db").write_bytes(b"\0" * 9000)
    assert "BAD library" in qa("doctor", code=3).stdout


def test_errors_are_one_line_with_the_next_step_and_the_exit_code_of_their_kind(qa, articles):
    (qa.folder / "bare").mkdir()
    qa("add", "-l", "made", "articles")
    for arguments, code, said in (
        (("ask", "x"), 3, "Make one: qa add ARTICLES"),
        (("ask", "x", "nowhere"), 2, "nowhere"),
        (("ask", "x", "bare"), 2, "No articles in bare"),
        (("add", "nowhere"), 2, "nowhere"),
        (("ask", "", "articles"), 2, "The question is empty"),
        (("ask", "y" * 10_000, "articles"), 2, "10,000 characters"),
        (("ask",), 2, "question"),
        (("ask", "x", "articles", "-k", "0"), 2, "--top-k"),
        (("ask", "x", "articles", "--mode", "psychic"), 2, "psychic"),
        (("frobnicate",), 2, "frobnicate"),
        (("verify", "-l", "made", "nowhere.json"), 2, "nowhere.json"),
        (("add", "-l", "lib", "--model", "no/such-model", "articles"), 2, "no/such-model"),
    ):
        done = qa(*arguments, code=code, env={"HF_HUB_OFFLINE": "1"})
        assert done.stdout == ""
        assert said.casefold() in done.stderr.casefold(), arguments
        assert done.stderr.count("\n") == 1, done.stderr


def test_control_characters_of_articles_are_shown_and_never_obeyed(qa):
    folder = qa.folder / "articles"
    folder.mkdir()
    (folder / f"{EVIL.replace('/', '')}.txt").write_text(f"Title {EVIL}\n\nWhales sing {EVIL}.\n")
    outputs = [
        qa("ask", "Do whales sing?", "articles", "--min-confidence", "0", "--explain"),
        qa("add", "-l", ".qa", "articles"),
        qa("list"),
        qa("search", "whales"),
        qa("show", "--all", json.loads(qa("list", "--json").stdout)[0]["article_id"]),
        qa("ask", "Do whales sing?", "--format", "md", "--min-confidence", "0"),
    ]
    for done in outputs:
        assert not {"\x1b", "\x07", "\x9b"} & set(done.stdout + done.stderr)
    assert "␛[31mred" in outputs[0].stdout


def test_a_closed_pipe_is_no_error(qa, library):
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    done = subprocess.run(
        [sys.executable, "-m", "qa", "ask", "where will they meet?"],
        cwd=qa.folder, env=qa.env, stdout=reader.stdin, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    reader.stdin.close()
    reader.wait()
    assert (done.returncode, done.stderr) == (0, b"")


def test_an_interrupted_add_exits_with_130_keeps_what_was_done_and_goes_on_later(qa):
    many = qa.folder / "many.jsonl"
    line = json.dumps({"text": "The harbour is for boats. " * 60})
    many.write_text(f"{line}\n" * 2000)
    process = subprocess.Popen(
        [sys.executable, "-m", "qa", "add", "-l", "lib", "many.jsonl"],
        cwd=qa.folder, env=qa.env, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not (qa.folder / "lib" / "library.db").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.decode().count("\n") == 1
    assert "kept" in stderr.decode()
    assert "BAD" not in qa("doctor", "-l", "lib").stdout


def test_output_has_no_colour_and_no_links_unless_a_terminal_wants_them(qa, library):
    assert "\x1b" not in qa("ask", "where will they meet?").stdout


def test_a_terminal_opens_a_citation_from_the_file_that_was_read(qa, library, articles):
    elsewhere = qa.folder / "elsewhere" / "articles"
    elsewhere.mkdir(parents=True)
    (elsewhere / "summit.txt").write_text("Another summit\n\nNobody will come.\n")
    command = ["-m", "qa", "search", "-l", str(library), "-k", "1", "Vladivostok"]
    env = {**qa.env, "TERM": "xterm"}
    with pexpect.spawn(
        sys.executable, command, cwd=str(elsewhere.parent), env=env, encoding="utf-8"
    ) as terminal:
        terminal.expect(pexpect.EOF)
    assert (
        f"\x1b]8;;{(articles / 'summit.txt').as_uri()}\x1b\\articles/summit.txt" in terminal.before
    )


def test_shells_complete_commands(qa):
    assert "complete" in qa(env={"_QA_COMPLETE": "source_bash"}).stdout
    words = {"_QA_COMPLETE": "complete_bash", "COMP_WORDS": "qa sea", "COMP_CWORD": "1"}
    assert qa(env=words).stdout == "search\n"


def test_the_version_is_the_packages(qa):
    assert qa("--version").stdout == "qa 0.1.0\n"


def test_a_fault_of_our_own_is_one_line_too_and_its_traceback_is_for_the_asking(
    monkeypatch, capsys
):
    monkeypatch.setattr("qa.bot.Bot.open", lambda *_, **__: 1 // 0)
    assert cli.run(["status"]) == 2
    assert capsys.readouterr().err.startswith("qa: ZeroDivisionError: ")
    monkeypatch.setenv("QA_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        cli.run(["status"])


def test_a_library_that_may_not_be_looked_into_is_one_line(monkeypatch, capsys):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    assert cli.run(["status", "-l", "closed"]) == 3
    assert "Give yourself access" in capsys.readouterr().err
