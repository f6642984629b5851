"""The server as a process, on real sockets: what only shows there."""

import contextlib
import json
import logging
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import httpx
import pytest
from serving import ToyReader, running_server, toy_bot
from toy import ToyEncoder

from qa import Bot
from qa.model import text_sha256
from qa.server.settings import Limits, Settings

QUESTION = {"question": "Where will the leaders meet?"}
ANY = Settings(port=0)


@pytest.fixture
def bot(tmp_path):
    return toy_bot(tmp_path / "lib")


@contextlib.contextmanager
def serving(qa, *arguments, env=None):
    """A process `qa serve`, its address, and afterwards what it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "qa", "serve", "--port", "0", *map(str, arguments)],
        cwd=qa.folder, env={**qa.env, **(env or {})}, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    said = []
    try:
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield process, address, said
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        said += [out, err]
        assert "Traceback" not in err, err


def connected(address):
    host, port = address.removeprefix("http://").rstrip("/").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20)


def until_closed(connection):
    """All that comes until the server closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def alive(address):
    return httpx.post(f"{address}v1/ask", json=QUESTION).json()["status"] == "answered"


@pytest.mark.real
def test_the_command_serves_until_it_is_interrupted_and_through_changes_of_its_library(qa):
    (qa.folder / "a.txt").write_text("A summit\n\nThe leaders will meet in Geneva.\n")
    qa("add", "-l", "lib", "a.txt")
    asked = json.loads(qa("ask", "-l", "lib", QUESTION["question"], "--json").stdout)
    with serving(qa, "-l", "lib") as (process, address, said):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        url = f"{address}v1/ask"
        answer = httpx.post(url, json=QUESTION).json()
        assert {**answer, "took_ms": None} == {**asked, "took_ms": None}
        # Another process adds; then the library goes, and another comes in its place.
        (qa.folder / "b.txt").write_text("A storm\n\nRain is expected in Bergen.\n")
        qa("add", "-l", "lib", "b.txt")
        rain = {"question": "Where is rain expected?"}
        assert "Bergen" in httpx.post(url, json=rain).json()["hits"][0]["text"]
        shutil.move(qa.folder / "lib", qa.folder / "away")
        gone = httpx.post(url, json=rain)
        assert (gone.status_code, gone.json()["type"]) == (503, "urn:qa:problem:missing-library")
        (qa.folder / "c.txt").write_text("A storm\n\nRain is expected in Narvik.\n")
        qa("add", "-l", "lib", "c.txt")
        qa("add", "-l", "lib", "a.txt")
        assert "Narvik" in httpx.post(url, json=rain).json()["hits"][0]["text"]
    out, err = said
    assert process.returncode == 0
    assert out == ""
    assert len(err.splitlines()) == 2  # where it serves, and the library that was gone
    assert "No library at" in err


@pytest.mark.real
def test_beyond_this_machine_a_token_is_made_and_wanted(qa):
    (qa.folder / "a.txt").write_text("The leaders will meet in Geneva.\n")
    qa("add", "-l", "lib", "a.txt")
    with serving(qa, "-l", "lib", "--host", "0.0.0.0", env={"QA_TOKEN": ""}) as (_, address, _):
        base, _, token = address.partition("#token=")
        assert len(token) >= 32
        assert httpx.get(f"{base}v1/status").status_code == 401
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(f"{base}v1/status", headers=headers).json()["articles"] == 1
    with serving(qa, "-l", "lib", env={"QA_TOKEN": "sesame"}) as (_, address, _):
        assert address.endswith("/#token=sesame")
        assert httpx.get(f"{address.partition('#')[0]}v1/status").status_code == 401


def test_what_the_command_cannot_do_it_says(qa):
    assert "No library at" in qa("serve", "-l", "none", code=3).stderr
    (qa.folder / "file").write_text("")
    assert "QA_TOKEN" in qa("serve", env={"QA_TOKEN": "ünï"}, code=2).stderr
    assert "is no folder" in qa("serve", "--root", "file", code=2).stderr
    missing = "import sys; sys.modules['fastapi'] = None; from qa.cli import run; sys.exit(run(['serve']))"
    done = subprocess.run(
        [sys.executable, "-c", missing],
        cwd=qa.folder, env=qa.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert 'pip install "article-qa[serve]"' in done.stderr


@pytest.mark.real
def test_a_port_that_is_taken_is_said(qa):
    qa("add", "-l", "lib", "-", stdin="The leaders will meet in Geneva.")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port}" in qa("serve", "-l", "lib", "--port", port, code=2).stderr


