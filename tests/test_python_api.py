"""The package as a product: typed, light to import, safe to share, and quiet."""

import asyncio
import inspect
import logging
import re
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pages
import pytest
from toy import ToyEncoder

from qa import Bot, Filters, QaError

ROOT = pages.ROOT
ARTICLES = ROOT / "tests" / "data" / "own" / "articles"
WRONG = """
import asyncio
from qa import Bot

bot = Bot.open("library")
bot.ask(3)
answer = bot.aask("where?")
answer.hits
asyncio.run(bot.aask("where?", topk=3))
"""


class SlowEncoder(ToyEncoder):
    """Takes half a second for a question."""

    def encode_query(self, text):
        time.sleep(0.5)
        return super().encode_query(text)


@pytest.fixture
def bot(tmp_path):
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=None, create=True)
    bot.add_text("Summit\n\nThe two leaders will meet in Vladivostok.", "summit.txt")
    return bot


async def test_every_verb_has_a_twin_that_gives_the_same(bot):
    await bot.aadd_text("Harbour\n\nThe town will build a harbour.", "harbour.txt")
    assert (await bot.astatus()).articles == 2
    assert await bot.aarticles() == bot.articles()
    found = await bot.aask("Where will they meet?", top_k=1, filters=Filters(sources=("summit",)))
    asked = bot.ask("Where will they meet?", top_k=1, filters=Filters(sources=("summit",)))
    assert (found.hits, found.confidence) == (asked.hits, asked.confidence)
    assert await bot.asearch("harbour") == bot.search("harbour")
    assert await bot.ashow(found.hits[0].citation) == bot.show(found.hits[0].citation)
    assert await bot.aremove("harbour.txt") == 1
    with pytest.raises(QaError, match="No article 'harbour"):
        await bot.ashow("harbour.txt")


def test_each_twin_is_named_and_signed_like_its_verb():
    twins = [name for name in vars(Bot) if inspect.iscoroutinefunction(getattr(Bot, name))]
    assert len(twins) == 9
    for name in twins:
        assert getattr(Bot, name).__name__ == name
        assert inspect.signature(getattr(Bot, name)) == inspect.signature(getattr(Bot, name[1:]))
        assert name[1:] in getattr(Bot, name).__doc__


async def test_the_loop_goes_on_while_a_question_is_answered(tmp_path):
    bot = Bot.open(tmp_path / "lib", encoder=SlowEncoder(), reader=None, create=True)
    asked = asyncio.create_task(bot.asearch("who sleeps?"))
    turns = 0
    while not asked.done():
        await asyncio.sleep(0.01)
        turns += 1
    assert turns > 5
    assert asked.result() == []


@pytest.mark.real
def test_threads_that_share_a_bot_from_its_first_question_get_the_answers_of_one(tmp_path):
    questions = ["Who will open the bridge?", "What did the bridge cost?", "Who painted it?"] * 2
    first = Bot.open(tmp_path / "lib", create=True)
    for name in ("bridge-council.txt", "bridge-gazette.txt"):
        first.add_text((ARTICLES / name).read_text(), name)
    alone = Bot.open(tmp_path / "lib")
    expected = [alone.ask(question).hits for question in questions]
    shared, start = Bot.open(tmp_path / "lib"), threading.Barrier(3)

    def asked(share):
        start.wait()
        return [shared.ask(question).hits for question in questions[share::3]]

    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(asked, range(3)))
    for share in range(3):
        assert found[share] == expected[share::3]


def test_logging_is_the_standard_one_and_is_left_as_it_was(bot, caplog):
    root, ours = logging.getLogger(), logging.getLogger("qa")
    before = (root.level, list(root.handlers), ours.level, list(ours.handlers), ours.propagate)
    (cache,) = bot.status().path.glob("vectors-*")
    cache.write_bytes(b"damaged")
    again = Bot.open(bot.status().path, encoder=ToyEncoder(), reader=None)
    assert again.search("leaders")
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("qa.library.vectors", "WARNING")
    ]
    after = (root.level, list(root.handlers), ours.level, list(ours.handlers), ours.propagate)
    assert after == before


def test_importing_the_package_imports_nothing_but_a_door(qa):
    spy = (
        "import sys; old = set(sys.modules); import qa;"
        "print(*({name.partition('.')[0] for name in set(sys.modules) - old}"
        " - sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-c", spy], cwd=qa.folder, env=qa.env, capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stdout.split() == ["qa"]


CHECKERS = {
    "mypy": ["--config-file", ROOT / "pyproject.toml", "--cache-dir", ROOT / ".mypy_cache"],
    "basedpyright": ["--level", "error", "--pythonpath", sys.executable],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_type_checkers_pass_the_example_and_find_what_is_wrong(checker, tmp_path):
    shutil.copy(ROOT / "docs" / "example.py", tmp_path / "example.py")
    (tmp_path / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-m", checker, *CHECKERS[checker], "example.py", "wrong.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    complaints = re.findall(r"(\w+)\.py:(\d+)\b.*\berror\b", done.stdout)
    assert complaints == [("wrong", "6"), ("wrong", "8"), ("wrong", "9")], done.stdout


@pytest.mark.real
def test_the_example_embeds_it_in_twenty_lines(tmp_path):
    lines = (ROOT / "docs" / "example.py").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 20
    shutil.copytree(ROOT / "seeds", tmp_path / "articles")

    def example(*arguments):
        return subprocess.run(
            [sys.executable, ROOT / "docs" / "example.py", *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert "train" in example("articles", "How does Kim travel?").stdout
    assert example("articles", "Who painted the ceiling?").stdout == "Nothing here answers that.\n"
    wrong = example("nowhere", "Where?")
    assert (wrong.returncode, wrong.stderr[:9]) == (1, "example: ")


@pytest.mark.real
def test_the_page_about_python_is_true(tmp_path):
    shutil.copytree(ROOT / "seeds", tmp_path / "articles")
    pages.run("python.md", tmp_path)
