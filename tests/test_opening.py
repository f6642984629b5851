import dataclasses
import io
import sys

import pytest

from qa.errors import QaError
from qa.model import Citation, text_sha256
from qa.opening import Browse, Edit, Tell, line_in_file, open_citation, opening

TEXT = "Title\n\nFirst paragraph.\n\nThey will meet in Vladivostok.\n"
START = TEXT.index("They")
WORDS = TEXT[START:-1]
CITATION = Citation(
    article_id="a",
    title="Title",
    source="news/a.txt",
    date=None,
    url="https://example.org/a",
    paragraph=3,
    line=5,
    start=START,
    end=START + len(WORDS),
    sha256=text_sha256(WORDS),
)
FILE = "/news/a b.txt"
TERMINAL = {"TERM": "xterm"}


@pytest.fixture(autouse=True)
def _not_a_mac(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "a b.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("editor", "argv"),
    [
        ("vi", ("vi", "+5", "/news/a b.txt")),
        ("emacsclient -t", ("emacsclient", "-t", "+5", "/news/a b.txt")),
        ("/usr/bin/code --wait", ("/usr/bin/code", "--wait", "--goto", "/news/a b.txt:5")),
        ("hx", ("hx", "/news/a b.txt:5")),
        ("'my editor'", ("my editor", "+5", "/news/a b.txt")),
    ],
)
def test_an_editor_is_told_the_line_in_its_own_way(editor, argv):
    assert opening(CITATION, FILE, 5, {**TERMINAL, "EDITOR": editor}) == Edit(argv)


def test_without_a_line_the_file_is_opened_at_its_top():
    assert opening(CITATION, FILE, None, {**TERMINAL, "EDITOR": "vi"}) == Edit(("vi", FILE))


def test_the_visual_editor_goes_first_but_not_on_a_dumb_terminal():
    env = {"VISUAL": "vi", "EDITOR": "ed"}
    assert opening(CITATION, FILE, 5, {**env, "TERM": "xterm"}) == Edit(("vi", "+5", FILE))
    assert opening(CITATION, FILE, 5, {**env, "TERM": "dumb"}) == Edit(("ed", "+5", FILE))


def test_without_an_editor_the_place_is_told():
    assert opening(CITATION, FILE, 5, TERMINAL) == Tell("/news/a b.txt:5")
    assert opening(CITATION, FILE, None, {**TERMINAL, "EDITOR": " "}) == Tell("/news/a b.txt")


def test_an_article_from_the_web_is_opened_in_the_browser_if_there_is_one():
    assert opening(CITATION, None, None, {"DISPLAY": ":0"}) == Browse("https://example.org/a")
    assert opening(CITATION, None, None, TERMINAL) == Tell("https://example.org/a")
    fetched = dataclasses.replace(CITATION, url=None)
    assert opening(fetched, "https://example.org/b", None, {"DISPLAY": ":0"}) == Browse(
        "https://example.org/b"
    )


def test_a_page_on_disk_is_opened_in_the_browser_if_there_is_one():
    page = "/news/a b.html"
    env = {**TERMINAL, "EDITOR": "vi"}
    assert opening(CITATION, page, None, {**env, "DISPLAY": ":0"}) == Browse(
        "file:///news/a%20b.html"
    )
    assert opening(CITATION, page, None, env) == Edit(("vi", page))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "--help", None])
def test_no_address_but_the_webs_is_followed(url):
    citation = dataclasses.replace(CITATION, url=url)
    assert opening(citation, None, None, {"DISPLAY": ":0"}) == Tell("news/a.txt")


def test_an_editor_that_is_no_command_is_an_error_that_says_so():
    with pytest.raises(QaError, match=r"'vi \"' is no command \(No closing quotation\)"):
        opening(CITATION, FILE, 5, {**TERMINAL, "EDITOR": 'vi "'})


def test_the_line_is_known_while_the_file_still_says_what_is_cited(file):
    assert line_in_file(CITATION, file) == 5
    file.write_text("A new first line\n" + TEXT, encoding="utf-8")
    assert line_in_file(CITATION, file) is None


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_line_is_known_in_other_encodings_too(file, encoding):
    file.write_text(TEXT, encoding=encoding)
    assert line_in_file(CITATION, file) == 5


@pytest.mark.parametrize("data", [b"", bytes(range(32)) * 9])
def test_a_file_that_is_no_longer_text_has_no_line(file, data):
    file.write_bytes(data)
    assert line_in_file(CITATION, file) is None


def test_a_file_that_is_gone_is_an_error_that_names_it(tmp_path):
    with pytest.raises(QaError, match=r"gone\.txt cannot be opened: No such file"):
        open_citation(CITATION, str(tmp_path / "gone.txt"))


def test_the_editor_gets_the_file_at_the_line(file, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("VISUAL", "vi")
    ran = []
    assert open_citation(CITATION, str(file), run=lambda argv: ran.append(argv) or 0) == ""
    assert ran == [("vi", "+5", str(file))]
    assert open_citation(CITATION, str(file), run=lambda _: 3) == "vi ended with code 3."


def test_an_editor_that_is_not_there_is_an_error_that_names_it(file, monkeypatch):
    def run(argv):
        raise FileNotFoundError(2, "No such file or directory", argv[0])

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("VISUAL", "nowhere")
    with pytest.raises(QaError, match="'nowhere' cannot be run: No such file or directory"):
        open_citation(CITATION, str(file), run=run)


def test_without_a_terminal_no_editor_is_run(file, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("VISUAL", "vi")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert open_citation(CITATION, str(file)) == f"{file}:5"


def test_an_address_that_no_browser_takes_is_told(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_citation(CITATION, None, browse=lambda _: False) == "https://example.org/a"
    assert open_citation(CITATION, None, browse=lambda _: True) == ""


def test_control_characters_of_a_place_are_told_as_text():
    citation = dataclasses.replace(CITATION, url=None, source="a\x1b[2Jb")
    assert open_citation(citation, None) == "a␛[2Jb"
