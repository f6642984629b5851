"""The commands that measure and check: eval, doctor."""

from pathlib import Path
from typing import Annotated

import typer

from qa import locations, schema
from qa.bot import Bot
from qa.calibration import REFUSED, Calibration, Graded, examples
from qa.cli.options import (
    AsJson,
    Library,
    Model,
    Modes,
    NoReader,
    Quiet,
    ReaderOption,
    reader_of,
)
from qa.console import Console
from qa.errors import QaError
from qa.model import Mode
from qa.style import clean


def eval_(
    folders: Annotated[list[Path], typer.Argument(help="Data sets in BEIR layout.")],
    mode: Annotated[
        list[Modes] | None, typer.Option("--mode", help="Only this mode; may be repeated.")
    ] = None,
    model: Model = None,
    reader: ReaderOption = None,
    no_reader: NoReader = False,
    talks: Annotated[
        bool, typer.Option("--conversations", help="Measure how follow-up questions are found.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure ranking and confidence on data sets with known answers.

    Of several sets each is also asked questions of the others, which it should not answer.
    """
    from qa import evaluation

    console = Console.of(quiet=quiet)
    if talks:
        if mode or reader:
            raise QaError("--conversations measures hybrid search: leave out --mode and --reader.")
        _measure_conversations(console, folders, model, as_json=as_json)
        return
    modes: list[Mode] = [chosen.value for chosen in mode or list(Modes)]
    reads = reader_of(reader, no_reader)
    samples = {folder: evaluation.sample(folder) for folder in folders}
    found = []
    for folder in folders:
        cached = locations.library_of([folder], model)
        others = [text for other in folders if other != folder for text in samples[other]]
        with console.counting("questions") as progress:
            bot = Bot.open(cached, model=model, reader=reads, create=True)
            found.append(evaluation.evaluate(folder, bot, modes, progress, others))
    if as_json:
        console.show(schema.dumps(evaluation.as_json(found), indent=2))
    else:
        console.show(evaluation.table(found))


def _measure_conversations(
    console: Console, folders: list[Path], model: str | None, *, as_json: bool
) -> None:
    from qa.evaluation import conversations

    measured = []
    for folder in folders:
        with console.counting("conversations") as progress:
            bot = Bot.open(
                locations.library_of([folder], model), model=model, reader=None, create=True
            )
            measured.append(conversations.evaluate(folder, bot, progress))
    if as_json:
        console.show(schema.dumps(conversations.as_json(measured), indent=2))
    else:
        console.show(conversations.table(measured))


def calibrate(
    file: Annotated[Path | None, typer.Argument(help="Questions, one JSON a line.")] = None,
    library: Library = None,
    reader: ReaderOption = None,
    no_reader: NoReader = False,
    refused: Annotated[
        float,
        typer.Option(
            min=0.0, max=0.5, help="The share of answerable questions that may go unanswered."
        ),
    ] = REFUSED,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to what comes with qa.")] = False,
    quiet: Quiet = False,
) -> None:
    """Fit the confidence to questions of your own."""
    if reset == (file is not None):
        raise QaError("Give either a file of questions or --reset: qa calibrate questions.jsonl")
    console = Console.of(quiet=quiet)
    bot = Bot.open(library, reader=reader_of(reader, no_reader))
    if file is None:
        forgotten = bot.forget_calibration()
        console.show("Forgotten." if forgotten else "There was none of your own.")
        return
    asked = examples(file)
    with console.counting("questions") as progress:
        made, found = bot.calibrate(asked, refused=refused, progress=progress)
    console.show(_calibrated(made, found))


def _calibrated(made: Calibration, found: list[Graded]) -> str:
    """What a calibration does to the questions that it was fitted to."""
    good = [made.of(each.confidence) >= made.threshold for each in found if each.answerable]
    bad = [made.of(each.confidence) >= made.threshold for each in found if not each.answerable]
    right = sum(each.right for each in found)
    asked = (
        f"{len(found)} questions asked. The first passage is right for {right} of the {len(good)} "
        "that have an answer."
    )
    told = (
        f"Below a confidence of {made.threshold:.2f} nothing answers: {good.count(False)} of these "
        f"go unanswered, and {bad.count(True)} of the {len(bad)} without an answer do not."
    )
    undo = "Measured on the questions that it was fitted to. Undo it: qa calibrate --reset"
    return f"{asked}\n{told}\n{undo}"


def doctor(library: Library = None) -> None:
    """Check the installation and every byte of the library."""
    from qa.doctor import checks

    console = Console.of()
    good = True
    for check in checks(locations.library(library)):
        good &= check.good
        console.show(clean(f"{'ok ' if check.good else 'BAD'} {check.name}: {check.found}"))
    raise typer.Exit(0 if good else 3)
