"""The commands that ask: ask, search, chat."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from qa import locations, markdown, places, render, schema, sessions
from qa.bot import TOP_K, Bot
from qa.cli.options import (
    AsJson,
    Explain,
    Format,
    FormatOption,
    HitFormat,
    HitFormatOption,
    Least,
    Library,
    Model,
    ModeOption,
    Modes,
    NoColor,
    NoReader,
    Question,
    Quiet,
    ReaderOption,
    Session,
    Since,
    Sources,
    TopK,
    Until,
    filters_of,
    reader_of,
)
from qa.console import Console, complain
from qa.conversation import Conversation
from qa.errors import QaError, QuestionError, ReadError
from qa.model import Answer, Hit
from qa.style import clean


def ask(
    question: Question,
    paths: Annotated[list[Path] | None, typer.Argument(help="Ask only these.")] = None,
    library: Library = None,
    model: Model = None,
    reader: ReaderOption = None,
    no_reader: NoReader = False,
    top_k: TopK = TOP_K,
    mode: ModeOption = Modes.HYBRID,
    form: FormatOption = Format.TEXT,
    as_json: AsJson = False,
    explain: Explain = False,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    min_confidence: Least = None,
    session: Session = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Answer a question with cited passages."""
    console = Console.of(color=not no_color, quiet=quiet)
    filters = filters_of(source, since, until)
    reads = reader_of(reader, no_reader, mode.value)
    bot, status = _bot(console, library, model, paths, reader=reads)
    console = console.linking(bot.origin)
    form = Format.JSON if as_json else form
    if question == "-" and form in {Format.TEXT, Format.JSON}:
        form = Format.JSONL
    talk = sessions.load(session) if session else Conversation()
    for text in _questions(question):
        try:
            answer = bot.ask(
                text,
                top_k=top_k,
                mode=mode.value,
                filters=filters,
                min_confidence=min_confidence,
                conversation=talk,
            )
        except QuestionError as error:
            status = _complained(error, text, question)
            continue
        if session:
            before, talk = talk, talk.after(answer)
            sessions.save(session, before, talk)
        console.show(_written(answer, form, console, explain=explain))
        status = max(status, answer.status == "unanswered")
    raise typer.Exit(status)


def search(
    question: Question,
    paths: Annotated[list[Path] | None, typer.Argument(help="Search only these.")] = None,
    library: Library = None,
    model: Model = None,
    top_k: TopK = 10,
    mode: ModeOption = Modes.HYBRID,
    form: HitFormatOption = HitFormat.TEXT,
    as_json: AsJson = False,
    explain: Explain = False,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Rank passages, whether or not they answer."""
    console = Console.of(color=not no_color, quiet=quiet)
    filters = filters_of(source, since, until)
    bot, status = _bot(console, library, model, paths)
    console = console.linking(bot.origin)
    if as_json or (question == "-" and form == HitFormat.TEXT):
        form = HitFormat.JSON
    for text in _questions(question):
        try:
            hits = bot.search(text, top_k=top_k, mode=mode.value, filters=filters)
        except QuestionError as error:
            status = _complained(error, text, question)
            continue
        if hits or form not in {HitFormat.IDS, HitFormat.JSONL}:
            console.show(_listed(hits, text, form, console, explain=explain))
        status = max(status, not hits)
    raise typer.Exit(status)


def chat(
    paths: Annotated[list[Path] | None, typer.Argument(help="Ask only these.")] = None,
    library: Library = None,
    model: Model = None,
    reader: ReaderOption = None,
    no_reader: NoReader = False,
    session: Session = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Ask one question after another (also: qa alone)."""
    from qa import repl

    console = Console.of(color=not no_color, quiet=quiet)
    reads = reader_of(reader, no_reader)
    bot, _ = _bot(console, library, model, paths, reader=reads, create=True)
    repl.run(bot, style=console.linking(bot.origin).style, session=session)


def _bot(
    console: Console,
    library: Path | None,
    model: str | None,
    paths: list[Path] | None,
    *,
    reader: str | None = None,
    create: bool = False,
) -> tuple[Bot, int]:
    """The bot of the library, or of one that holds the paths alone and is brought up to date.

    With it comes the exit code so far: whether something at the paths could not be read.
    """
    if not paths:
        return Bot.open(library, model=model, reader=reader, create=create), 0
    if library is not None:
        raise QaError("Give either --library or paths to ask, not both.")
    from qa import sources

    sources.found_below(paths)
    folder = locations.library_of(paths, model)
    bot = Bot.open(folder, model=model, reader=reader, create=True)
    with console.indexing() as progress:
        added = bot.add(*paths, progress=progress)
    for failure in added.failed:
        complain(str(failure))
    return bot, ReadError.exit_code if added.failed else 0


def _questions(question: str) -> Iterator[str]:
    if question != "-":
        yield question
        return
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield text


def _complained(error: QuestionError, text: str, question: str) -> int:
    """The exit code when one line of several is bad: the questions after it are still asked."""
    if question != "-":
        raise error
    complain(f"'{text[:40]}': {error}")
    return error.exit_code


def _listed(
    hits: list[Hit], question: str, form: HitFormat, console: Console, *, explain: bool
) -> str:
    if form == HitFormat.JSON:
        return schema.dumps(schema.hits_as_dicts(hits))
    if form == HitFormat.JSONL:
        return "\n".join(schema.dumps(values) for values in schema.hits_as_dicts(hits))
    if form == HitFormat.IDS:
        return "\n".join(clean(places.typed(hit.citation)) for hit in hits)
    texts = (
        render.hit_text(hit, question, width=console.width, style=console.style, explain=explain)
        for hit in hits
    )
    return "\n\n".join(texts)


def _written(answer: Answer, form: Format, console: Console, *, explain: bool) -> str:
    if form == Format.JSON:
        return schema.answer_json(answer)
    if form == Format.JSONL:
        return schema.answer_json(answer, indent=None)
    if form == Format.MD:
        return markdown.answer_markdown(answer)
    return render.answer_text(answer, width=console.width, style=console.style, explain=explain)
