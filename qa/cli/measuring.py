"""The commands that measure and check: eval, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from qa import locations, render, schema
from qa.bot import Bot
from qa.cli.options import (
    AsJson,
    Library,
    Model,
    Modes,
    Quiet,
)
from qa.console import Console
from qa.model import Mode


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
        console.show(schema.dumps(evaluation.as_json(found), indent=2))
    else:
        console.show(evaluation.table(found))


def doctor(library: Library = None) -> None:
    """Check the installation and every byte of the library."""
    from qa.doctor import checks

    console = Console.of()
    good = True
    for check in checks(locations.library(library)):
        good &= check.good
        console.show(render.clean(f"{'ok ' if check.good else 'BAD'} {check.name}: {check.found}"))
    raise typer.Exit(0 if good else 3)
