"""What a power cut, a kill or a bad disk may do to a library, and may not."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from toy import ToyEncoder

from qa import Bot, QaError
from qa.library import Library, database
from qa.passages import for_encoder

ROUNDS = 12

# Adds, changes and removes articles for ever; says on stdout what it is about to do (?) and,
# once the library has acknowledged it, that it is done (!).
WRITER = """
import random, sys
from qa import Bot
from toy import ToyEncoder

seed = int(sys.argv[1])
dice = random.Random(seed)
bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
names = []
for step in range(10**6):
    if names and dice.random() < 0.3:
        name = names.pop(dice.randrange(len(names)))
        print("?", name, "", flush=True)
        bot.remove(name)
        print("!", name, "", flush=True)
        continue
    name = dice.choice(names) if names and dice.random() < 0.3 else f"{seed}-{step}.txt"
    words = " ".join(f"{dice.choice('abcdefgh')}{dice.randrange(99)}" for _ in range(dice.randrange(5, 300)))
    text = f"Title {name}\\n\\n{words}."
    print("?", name, text.encode().hex(), flush=True)
    bot.add_text(text, name)
    print("!", name, text.encode().hex(), flush=True)
    if name not in names:
        names.append(name)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def start_writer(folder, seed, log):
    tests = Path(__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent)])
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(seed)],
        cwd=folder,
        stdout=log,
        env={**os.environ, "PYTHONPATH": path},
    )


def said(log, allowed):
    """Adds to the texts that each article may have now: asked for, or acknowledged alone."""
    for line in log.read_text().splitlines():
        parts = line.split(" ")
        if len(parts) != 3 or (parts[2] and len(parts[2]) % 2):
            continue  # the kill cut the line
        mark, name, text = parts[0], parts[1], bytes.fromhex(parts[2]).decode() or None
        if mark == "!":
            allowed[name] = {text}
        else:
            allowed.setdefault(name, {None}).add(text)


def assert_whole(folder, allowed):
    """The library holds what it may, and each vector is its passage's own, by value."""
    library = Library.open(folder / "lib")
    encoder = ToyEncoder()
    with library.snapshot() as snapshot:
        found = {origin.removeprefix("text:"): article for origin, article in snapshot.everything()}
        for name, texts in allowed.items():
            assert (found[name].text if name in found else None) in texts
        assert set(found) <= set(allowed)
        ids, vectors = [], []
        for name, article in found.items():
            passages = snapshot.passages_of(article.id, f"text:{name}")
            assert passages
            for passage in passages:
                citation = passage.citation
                assert article.text[citation.start : citation.end] == passage.text
                ids.append(passage.id)
                vectors.append(encoder.encode_query(for_encoder(article.title, passage.text)))
        if not ids:
            return
        expected = np.array(vectors).astype(np.float16).astype(np.float32)
        assert np.array_equal(snapshot.vectors_of(ids), expected)
        view = library.vectors(snapshot)
        for passage_id, vector in list(zip(ids, expected, strict=True))[:40]:
            hits = view.search(vector, len(ids) + 10, None)
            assert len(hits) == len(ids)
            assert {found_id for found_id, _ in hits} == set(ids)
            assert dict(hits)[passage_id] == pytest.approx(hits[0][1], abs=1e-3)
    for _name, look in library.examinations():
        look()


def test_killing_the_writer_at_any_moment_loses_and_tears_nothing(folder):
    dice = random.Random(5)
    allowed = {}
    for number in range(ROUNDS):
        log = folder / f"log{number}"
        with log.open("wb") as out:
            writer = start_writer(folder, number, out)
            while not log.read_bytes():
                assert writer.poll() is None
                time.sleep(0.005)
            time.sleep(dice.uniform(0.0, 0.5))
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        said(log, allowed)
        assert_whole(folder, allowed)
    assert len(allowed) > ROUNDS


@pytest.fixture
def filled(folder):
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    for number in range(30):
        words = " ".join(f"w{(number * 7 + place) % 50}" for place in range(40))
        bot.add_text(f"Title {number}\n\n{words}.", f"{number}.txt")
    return folder / "lib"


def asked(library):
    bot = Bot.open(library, encoder=ToyEncoder(), reader=None)
    return [
        [(hit.passage.id, round(hit.score, 3)) for hit in bot.search(f"w{n} w{n + 3}", top_k=10)]
        for n in range(0, 40, 5)
    ]


def damages(data):
    middle = len(data) // 2
    flipped = bytearray(data)
    flipped[middle] ^= 0xFF
    head = bytearray(data)
    head[2] ^= 0xFF
    return {
        "gone": None,
        "empty": b"",
        "cut": data[: middle + 3],
        "a byte short": data[:-1],
        "flipped in the middle": bytes(flipped),
        "flipped at the head": bytes(head),
        "zeroes": b"\0" * len(data),
        "garbage": random.Random(1).randbytes(len(data)),
        "longer": data + b"more",
    }


