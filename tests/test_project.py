"""Laws of the project itself: what is public, what is packed, what the documents promise."""

import doctest
import importlib
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pages
import pytest
import typer
from help_pages import page
from installed import build

import qa as package
from qa.cli import app

ROOT = Path(__file__).parent.parent


def test_the_public_names_are_these():
    assert package.__all__ == [
        "Answer", "Article", "Bot", "Carried", "Citation", "Conversation", "Filters", "Hit",
        "Passage", "QaError", "Span",
    ]  # fmt: skip
    for name in package.__all__:
        assert getattr(package, name).__name__ == name


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = package.nothing


@pytest.mark.real
def test_the_examples_in_the_docstrings_are_true(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tried = 0
    for info in pkgutil.walk_packages(package.__path__, "qa."):
        if info.name != "qa.__main__":
            found = doctest.testmod(importlib.import_module(info.name))
            assert found.failed == 0, info.name
            tried += found.attempted
    assert doctest.testmod(package).failed == 0
    assert tried >= 4


def test_the_wheel_holds_both_packages_and_no_articles_tests_or_tools(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"qa", "embeddings", "article_qa-0.1.0.dist-info"}
    sources = {
        path.relative_to(ROOT).as_posix()
        for folder in ("qa", "embeddings")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {name for name in names if not name.startswith("article_qa")} == sources
    assert {"qa/py.typed", "embeddings/py.typed"} <= sources


def test_the_image_is_built_from_files_that_are_there_and_enough(wheel, tmp_path):
    context = tmp_path / "context"
    context.mkdir()
    text = (ROOT / "Dockerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            if (ROOT / source).is_dir():
                unread = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / source, context / target, symlinks=True, ignore=unread)
            else:
                (context / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, context / target)
    built = build(tmp_path / "out", context)
    with zipfile.ZipFile(built) as small, zipfile.ZipFile(wheel) as whole:
        assert sorted(small.namelist()) == sorted(whole.namelist())
        schema = small.read("qa/answer.schema.json")
    assert schema == (ROOT / "docs" / "answer.schema.json").read_bytes()


def test_a_linter_finds_nothing_in_the_dockerfile():
    linter = Path(sys.executable).parent / "hadolint"
    done = subprocess.run(
        [linter, ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_another_package_named_embeddings_is_named_as_the_intruder(qa, tmp_path):
    intruder = tmp_path / "intruder"
    (intruder / "embeddings").mkdir(parents=True)
    (intruder / "embeddings" / "__init__.py").write_text("")
    path = f"{intruder}:{qa.env['PYTHONPATH']}"
    done = qa("status", code=2, env={"PYTHONPATH": path})
    assert str(intruder) in done.stderr
    assert "pip uninstall embeddings" in done.stderr


def test_the_help_pages_in_the_documents_are_those_of_the_commands():
    assert (ROOT / "docs" / "commands.md").read_text() == page(), (
        "Write them anew: python tests/help_pages.py"
    )


@pytest.mark.real
@pytest.mark.parametrize(("name", "least"), [("README.md", 15), ("docs/pipes.md", 5)])
def test_every_command_of_a_page_works_and_says_what_is_shown(name, least, qa, tmp_path):
    shutil.copytree(ROOT / "seeds", qa.folder / "articles")
    assert pages.converse(ROOT / name, qa, tmp_path) > least


@pytest.mark.parametrize("path", sorted((ROOT / "docs").glob("*.md")), ids=lambda path: path.name)
def test_every_command_of_a_page_has_the_options_that_are_shown(path):
    root = typer.main.get_command(app)
    for shown, _ in pages.sessions(path.read_text()):
        for words in re.findall(r"(?:^|\|\s*|&& |do )qa ([^|;&<>]*)", shown):
            name, *rest = shlex.split(words.replace("$@", "x"))
            if name.startswith("-"):
                root.make_context("qa", [name], resilient_parsing=True)
            else:
                root.commands[name].make_context(name, rest)


def test_the_make_targets_of_the_readme_exist():
    text = (ROOT / "README.md").read_text()
    targets = {line.split()[1] for line, _ in pages.sessions(text) if line.startswith("make ")}
    assert {"ask", "test"} <= targets
    for target in targets:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch):
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    shutil.copytree(ROOT / "seeds", tmp_path / "articles")
    done = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Vladivostok" in done.stdout


def test_nothing_but_tests_and_documents_names_the_sample_articles():
    words = re.compile("vladivostok|putin|shoigu|kremlin|kim jong", re.IGNORECASE)
    for folder in ("qa", "embeddings"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not words.search(path.read_text()), path
