"""The only door to the web: fetches one page."""

import time
from http.client import HTTPException, HTTPResponse
from pathlib import PurePosixPath
from typing import IO
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlsplit

from qa.errors import ReadError

_TIMEOUT = 20  # seconds of silence
_PATIENCE = 90  # seconds in all, for a server that sends a byte now and then
_LARGEST = 20 * 1024 * 1024
_CHUNK = 64 * 1024
_SUFFIXES = {
    "text/html": ".html",
    "application/xhtml+xml": ".html",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/json-lines": ".jsonl",
}
# Served as plain text more often than by their own type.
_BY_NAME = frozenset({".md", ".markdown", ".jsonl", ".ndjson"})


def fetch(url: str) -> tuple[bytes, str]:
    """The bytes of a page, and a name whose suffix is that of its format.

    Text in another encoding than UTF-8, named by the server alone, comes as UTF-8.

    Raises:
        ReadError: it is no http or https address, cannot be had, is too large or no text.
    """
    if not url.lower().startswith(("http://", "https://")):
        raise ReadError(f"{url} cannot be fetched: give an address with http:// or https://.")
    # Letters beyond ASCII may be typed in an address, but not sent.
    sent = quote(url, safe="%/:?#[]@!$&'()*+,;=~")
    try:
        with _opener().open(request.Request(sent, headers=_HEADERS), timeout=_TIMEOUT) as response:  # noqa: S310 -- the scheme is checked, and the opener knows no other
            return _received(response, url)
    except HTTPError as error:
        error.close()
        why = " ".join(f"the server says {error.code} {error.reason}".split())
    except URLError as error:
        why = str(getattr(error.reason, "strerror", None) or error.reason)
    except TimeoutError:
        why = f"no answer for {_TIMEOUT} seconds"
    except (HTTPException, OSError, ValueError) as error:
        why = str(error) or type(error).__name__
    raise ReadError(
        f"{url} cannot be fetched: {why}. Check the address, or save the page as a file."
    )


_HEADERS = {"User-Agent": "article-qa", "Accept": "text/html, text/plain;q=0.9, */*;q=0.5"}


def _opener() -> request.OpenerDirector:
    """Opens http and https only, so that no redirect leads to a file or elsewhere."""
    opener = request.OpenerDirector()
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
        request.HTTPRedirectHandler,
        request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener


def _received(response: HTTPResponse, url: str) -> tuple[bytes, str]:
    name = _name(
        url, response.headers.get_content_type() if response.headers["Content-Type"] else ""
    )
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ReadError(
            f"{url} was sent compressed, unasked. Save the page as a file and add that."
        )
    data = _body(response, url)
    charset = response.headers.get_content_charset()
    return _as_utf8(data, charset) if charset else data, name


def _body(response: IO[bytes], url: str) -> bytes:
    began = time.monotonic()
    data = bytearray()
    while chunk := response.read(_CHUNK):
        data += chunk
        if len(data) > _LARGEST:
            raise ReadError(
                f"{url} is larger than {_LARGEST // 1024**2} MB. Save it as a file and add that."
            )
        if time.monotonic() - began > _PATIENCE:
            raise ReadError(f"{url} is too slow. Try again later, or save the page as a file.")
    return bytes(data)


def _name(url: str, content_type: str) -> str:
    path = PurePosixPath(unquote(urlsplit(url).path))
    suffix = _SUFFIXES.get(content_type or "text/html")
    if suffix is None:
        raise ReadError(f"{url} is {content_type}, not text. Convert it and add the file.")
    if suffix == ".txt" and path.suffix.lower() in _BY_NAME:
        return path.name
    return f"{path.stem or 'page'}{suffix}"


def _as_utf8(data: bytes, charset: str) -> bytes:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        try:
            return data.decode(charset).encode("utf-8")
        except (LookupError, UnicodeError):
            return data  # the server is wrong about it; reading finds out
    return data
