"""The command line: each command is a verb of the bot, shown.

Exit codes, as grep has them: 0 answered, 1 nothing here answers that, 2 usage or configuration,
3 library missing, damaged or of another model, 130 interrupted.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qa import locations, render
from qa.bot import TOP_K, Bot
from qa.console import Console, OutputClosed, complain, forward_warnings
from qa.dates import parse_day
from qa.errors import QaError
from qa.model import Answer, Filters, Mode

if TYPE_CHECKING:
    from qa.indexing import Added

INTERRUPTED = 130

app = typer.Typer(
    name="qa",
    help="Ask your own articles: the passages that answer, with citations. Local, no LLM.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """How an answer is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    MD = "md"


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
TopK = Annotated[int, typer.Option("-k", "--top-k", min=1, max=1000, help="How many passages.")]
ModeOption = Annotated[Modes, typer.Option("--mode", help="Which candidates are ranked.")]
FormatOption = Annotated[Format, typer.Option("--format", help="How the answer is written.")]
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
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no notices.")]
NoColor = Annotated[bool, typer.Option("--no-color", help="No colours.")]


def run(arguments: Sequence[str]) -> int:
    """Runs a command and gives its exit code; no traceback reaches a user."""
    forward_warnings()
    try:
        code = int(app(list(arguments), prog_name="qa", standalone_mode=False) or 0)
    except QaError as error:
        complain(str(error))
        return error.exit_code
    except typer.TyperException as error:
        complain(f"{error.format_message().rstrip('.')}. Help: qa --help")
        return 2
    except OutputClosed:
        return 0
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        if os.environ.get("QA_TRACEBACK"):
            raise
        complain(
            f"{type(error).__name__}: {error}. This is a fault of qa's: please report it, with "
            "what QA_TRACEBACK=1 shows."
        )
        return 2
    if code == INTERRUPTED:
        complain("interrupted; what was done before is kept.")
    return code


