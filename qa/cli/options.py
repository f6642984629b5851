"""The options that commands share, and what they mean."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from qa.errors import QaError
from qa.model import DEFAULT_READER, Filters
from qa.schema import filters_from_dict


class Format(StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    MD = "md"


class HitFormat(StrEnum):
    """How passages are written; ids are places that `qa show` takes, one a line."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    IDS = "ids"


class Modes(StrEnum):
    """Which candidates are ranked."""

    HYBRID = "hybrid"
    DENSE = "dense"
    LEXICAL = "lexical"


Question = Annotated[str, typer.Argument(help="What you ask; - reads one question a line.")]
Place = Annotated[str, typer.Argument(help="SOURCE or ID, and :LINE or #START-END.")]
Library = Annotated[
    Path | None,
    typer.Option("-l", "--library", help="The library's folder.", show_default="the nearest .qa"),
]
Model = Annotated[
    str | None, typer.Option("--model", help="A sentence-transformers model: path or hub name.")
]
ReaderOption = Annotated[
    str | None,
    typer.Option(
        "--reader", help="Read with another: a file, a model's folder or hub name.",
        show_default="the one that comes with qa",
    ),
]  # fmt: skip
NoReader = Annotated[
    bool, typer.Option("--no-reader", help="Do not read: faster, and no words are marked.")
]
TopK = Annotated[int, typer.Option("-k", "--top-k", min=1, max=1000, help="How many passages.")]
ModeOption = Annotated[Modes, typer.Option("--mode", help="Which candidates are ranked.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How the answer is written.")]
HitFormatOption = Annotated[
    HitFormat, typer.Option("--format", help="How the passages are written.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show why each passage came.")]
Sources = Annotated[
    list[str] | None,
    typer.Option("--source", help="Only sources with this in their name; * matches anything."),
]
Since = Annotated[str | None, typer.Option("--since", help="Not before YYYY[-MM[-DD]].")]
Until = Annotated[str | None, typer.Option("--until", help="Not after YYYY[-MM[-DD]].")]
Least = Annotated[
    float | None,
    typer.Option("--min-confidence", min=0.0, max=1.0, help="Below it: nothing answers."),
]
Session = Annotated[
    str | None,
    typer.Option("--session", help="Go on with the conversation of this name, and keep it."),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no notices.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.")]


def reader_of(name: str | None, no_reader: bool, mode: str = "hybrid") -> str | None:  # noqa: FBT001 -- as typed
    """The reader that was asked for; None for none.

    Raises:
        QaError: the options exclude each other.
    """
    if name is not None and no_reader:
        raise QaError("Give either --reader or --no-reader, not both.")
    if name is not None and mode != "hybrid":
        raise QaError(f"Reading goes with hybrid mode, not {mode}: leave out --reader or --mode.")
    return None if no_reader else name or DEFAULT_READER


def filters_of(source: list[str] | None, since: str | None, until: str | None) -> Filters:
    """The filters that were typed.

    Raises:
        QaError: a date is none, or the range is empty.
    """
    return filters_from_dict({"sources": source, "since": since, "until": until})
