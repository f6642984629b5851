"""What the tests of the server share: a small library, a client in memory, and a real server."""

import threading
from contextlib import contextmanager

from fastapi.testclient import TestClient
from toy import ToyEncoder

from qa import Bot
from qa.model import Span
from qa.reader import Reading
from qa.server import running
from qa.server.app import create_app
from qa.server.settings import Settings

HERE = "http://127.0.0.1:8000"


class ToyReader:
    """Marks the word "Geneva"; sure where it stands, sure of nothing elsewhere."""

    name = "toy"

    def read(self, _question, passages):
        return [self._read(passage.text) for passage in passages]

    def _read(self, text):
        start = text.find("Geneva")
        if start < 0:
            return Reading(0.01, None, -9.0)
        return Reading(0.99, Span(start, start + 6, "Geneva", 0.95), 9.0)


ARTICLES = {
    "summit.txt": "A summit\n\nThe leaders will meet in Geneva, both sides say.\n\nThey will talk.",
    "weather.md": "---\ntitle: Storm ahead\ndate: 2023-09-12\n---\n\nHeavy rain is expected 🌧️ soon.",
    "trains.jsonl": '{"id": "t/1", "title": "Trains", "text": "An armored train left.", "date": "2023-08-01"}\n'
    '{"id": "t/2", "title": "Food", "text": "Food aid was promised.", "url": "http://f.org/"}',
}


def toy_bot(folder):
    bot = Bot.open(folder, encoder=ToyEncoder(), reader=ToyReader(), create=True)
    for name, text in ARTICLES.items():
        bot.add_text(text, name)
    return bot


def client(bot, settings=None, **kwargs):
    """A client on this machine; what a server's fault would raise becomes its response."""
    app = create_app(bot, settings or Settings())
    return TestClient(app, base_url=HERE, raise_server_exceptions=False, **kwargs)


def events(text):
    """The events of a stream: names and data."""
    found = []
    for block in text.split("\n\n"):
        if block:
            name, data = block.split("\n")
            found.append((name.removeprefix("event: "), data.removeprefix("data: ")))
    return found


@contextmanager
def running_server(bot, settings):
    """The address of a server with real sockets, in a thread of this process."""
    server, listening, address = running.prepared(bot, settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield address
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