@app.callback(invoke_without_command=True)
def _main(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if show_version:
        from importlib.metadata import version

        Console.of().show(f"qa {version('article-qa')}")
    elif context.invoked_subcommand is None:
        chat()


@app.command()
def ask(
    question: Question,
    paths: Annotated[list[Path] | None, typer.Argument(help="Ask only these.")] = None,
    library: Library = None,
    model: Model = None,
    top_k: TopK = TOP_K,
    mode: ModeOption = Modes.HYBRID,
    form: FormatOption = Format.TEXT,
    as_json: AsJson = False,
    explain: Explain = False,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    min_confidence: Least = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Answer a question with cited passages."""
    console = Console.of(color=not no_color, quiet=quiet)
    filters = _filters(source, since, until)
    bot = _bot(console, library, model, paths)
    several = question == "-"
    form = Format.JSON if as_json else Format.JSONL if several and form == Format.TEXT else form
    status = 0
    for text in _questions(question):
        answer = bot.ask(
            text,
            top_k=top_k,
            mode=mode.value,
            filters=filters,
            min_confidence=min_confidence,
        )
        console.show(_written(answer, form, console, explain=explain))
        status = max(status, answer.status == "unanswered")
    raise typer.Exit(status)


@app.command()
def search(
    question: Question,
    paths: Annotated[list[Path] | None, typer.Argument(help="Search only these.")] = None,
    library: Library = None,
    model: Model = None,
    top_k: TopK = 10,
    mode: ModeOption = Modes.HYBRID,
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
    filters = _filters(source, since, until)
    bot = _bot(console, library, model, paths)
    status = 0
    for text in _questions(question):
        hits = bot.search(text, top_k=top_k, mode=mode.value, filters=filters)
        if as_json or question == "-":
            console.show(render.dumps(render.hits_as_dicts(hits)))
        else:
            texts = (
                render.hit_text(
                    hit, text, width=console.width, style=console.style, explain=explain
                )
                for hit in hits
            )
            console.show("\n\n".join(texts))
        status = max(status, not hits)
    raise typer.Exit(status)


@app.command()
def chat(
    paths: Annotated[list[Path] | None, typer.Argument(help="Ask only these.")] = None,
    library: Library = None,
    model: Model = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
) -> None:
    """Ask one question after another (also: qa alone)."""
    from qa import repl

    console = Console.of(color=not no_color, quiet=quiet)
    repl.run(_bot(console, library, model, paths, create=True), style=console.style)


@app.command()
def add(
    places: Annotated[list[str], typer.Argument(help="Folders, files, URLs, or - for stdin.")],
    library: Library = None,
    model: Model = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Add articles, or bring the library in step with them."""
    console = Console.of(quiet=quiet)
    bot = Bot.open(library, model=model, create=True)
    with console.indexing() as progress:
        runs = [bot.add_text(sys.stdin.buffer.read())] if "-" in places else []
        rest = [place for place in places if place != "-"]
        runs += [bot.add(*rest, progress=progress)] if rest else []
    for added in runs:
        _report(console, bot, added, as_json=as_json)
    if any(added.failed for added in runs):
        raise typer.Exit(2)


@app.command()
def remove(
    what: Annotated[list[str], typer.Argument(help="Paths, folders, URLs, sources or ids.")],
    library: Library = None,
    quiet: Quiet = False,
) -> None:
    """Remove articles from the library; the files stay."""
    count = Bot.open(library).remove(*what)
    Console.of(quiet=quiet).notice(f"removed {_number(count, 'article')}.")


@app.command(name="list")
def list_(
    library: Library = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """List the articles of the library."""
    console = Console.of()
    infos = Bot.open(library).articles(_filters(source, since, until))
    if as_json:
        rows = [
            {
                "article_id": info.id,
                "title": info.title,
                "source": info.source,
                "date": info.date.isoformat() if info.date else None,
                "url": info.url,
                "author": info.author,
                "characters": info.characters,
                "passages": info.passages,
            }
            for info in infos
        ]
        console.show(render.dumps(rows, indent=2))
        return
    for info in infos:
        date = info.date.isoformat() if info.date else "-" * 10
        line = f"{info.id}  {date}  {info.passages:4}  {info.title or '-'}  {info.source}"
        console.show(render.clean(" ".join(line.splitlines())))


@app.command()
def status(library: Library = None, as_json: AsJson = False) -> None:
    """Say what the library holds."""
    console = Console.of()
    found = Bot.open(library).status()
    values = {
        "library": str(found.path),
        "articles": found.articles,
        "passages": found.passages,
        "model": found.model,
        "version": found.version,
        "bytes": found.bytes,
    }
    if as_json:
        console.show(render.dumps(values, indent=2))
    else:
        width = max(map(len, values))
        console.show("\n".join(f"{name:{width}}  {value}" for name, value in values.items()))


@app.command()
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


@app.command(name="open")
def open_(citation: Place, library: Library = None) -> None:
    """Open a cited article in $EDITOR at the line, or in the browser."""
    from qa.opening import open_citation

    shown = Bot.open(library).show(citation)
    place = shown.citation or shown.passages[0].citation
    said = open_citation(place, shown.origin)
    if said:
        Console.of().show(said)


@app.command()
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
            beside = f", file: {found.file}" if found.file else ""
            console.show(f"{render.place(found.citation)}  library: {found.library}{beside}")
    console.notice(f"{len(cited) - failed} of {_number(len(cited), 'citation')} exact.")
    raise typer.Exit(1 if failed else 0)


@app.command()
def reindex(library: Library = None, model: Model = None, quiet: Quiet = False) -> None:
    """Split and encode the library anew, with another model if you name one."""
    console = Console.of(quiet=quiet)
    bot = Bot.open(library)
    with console.counting("articles") as progress:
        count = bot.reindex(model=model, progress=progress)
    console.notice(f"encoded {_number(count, 'passage')} with {bot.status().model}.")


@app.command(name="eval")
def eval_(
    folders: Annotated[list[Path], typer.Argument(help="Data sets in BEIR layout.")],
    mode: Annotated[
        list[Modes] | None, typer.Option("--mode", help="Only this mode; may be repeated.")
    ] = None,
    model: Model = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure retrieval on data sets with known answers."""
    from qa import evaluation

    console = Console.of(quiet=quiet)
    modes: list[Mode] = [chosen.value for chosen in mode or list(Modes)]
    found = []
    for folder in folders:
        cached = locations.library_of([folder], model)
        with console.counting("questions") as progress:
            bot = Bot.open(cached, model=model, create=True)
            found.append(evaluation.evaluate(folder, bot, modes, progress))
    if as_json:
        console.show(render.dumps(evaluation.as_json(found), indent=2))
    else:
        console.show(evaluation.table(found))


@app.command()
def doctor(library: Library = None) -> None:
    """Check the installation and every byte of the library."""
    from qa.doctor import checks

    console = Console.of()
    good = True
    for check in checks(locations.library(library)):
        good &= check.good
        console.show(render.clean(f"{'ok ' if check.good else 'BAD'} {check.name}: {check.found}"))
    raise typer.Exit(0 if good else 3)


def _bot(
    console: Console,
    library: Path | None,
    model: str | None,
    paths: list[Path] | None,
    *,
    create: bool = False,
) -> Bot:
    """The bot of the library, or of a cached one that holds the paths alone, brought up to date."""
    if not paths:
        return Bot.open(library, model=model, create=create)
    if library is not None:
        raise QaError("Give either --library or paths to ask, not both.")
    from qa import indexing

    indexing.sources_of(paths)
    bot = Bot.open(locations.library_of(paths, model), model=model, create=True)
    with console.indexing() as progress:
        added = bot.add(*paths, progress=progress)
    for failure in added.failed:
        complain(str(failure))
    return bot


def _filters(source: list[str] | None, since: str | None, until: str | None) -> Filters:
    first = parse_day(since) if since else None
    last = parse_day(until, end=True) if until else None
    if first and last and first > last:
        raise QaError(f"Nothing is since {since} and until {until}: exchange the two.")
    return Filters(tuple(source or ()), first, last)


def _questions(question: str) -> Iterator[str]:
    if question != "-":
        yield question
        return
    for line in sys.stdin.buffer:
        text = line.decode("utf-8", "replace").strip()
        if text:
            yield text


def _written(answer: Answer, form: Format, console: Console, *, explain: bool) -> str:
    if form == Format.JSON:
        return render.answer_json(answer)
    if form == Format.JSONL:
        return render.answer_json(answer, indent=None)
    if form == Format.MD:
        return render.answer_markdown(answer)
    return render.answer_text(answer, width=console.width, style=console.style, explain=explain)


def _report(console: Console, bot: Bot, added: "Added", *, as_json: bool) -> None:
    for failure in added.failed:
        complain(str(failure))
    if as_json:
        values = {
            "library": str(bot.status().path),
            "added": added.added,
            "changed": added.changed,
            "unchanged": added.unchanged,
            "removed": added.removed,
            "passages": added.passages,
            "failed": [str(failure) for failure in added.failed],
            "passed_over": dict(added.passed_over),
            "seconds": round(added.seconds, 3),
        }
        console.show(render.dumps(values, indent=2))
        return
    over = ", ".join(f"{count} {why}" for why, count in added.passed_over.items())
    console.notice(
        f"{_number(added.added, 'article')} added, {added.changed} changed, "
        f"{added.unchanged} unchanged, {added.removed} removed, {len(added.failed)} failed"
        f"{f'; passed over: {over}' if over else ''}; "
        f"{_number(added.passages, 'passage')} encoded in {added.seconds:.1f} s. "
        f"Library: {bot.status().path}"
    )


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _text(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QaError(f"Cannot read {path}: {error}. Give a file made by qa ask --json.") from error
