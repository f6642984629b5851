"""Markdown: the whole file is the text; front matter and the first heading say what it is."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from qa.errors import FieldError, ReadError
from qa.model import Article
from qa.reading import fields
from qa.reading.bylines import read_top
from qa.reading.decoding import decode
from qa.reading.origin import Origin
from qa.reading.plain import as_title, first_lines

Value = TypeVar("Value")

_END = r"[ \t]*(?:\r\n|\r|\n|\Z)"
_FENCED = re.compile(
    rf"---{_END}(?P<yaml>(?:(?!(?:---|\.\.\.){_END})[^\r\n]*(?:\r\n|\r|\n))*)(?:---|\.\.\.){_END}"
)
# What a line of metadata can be: `key: value`, a list item, a continuation, a comment, nothing.
_METADATA = re.compile(r"(?:[\w.\"'-]+[ \t]*:(?:\s.*)?|\s*-\s.*|[ \t]+\S.*|#.*|\s*)")
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(?P<title>\S.*?)(?:[ \t]+#+)?[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(?:=+|-{2,})[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*{1,3}|_{1,3}|`+)(?=\S)(.+?)(?<=\S)\1")


def articles(data: bytes, origin: Origin) -> Iterator[Article | ReadError]:
    """The one article in a Markdown file; also what is wrong with its front matter."""
    text = decode(data, origin.source)
    matter = front_matter(text)
    body = text[matter.end() :] if matter else text
    metadata: Mapping[str, Any]
    try:
        metadata = _metadata(matter["yaml"]) if matter else {}
    except ValueError as error:
        metadata = {}
        yield FieldError(
            f"{origin.source}: front matter is not used, it is no YAML ({error}). "
            "The article is there; mend the front matter and add it again."
        )
    complaints: list[str] = []
    date = _field(metadata, "date", fields.date, complaints)
    title = _field(metadata, "title", fields.one_line, complaints)
    author = _field(metadata, "author", fields.one_line, complaints)
    authors = _field(metadata, "authors", fields.one_line, complaints)
    url = _field(metadata, "url", fields.one_line, complaints)
    yield from (FieldError(f"{origin.source}: front matter: {text}") for text in complaints)
    top = read_top(first_lines(body))
    yield Article(
        id=origin.article_id(),
        source=origin.source,
        title=as_title(title or heading(body) or _unmarked(top.title)),
        text=text,
        date=date or top.date,
        url=url or origin.url,
        author=author or authors or top.author,
    )


def _field(
    metadata: Mapping[str, Any],
    name: str,
    convert: Callable[[object], Value | None],
    complaints: list[str],
) -> Value | None:
    """A field of the front matter; what is wrong with it goes to the complaints."""
    try:
        return convert(metadata.get(name))
    except ValueError as error:
        complaints.append(f"{name}: {error}")
        return None


def front_matter(text: str) -> re.Match[str] | None:
    """The YAML between two lines of dashes at the top of a text; prose there is none."""
    match = _FENCED.match(text)
    if not match or not match["yaml"].strip():
        return None
    lines = re.split(r"\r\n|\r|\n", match["yaml"])
    return match if all(_METADATA.fullmatch(line) for line in lines) else None


def heading(text: str) -> str | None:
    """The text of the first heading, of any level; None if there is none."""
    fence = ""
    before = ""
    for line in re.split(r"\r\n|\r|\n", text):
        if match := _FENCE.match(line):
            fence = "" if fence == match[1] else fence or match[1]
        elif not fence:
            if match := _HEADING.fullmatch(line):
                return _unmarked(match["title"])
            if before.strip() and _UNDERLINE.fullmatch(line):
                return _unmarked(before)
        before = "" if fence else line
    return None


def _unmarked(line: str) -> str:
    """A heading without the marks of links and emphasis."""
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", line.strip()))


def _metadata(yaml_text: str) -> Mapping[str, Any]:
    """Front matter as a mapping.

    Raises:
        ValueError: it is no YAML, or no mapping.
    """
    import yaml

    try:
        found = yaml.safe_load(yaml_text)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())[:120]) from error
    if not isinstance(found, dict):
        raise ValueError("it has no `key: value` lines")  # noqa: TRY004 -- a value of a file, not of the program
    return {str(key).lower(): value for key, value in found.items()}
