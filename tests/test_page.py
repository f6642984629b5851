import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from qa import reading
from qa.errors import ReadError
from qa.reading import page

ANSWERS = {
    "/story": (200, {"Content-Type": "text/html; charset=utf-8"}, "<p>é".encode()),
    "/latin": (200, {"Content-Type": "text/html; charset=iso-8859-2"}, "<p>Łódź".encode("latin2")),
    "/notes.md": (200, {"Content-Type": "text/plain"}, b"# A"),
    "/a.jsonl": (200, {"Content-Type": "application/x-ndjson"}, b"{}"),
    "/plain": (200, {"Content-Type": "text/plain"}, b"text"),
    "/": (200, {"Content-Type": "text/html"}, b"<p>root"),
    "/%C3%A9": (200, {}, b"<p>e"),
    "/moved": (302, {"Location": "/story"}, b""),
    "/file": (302, {"Location": "file:///etc/hostname"}, b""),
    "/ftp": (302, {"Location": "ftp://127.0.0.1/x"}, b""),
    "/circle": (302, {"Location": "/circle"}, b""),
    "/pdf": (200, {"Content-Type": "application/pdf"}, b"%PDF"),
    "/zipped": (200, {"Content-Type": "text/html", "Content-Encoding": "gzip"}, b"\x1f\x8b"),
    "/large": (200, {"Content-Type": "text/html"}, b"x" * 4000),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, headers, body = ANSWERS.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def site():
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "data", "name"),
    [
        ("/story", "<p>é".encode(), "story.html"),
        ("/latin", "<p>Łódź".encode(), "latin.html"),
        ("/notes.md", b"# A", "notes.md"),
        ("/a.jsonl", b"{}", "a.jsonl"),
        ("/plain", b"text", "plain.txt"),
        ("/", b"<p>root", "page.html"),
        ("/é", b"<p>e", "é.html"),
        ("/moved", "<p>é".encode(), "moved.html"),
    ],
)
def test_a_page_comes_with_a_name_that_picks_its_reader(site, path, data, name):
    assert reading.fetch(site + path) == (data, name)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/nowhere", "cannot be fetched: the server says 404 Not Found"),
        ("/file", "cannot be fetched: the server says 302 "),
        ("/ftp", "cannot be fetched: unknown url type: ftp"),
        ("/circle", "cannot be fetched: the server says 302 "),
        ("/pdf", "is application/pdf, not text"),
        ("/zipped", "was sent compressed"),
    ],
)
def test_what_is_no_page_is_one_line_that_says_why(site, path, why):
    with pytest.raises(ReadError) as caught:
        reading.fetch(site + path)
    assert str(caught.value).startswith(f"{site}{path} {why}")
    assert "\n" not in str(caught.value)


def test_a_page_beyond_the_limit_is_refused(site, monkeypatch):
    monkeypatch.setattr(page, "_LARGEST", 3000)
    with pytest.raises(ReadError, match="is larger than"):
        reading.fetch(f"{site}/large")


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://example.org/a", "example.org", ""])
def test_only_http_is_fetched(url):
    with pytest.raises(ReadError, match="give an address with http:// or https://"):
        reading.fetch(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://", "http://[::1", "http://a:b/", "http://127.0.0.1:1/\n"]
)
def test_an_address_that_leads_nowhere_is_one_line(url):
    with pytest.raises(ReadError, match="cannot be fetched"):
        reading.fetch(url)
