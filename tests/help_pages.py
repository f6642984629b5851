"""The `--help` of every command as one page; run it to write docs/commands.md anew."""

from pathlib import Path

import typer
from typer.testing import CliRunner

from qa.cli import app

HEAD = "# Commands\n\nMade by `python tests/help_pages.py` from the `--help` of each command.\n"


def page() -> str:
    """The page as Markdown."""
    command = typer.main.get_command(app)
    parts = [HEAD, _block("qa", [])]
    parts += [_block(f"qa {name}", [name]) for name in command.commands]
    return "\n".join(parts)


def _block(title: str, arguments: list[str]) -> str:
    runner = CliRunner(env={"COLUMNS": "80", "TERM": "dumb", "TERMINAL_WIDTH": "80"})
    done = runner.invoke(app, [*arguments, "--help"], prog_name="qa")
    assert done.exit_code == 0, done.output
    return f"## {title}\n\n```text\n{done.output.strip()}\n```\n"


if __name__ == "__main__":
    (Path(__file__).parent.parent / "docs" / "commands.md").write_text(page())
