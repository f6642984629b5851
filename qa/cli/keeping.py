"""The commands that keep a library: add, remove, list, status, show, open, verify, reindex."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa import locations, render, schema, sessions, wording
from qa.bot import Bot
from qa.console import Console, complain
from qa.errors import QaError
from qa.style import clean

if TYPE_CHECKING:
    from qa.indexing import Added

from qa.cli.options import (
    AsJson,
    Library,
    Model,
    NoColor,
    Place,
    Quiet,
    Since,
    Sources,
    Until,
    filters_of,
)


def add(
    places: Annotated[list[str], typer.Argument(help="Folders, files, URLs, or - for stdin.")],
    library: Library = None,
    model: Model = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Add articles, or bring the library in step with them."""
    from qa import sources

    console = Console.of(quiet=quiet)
    rest = [place for place in places if place != "-"]
    paths, _ = sources.apart(rest)
    sources.found_below(paths)  # before a library is made: a name mistyped leaves none behind
    bot = Bot.open(library, model=model, create=True)
    with console.indexing() as progress:
        runs = [bot.add_text(sys.stdin.buffer.read())] if "-" in places else []
        runs += [bot.add(*rest, progress=progress)] if rest else []
    for added in runs:
        _report(console, bot, added, as_json=as_json)
    if any(added.failed for added in runs):
        raise typer.Exit(2)


def remove(
    what: Annotated[list[str], typer.Argument(help="Paths, folders, URLs, sources or ids.")],
    library: Library = None,
    quiet: Quiet = False,
) -> None:
    """Remove articles from the library; the files stay."""
    count = Bot.open(library).remove(*what)
    Console.of(quiet=quiet).notice(f"removed {wording.counted(count, 'article')}.")


def list_(
    library: Library = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """List the articles of the library."""
    console = Console.of()
    infos = Bot.open(library).articles(filters_of(source, since, until))
    if as_json:
        rows = [schema.listed_as_dict(info) for info in infos]
        console.show(schema.dumps(rows, indent=2))
        return
    for info in infos:
        date = info.date.isoformat() if info.date else "-" * 10
        line = f"{info.id}  {date}  {info.passages:4}  {info.title or '-'}  {info.source}"
        console.show(clean(" ".join(line.splitlines())))


def status(library: Library = None, as_json: AsJson = False) -> None:
    """Say what the library holds."""
    console = Console.of()
    found = Bot.open(library).status()
    values = {"library": str(found.path), **schema.status_as_dict(found)}
    if as_json:
        console.show(schema.dumps(values, indent=2))
    else:
        width = max(map(len, values))
        console.show("\n".join(f"{name:{width}}  {value}" for name, value in values.items()))


def show(
    citation: Place,
    library: Library = None,
    noise: Annotated[bool, typer.Option("--noise", help="List what is not prose.")] = False,
    whole: Annotated[bool, typer.Option("--all", help="Show the whole article.")] = False,
    no_color: NoColor = False,
) -> None:
    """Show a cited passage in its article."""
    console = Console.of(color=not no_color)
    shown = Bot.open(library).show(citation)
    if noise:
        console.show("\n".join(render.noise_lines(shown.passages)))
        return
    console.show(
        render.passage_in_article(
            shown, width=console.width, style=console.style, context=None if whole else 2
        )
    )


def open_(citation: Place, library: Library = None) -> None:
    """Open a cited article in $EDITOR at the line, or in the browser."""
    from qa.opening import open_citation

    shown = Bot.open(library).show(citation)
    place = shown.citation or shown.passages[0].citation
    said = open_citation(place, shown.origin)
    if said:
        Console.of().show(said)


def verify(
    answer: Annotated[Path, typer.Argument(help="Answers written with --json; - for stdin.")],
    library: Library = None,
    quiet: Quiet = False,
) -> None:
    """Check that the citations of an answer are still exactly there."""
    from qa import verify as verification
    from qa.library import Library as Opened

    console = Console.of(quiet=quiet)
    opened = Opened.open(locations.library(library))
    cited = verification.citations(_text(answer), str(answer))
    failed = 0
    for found in verification.verify(opened, cited):
        failed += not found.holds
        if not (quiet and found.holds):
            said = {"quoted": found.quoted, "library": found.library, "file": found.file}
            findings = ", ".join(f"{where}: {what}" for where, what in said.items() if what)
            console.show(f"{wording.place(found.citation)}  {findings}")
    console.notice(f"{len(cited) - failed} of {wording.counted(len(cited), 'citation')} exact.")
    raise typer.Exit(1 if failed else 0)


def reindex(library: Library = None, model: Model = None, quiet: Quiet = False) -> None:
    """Split and encode the library anew, with another model if you name one."""
    console = Console.of(quiet=quiet)
    bot = Bot.open(library)
    with console.counting("articles") as progress:
        count = bot.reindex(model=model, progress=progress)
    console.notice(f"encoded {wording.counted(count, 'passage')} with {bot.status().model}.")


def _report(console: Console, bot: Bot, added: "Added", *, as_json: bool) -> None:
    for failure in added.failed:
        complain(str(failure))
    if as_json:
        values = {"library": str(bot.status().path), **schema.added_as_dict(added)}
        console.show(schema.dumps(values, indent=2))
        return
    over = ", ".join(f"{count} {why}" for why, count in added.passed_over.items())
    console.notice(
        f"{wording.counted(added.added, 'article')} added, {added.changed} changed, "
        f"{added.unchanged} unchanged, {added.removed} removed, {len(added.failed)} failed"
        f"{f'; passed over: {over}' if over else ''}; "
        f"{wording.counted(added.passages, 'passage')} encoded in {added.seconds:.1f} s. "
        f"Library: {bot.status().path}"
    )


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QaError(f"Cannot read {path}: {error}. Give a file made by qa ask --json.") from error


def sessions_(
    name: Annotated[str | None, typer.Argument(help="Only this one: its questions.")] = None,
    forget: Annotated[
        str | None, typer.Option("--forget", help="Drop the one of this name.")
    ] = None,
) -> None:
    """List the conversations kept with --session, or the questions of one."""
    console = Console.of()
    if forget is not None:
        if name is not None:
            raise QaError(f"Give either a name to list or --forget: qa sessions --forget {forget}")
        sessions.forget(forget)
        console.notice(f"forgot '{forget}'.")
        return
    if name is None:
        rows = sessions.names()
    else:
        if name not in sessions.names():
            raise QaError(f"There is no session '{name}'. See which there are: qa sessions")
        rows = [clean(turn.understood_as) for turn in sessions.load(name).turns]
    if rows:
        console.show("\n".join(rows))
