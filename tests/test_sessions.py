import json

import pytest

from qa import locations, sessions
from qa.conversation import NOTHING_BEFORE, Conversation, Turn
from qa.errors import QaError

TALK = Conversation((Turn("Who is Ada?", "Who is Ada?", ("Ada Lind",)), Turn("why?", "why Ada?")))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(locations, "sessions", lambda: tmp_path / "sessions")
    return tmp_path / "sessions"


def test_what_is_kept_comes_back_and_is_the_users_alone(folder):
    sessions.save("work", NOTHING_BEFORE, TALK)
    assert sessions.load("work") == TALK
    assert (folder / "work.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["work.json"]


def test_a_session_begins_empty_is_listed_and_is_forgotten():
    assert sessions.load("work") == Conversation()
    assert sessions.names() == []
    sessions.save("work", NOTHING_BEFORE, TALK)
    sessions.save("a.b-c", NOTHING_BEFORE, TALK)
    assert sessions.names() == ["a.b-c", "work"]
    sessions.forget("work")
    assert sessions.names() == ["a.b-c"]
    with pytest.raises(QaError, match="no session 'work'"):
        sessions.forget("work")


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a" * 65, "-x", "a\n"])
def test_a_name_that_could_be_another_file_is_refused(name):
    with pytest.raises(QaError, match="is no name for a session"):
        sessions.load(name)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"question": "a"}]', "\udcff"])
def test_a_damaged_session_says_how_to_begin_anew(folder, text):
    folder.mkdir()
    (folder / "work.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(QaError, match="qa sessions --forget work"):
        sessions.load("work")


def test_a_folder_that_cannot_be_written_is_named(folder):
    folder.write_text("a file")
    with pytest.raises(QaError, match="cannot be kept in"):
        sessions.save("work", NOTHING_BEFORE, TALK)


def test_turns_of_processes_that_share_a_session_are_all_kept(folder):
    first, second = (Turn(text, text) for text in ("Who came?", "Who left?"))
    sessions.save("work", NOTHING_BEFORE, TALK)
    sessions.save("work", TALK, Conversation((*TALK.turns, first)))
    sessions.save("work", TALK, Conversation((*TALK.turns, second)))
    assert sessions.load("work").turns == (*TALK.turns, first, second)
    edited = Conversation((TALK.turns[0], second))
    sessions.save("work", TALK, edited)
    assert sessions.load("work").turns == (*TALK.turns, first, second, second)
    sessions.save("work", sessions.load("work"), edited)
    assert sessions.load("work") == edited
    sessions.save("work", TALK, NOTHING_BEFORE)
    assert sessions.load("work") == NOTHING_BEFORE


@pytest.mark.real
def test_a_question_that_is_no_utf_8_is_kept_and_understood(qa, folder):
    (qa.folder / "visit.txt").write_text("A visit\n\nPresident Ada Lind travels to Geneva.\n")
    qa("add", "-l", ".qa", "visit.txt")
    ask = ("ask", "-l", ".qa", "--no-reader", "--json", "--session", "s", "--min-confidence", "0")
    for text in (b"Who goes to the caf\xe9?", b"And will he go to the caf\xe9?"):
        answer = json.loads(qa(*ask, text.decode("utf-8", "surrogateescape")).stdout)
        assert "the caf?" in answer["question"]
    assert len(qa("sessions", "s").stdout.splitlines()) == 2


@pytest.mark.real
def test_one_shot_questions_share_a_session(qa):
    (qa.folder / "visit.txt").write_text(
        "A visit\n\nPresident Ada Lind travels to Geneva by train.\n\nLind stays for two days.\n"
    )
    qa("add", "-l", ".qa", "visit.txt")
    ask = ("ask", "-l", ".qa", "--no-reader", "--json", "--session", "trip")
    assert json.loads(qa(*ask, "Who travels to Geneva?").stdout)["carried"] == []
    answer = json.loads(qa(*ask, "how long does she stay?").stdout)
    assert answer["understood_as"] == "how long does Ada Lind stay? (Geneva)"
    assert answer["carried"][0] == {"text": "Ada Lind", "stands_for": "she", "turn": 1}
    assert qa("sessions").stdout == "trip\n"
    assert qa("sessions", "trip").stdout.splitlines() == [
        "Who travels to Geneva?",
        "how long does Ada Lind stay? (Geneva)",
    ]
    chat = qa("chat", "-l", ".qa", "--no-reader", "--session", "trip", stdin="and why?\n/context\n")
    assert chat.stdout.splitlines()[-4:-1] == [
        "how long does Ada Lind stay? (Geneva)",
        "and why? (Ada Lind, Geneva)",
        "Persons found last: Ada Lind",
    ]
    assert qa("sessions", "trip").stdout.splitlines()[2:] == ["and why? (Ada Lind, Geneva)"]
    assert "is no name for a session" in qa("chat", "--session", "../up", code=2).stderr
    qa("sessions", "--forget", "trip")
    assert qa("sessions").stdout == ""
    assert "See which there are: qa sessions" in qa("sessions", "trip", code=2).stderr