def test_a_damaged_cache_gives_the_reference_answer_and_is_made_again(filled, caplog):
    reference = asked(filled)
    for kind in damages(b"12345678"):
        (cache,) = filled.glob("vectors-*.faiss")
        damaged = damages(cache.read_bytes())[kind]
        cache.unlink()
        if damaged is not None:
            cache.write_bytes(damaged)
        caplog.clear()
        assert asked(filled) == reference, kind
        assert "was rebuilt from the library" in caplog.text, kind
        caplog.clear()
        assert asked(filled) == reference, kind
        assert caplog.text == "", kind


def test_leftovers_of_a_killed_writer_are_cleared_away(filled):
    leftover = filled / "vectors-9-9.faiss.tmp"
    leftover.write_bytes(b"half")
    Bot.open(filled, encoder=ToyEncoder(), reader=None).add_text("New\n\nSomething new.", "new.txt")
    assert not leftover.exists()
    assert len(list(filled.glob("vectors-*"))) == 1


def test_rows_that_the_cache_does_not_cover_yet_are_found_and_removed_ones_are_not(filled):
    library = Library.open(filled)
    bot = Bot.open(filled, encoder=ToyEncoder(), reader=None)
    library.refresh_cache = lambda **_: None
    bot._library.refresh_cache = lambda **_: None
    before = {path.name for path in filled.glob("vectors-*")}
    bot.add_text("New\n\nzebra zebra zebra.", "new.txt")
    bot.remove("7.txt")
    assert {path.name for path in filled.glob("vectors-*")} == before
    hits = Bot.open(filled, encoder=ToyEncoder(), reader=None).search(
        "zebra", mode="dense", top_k=200
    )
    assert "zebra" in hits[0].passage.text
    assert "7.txt" not in {hit.citation.source for hit in hits}


def test_a_vector_that_is_not_what_was_written_is_named(filled):
    db = database.connect(filled)
    db.execute("UPDATE passages SET vector = zeroblob(length(vector)) WHERE id = 3")
    db.close()
    found = dict(Library.open(filled).examinations())
    with pytest.raises(Exception, match=r"vector of passage 3 .* qa reindex"):
        found["vectors"]()


def test_a_full_disk_is_one_line_and_loses_nothing(filled):
    reference = asked(filled)
    script = (
        "import resource, signal, sys; from qa import Bot; from qa.errors import QaError;"
        "from toy import ToyEncoder; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "bot = Bot.open('lib', encoder=ToyEncoder(), reader=None);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "\ntry: bot.add_text('Big\\n\\n' + 'word ' * 200_000, 'big.txt')"
        "\nexcept QaError as error: print(type(error).__name__, error)"
    )
    tests = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=filled.parent,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])},
    )
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    assert str(filled) in done.stdout
    assert asked(filled) == reference
    with sqlite3.connect(filled / "library.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_where_folders_cannot_be_opened_a_library_is_written(folder, monkeypatch):
    opened = os.open

    def as_on_windows(path, flags, *more, **named):
        if Path(path).is_dir():
            raise PermissionError(13, "Permission denied", path)
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", as_on_windows)
    monkeypatch.delattr(os, "O_DIRECTORY")
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    bot.add_text("Whales\n\nThe blue whale sings.", "whales.txt")
    assert "sings" in bot.search("Which whale sings?")[0].passage.text


@pytest.mark.parametrize(("free", "said"), [(0, "No space left"), (2**30, "is damaged")])
def test_an_error_of_the_disk_is_told_by_the_space_that_is_left(filled, monkeypatch, free, said):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE
    with pytest.raises(QaError, match=said), database.guarded(filled):
        raise error


def test_processes_that_make_the_same_library_at_once_all_get_it(folder):
    script = (
        "import sys; from pathlib import Path; from qa.library import Library;"
        "sys.stdin.readline();"
        "[Library.create(Path(str(n)).resolve(), 'toy', 'toy:1', 256) for n in range(20)]"
    )
    tests = Path(__file__).parent
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(tests.parent)},
        )
        for _ in range(4)
    ]
    for maker in makers:
        maker.stdin.write(b"\n")
        maker.stdin.flush()
    for maker in makers:
        maker.stdin.close()
        assert maker.wait() == 0
    assert {path.name for path in (folder / "0").iterdir()} == {"library.db", "write.lock"}


def test_what_a_killed_process_left_of_a_new_library_is_in_nobodys_way(folder):
    (folder / "lib").mkdir()
    (folder / "lib" / "library.db.tmp").write_bytes(b"half a database")
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    assert bot.add_text("Whales\n\nThe blue whale sings.", "whales.txt").added == 1
    assert not list((folder / "lib").glob("*.tmp*"))
