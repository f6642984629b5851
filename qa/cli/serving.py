"""The command that serves: serve."""

import os
from pathlib import Path
from typing import Annotated

import typer

from qa.bot import Bot
from qa.cli.options import Library, Model, NoReader, Quiet, ReaderOption, reader_of
from qa.console import Console, complain
from qa.errors import QaError

TOKEN = "QA_TOKEN"  # noqa: S105 -- the name of a variable


def serve(
    library: Library = None,
    model: Model = None,
    reader: ReaderOption = None,
    no_reader: NoReader = False,
    host: Annotated[str, typer.Option("--host", help="Where to listen.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="And on which port; 0: any.")
    ] = 8000,
    writable: Annotated[
        bool, typer.Option("--writable", help="Let articles be added and removed.")
    ] = False,
    root: Annotated[
        list[Path] | None,
        typer.Option("--root", help="Files below it may be added by path; implies --writable."),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option("--allow-host", help="A name the server is asked under.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Serve the library over HTTP, with a page at / (needs article-qa[serve])."""
    import secrets

    try:
        from qa.server import running
        from qa.server.settings import Settings, is_loopback
    except ImportError as error:
        raise QaError(
            f'qa serve needs more packages ({error}): pip install "article-qa[serve]"'
        ) from error
    for folder in root or ():
        if not folder.is_dir():
            raise QaError(f"--root {folder} is no folder. Give one that holds articles.")
    token = os.environ.get(TOKEN) or (None if is_loopback(host) else secrets.token_urlsafe(24))
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise QaError(
            f"{TOKEN} cannot be sent in a header. Use letters, digits and signs of ASCII."
        )
    settings = Settings(
        host=host,
        port=port,
        token=token,
        writable=writable or bool(root),
        roots=tuple(folder.resolve() for folder in root or ()),
        names=tuple(name.lower() for name in allow_host or ()),
    )
    reads = reader_of(reader, no_reader)
    bot = Bot.open(library, model=model, reader=reads, create=settings.writable)

    def tell(address: str) -> None:
        Console.of().show(address)
        if not quiet:
            complain(f"serving {bot.status().path}. Open the address; Ctrl-C ends it.")

    running.run(bot, settings, tell)
