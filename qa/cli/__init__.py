"""The command line: each command is a verb of the bot, shown.

Exit codes, as grep has them: 0 answered, 1 nothing here answers that, 2 usage or configuration,
3 library missing, damaged or of another model, 130 interrupted.
"""

import os
from collections.abc import Sequence
from typing import Annotated

import typer

from qa.cli import asking, assisting, keeping, measuring, serving
from qa.console import TRACEBACK, Console, OutputClosed, complain, fault, forward_warnings
from qa.errors import QaError

INTERRUPTED = 130

app = typer.Typer(
    name="qa",
    help="Ask your own articles: the passages that answer, with citations. Local, no LLM.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(asking.ask)
app.command()(asking.search)
app.command()(asking.chat)
app.command()(keeping.add)
app.command()(keeping.remove)
app.command(name="list")(keeping.list_)
app.command()(keeping.status)
app.command()(keeping.show)
app.command(name="open")(keeping.open_)
app.command()(keeping.verify)
app.command()(keeping.reindex)
app.command(name="sessions")(keeping.sessions_)
app.command()(assisting.mcp)
app.command()(serving.serve)
app.command(name="eval")(measuring.eval_)
app.command()(measuring.calibrate)
app.command()(measuring.doctor)


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
        if os.environ.get(TRACEBACK):
            raise
        complain(fault(error))
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
        asking.chat()
