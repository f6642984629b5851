"""The command that serves assistants: mcp."""

import sys
from typing import Annotated

import typer

from qa.bot import Bot
from qa.cli.options import Library, Model, NoReader, Quiet, ReaderOption, reader_of
from qa.console import Console
from qa.errors import QaError

_PORT = 8722


def mcp(
    library: Library = None,
    model: Model = None,
    reader: ReaderOption = None,
    no_reader: NoReader = False,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP on this machine.")] = False,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="With --http.", show_default=str(_PORT)),
    ] = None,
    writable: Annotated[
        bool, typer.Option("--writable", help="Let assistants add articles.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Serve assistants the library, by the Model Context Protocol."""
    if port is not None and not http:
        raise QaError("--port goes with --http; without it the client starts qa mcp itself.")
    try:
        from qa.integrations import mcp as protocol
    except ImportError as error:
        raise QaError(str(error)) from error
    console = Console.of(quiet=quiet)
    bot = Bot.open(library, model=model, reader=reader_of(reader, no_reader), create=writable)
    made = protocol.server(bot, writable=writable)
    if not http:
        if sys.stdin.isatty():
            console.notice("an MCP client starts this and talks to it; --http serves without one.")
        protocol.serve_stdio(made)
        return
    listener = protocol.listening(_PORT if port is None else port)
    address = f"http://{protocol.HOST}:{listener.getsockname()[1]}{protocol.PATH}"
    console.notice(f"serving MCP at {address}; Ctrl-C ends it.")
    protocol.serve_http(made, listener)