def test_a_client_that_is_slow_with_its_request_is_left(bot):
    limits = Limits(head_s=0.5, body_s=0.5)
    with running_server(bot, Settings(port=0, limits=limits)) as address:
        host = address.removeprefix("http://").rstrip("/")
        with connected(address) as silent, connected(address) as dripping:
            began = time.monotonic()
            for byte in b"GET /v1/health HTTP/1.1\r\n":
                with contextlib.suppress(OSError):
                    dripping.sendall(bytes([byte]))
                time.sleep(0.05)
            assert until_closed(dripping) == b""
            assert until_closed(silent) == b""
            assert time.monotonic() - began < 15
        with connected(address) as half:
            half.sendall(
                f"POST /v1/ask HTTP/1.1\r\nHost: {host}\r\nContent-Length: 50\r\n\r\n{{".encode()
            )
            assert until_closed(half).startswith(b"HTTP/1.1 408 ")
        assert alive(address)


def test_a_huge_body_is_refused_before_it_is_read(bot):
    with running_server(bot, ANY) as address:
        host = address.removeprefix("http://").rstrip("/")
        with connected(address) as huge:
            huge.sendall(
                f"POST /v1/ask HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99999999999\r\n\r\n".encode()
            )
            assert until_closed(huge).startswith(b"HTTP/1.1 413 ")
        with connected(address) as endless:
            endless.sendall(
                f"POST /v1/ask HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
            )
            with contextlib.suppress(OSError):
                for _ in range(1000):
                    endless.sendall(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
            assert until_closed(endless)[:13] in {b"HTTP/1.1 413 ", b""}  # b"": reset as it sent on
        with connected(address) as headers:
            headers.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 200_000)
            assert until_closed(headers)[:13] in {b"HTTP/1.1 400 ", b""}
        assert alive(address)


def test_garbage_is_a_bad_request_and_logged_once(bot, caplog):
    with running_server(bot, ANY) as address:
        for garbage in (b"\x16\x03\x01\x02\x00", b"hello\r\n\r\n", b"GET /\r\n\r\n"):
            caplog.clear()
            with connected(address) as client:
                client.sendall(garbage)
                client.shutdown(socket.SHUT_WR)
                reply = until_closed(client)
            assert reply[:13] in {b"HTTP/1.1 400 ", b""}
            assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) <= 1
        assert alive(address)


def test_a_client_that_goes_in_the_middle_of_a_stream_harms_nobody(tmp_path, caplog):
    reading, go = threading.Event(), threading.Event()

    class Waiting(ToyReader):
        def read(self, question, passages):
            reading.set()
            go.wait(20)
            return super().read(question, passages)

    toy_bot(tmp_path / "lib")
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=Waiting())
    with running_server(bot, ANY) as address:
        with httpx.stream("POST", f"{address}v1/ask/stream", json=QUESTION) as response:
            first = next(response.iter_lines())
            assert first == "event: passages"
            assert reading.is_set()
        go.set()
        assert alive(address)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_stream_that_takes_too_long_ends_and_is_logged_once(tmp_path, caplog):
    go = threading.Event()

    class Waiting(ToyReader):
        def read(self, question, passages):
            go.wait(20)
            return super().read(question, passages)

    toy_bot(tmp_path / "lib")
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=Waiting())
    with running_server(bot, Settings(port=0, limits=Limits(answer_s=0.5))) as address:
        lines = []
        with contextlib.suppress(httpx.RemoteProtocolError):
            with httpx.stream("POST", f"{address}v1/ask/stream", json=QUESTION) as response:
                lines += response.iter_lines()
        go.set()
        assert "event: passages" in lines
        assert "event: answer" not in lines
        assert alive(address)
    said = [record.getMessage() for record in caplog.records if record.name == "qa.server.problems"]
    assert len(said) == 1
    assert "Not ready in time" in said[0]


def test_many_ask_at_once_while_articles_come_and_go_and_no_answer_is_torn(bot):
    stop = threading.Event()
    faults = []

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            bot.add_text(
                f"Note {number}\n\nThe leaders will meet in Geneva, says {number}.", "note.txt"
            )
            bot.add_text(
                f"The rain number {number} falls on {number} towns.", f"rain{number % 5}.txt"
            )

    def ask(address):
        with httpx.Client(base_url=address, timeout=60) as http:
            for _ in range(6):
                faults.extend(torn(http.post("/v1/ask", json=QUESTION)))

    with running_server(bot, ANY) as address:
        writer = threading.Thread(target=write)
        writer.start()
        asking = [threading.Thread(target=ask, args=(address,)) for _ in range(16)]
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join(60)
        stop.set()
        writer.join(60)
    assert faults == []


def torn(response):
    """What is wrong with an answer: each passage must be the slice that its citation says."""
    if response.status_code != 200:
        return [response.text]
    answer = response.json()
    found = [] if answer["status"] == "answered" else ["not answered"]
    for hit in answer["hits"]:
        if text_sha256(hit["text"]) != hit["citation"]["sha256"]:
            found.append("another text than was cited")
        if (span := hit["span"]) and hit["text"][span["start"] : span["end"]] != span["text"]:
            found.append("other words than were marked")
    return found
