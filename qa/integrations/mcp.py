"""MCP: the bot as tools and resources of an assistant, by the official SDK."""

import logging
import os
import re
import signal
import socket
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from qa.bot import Bot
from qa.errors import LibraryError, LockedError, QaError
from qa.integrations import missing
from qa.integrations.paging import PAGE, page
from qa.integrations.tools import INSTRUCTIONS, Tool, checked, tools
from qa.library import ArticleInfo
from qa.places import Place
from qa.schema import dumps

try:
    from mcp import types
    from mcp.server import Server, ServerRequestContext
    from mcp.shared.exceptions import MCPError
except ImportError as error:
    raise missing("mcp", error) from error

if TYPE_CHECKING:
    from mcp.shared._stream_protocols import ReadStream, WriteStream
    from mcp.shared.message import SessionMessage
    from starlette.applications import Starlette

_log = logging.getLogger(__name__)

HOST = "127.0.0.1"
PATH = "/mcp"

_Context = ServerRequestContext[Any, Any]
_ARTICLE = "qa://articles/{article_id}{?source}"
_PASSAGE = "qa://articles/{article_id}/passages/{start}-{end}{?source}"
_RESOURCE = re.compile(
    r"qa://articles/(?P<id>[^/?#]{1,3000})"
    r"(?:/passages/(?P<start>\d{1,12})-(?P<end>\d{1,12}))?(?:\?source=(?P<source>[^&#]+))?"
)


def server(bot: Bot, *, writable: bool = False) -> "Server[Any]":
    """An MCP server over a bot; its tool `add` is there only if it is writable."""
    from importlib.metadata import version

    known = {tool.name: tool for tool in tools(bot, writable=writable)}

    async def list_tools(
        _context: _Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[_described(tool) for tool in known.values()])

    async def call_tool(
        _context: _Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if params.name not in known:
            raise _invalid(f"No tool '{params.name}'. There are: {', '.join(known)}.")
        return await _called(bot, known[params.name], params.arguments or {})

    async def list_resources(
        _context: _Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        try:
            infos = await bot.aarticles()
            here, after = page(infos, PAGE, params.cursor if params else None)
        except QaError as error:
            raise _protocol(error) from error
        several = _repeated(infos)
        resources = [_resource(info, named=info.id in several) for info in here]
        return types.ListResourcesResult(resources=resources, next_cursor=after)

    async def list_templates(
        _context: _Context, _params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        return types.ListResourceTemplatesResult(resource_templates=_templates())

    async def read_resource(
        _context: _Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        text = await _read(bot, params.uri)
        contents = types.TextResourceContents(uri=params.uri, text=text, mime_type="text/plain")
        return types.ReadResourceResult(contents=[contents])

    return Server(
        "qa",
        title="Ask your own articles",
        version=version("article-qa"),
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


def serve_stdio(made: "Server[Any]") -> None:
    """Serves one client over standard input and output until it closes them."""
    import anyio
    from mcp.server.stdio import stdio_server
    from mcp.shared.message import SessionMessage

    async def serve() -> None:
        passing, passed = anyio.create_memory_object_stream[SessionMessage | Exception]()
        async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as tasks:
            tasks.start_soon(_refuse_garbage, incoming, passing, outgoing)
            await made.run(passed, outgoing, made.create_initialization_options())

    # Waiting for input cannot be cancelled, so an interrupt would wait for it, too.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    anyio.run(serve)


async def _refuse_garbage(
    incoming: "ReadStream[SessionMessage | Exception]",
    passing: "WriteStream[SessionMessage | Exception]",
    outgoing: "WriteStream[SessionMessage]",
) -> None:
    """Passes messages on; for what is none, which the SDK lets fall unheard, answers an error."""
    from mcp.shared.message import SessionMessage
    from pydantic import ValidationError

    async with passing:
        async for item in incoming:
            if not isinstance(item, ValidationError):
                await passing.send(item)
                continue
            if item.errors()[0]["type"] == "json_invalid":
                error = types.ErrorData(code=types.PARSE_ERROR, message="Not JSON.")
            else:
                said = "No request, notification or response of JSON-RPC 2.0."
                error = types.ErrorData(code=types.INVALID_REQUEST, message=said)
            _log.warning("the client sent a line that is refused: %s", error.message)
            reply = types.JSONRPCError(jsonrpc="2.0", id=None, error=error)
            await outgoing.send(SessionMessage(reply))


def listening(port: int) -> socket.socket:
    """A socket that listens on this machine alone; port 0 takes a free one.

    Raises:
        QaError: the port is taken, or may not be used.
    """
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise QaError(
            f"Port {port} cannot be used ({os.strerror(error.errno or 0)}). "
            "Choose another: --port NUMBER"
        ) from error


def serve_http(made: "Server[Any]", listener: socket.socket) -> None:
    """Serves clients over streamable HTTP until interrupted."""
    import uvicorn

    config = uvicorn.Config(
        http_app(made, listener.getsockname()[1]),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    uvicorn.Server(config).run(sockets=[listener])


def http_app(made: "Server[Any]", port: int) -> "Starlette":
    """The server as an ASGI application.

    Names of other hosts and pages of other origins are turned away, so that no page in a browser
    can reach it by way of DNS.
    """
    from mcp.server.transport_security import TransportSecuritySettings

    hosts = [f"{name}:{port}" for name in (HOST, "localhost")]
    security = TransportSecuritySettings(
        allowed_hosts=hosts, allowed_origins=[f"http://{host}" for host in hosts]
    )
    return made.streamable_http_app(streamable_http_path=PATH, transport_security=security)


def uri(info: ArticleInfo, *, named: bool) -> str:
    """The address of an article as a resource; `named` with its source, where ids repeat."""
    beside = f"?source={quote(info.source, safe='')}" if named else ""
    return f"qa://articles/{quote(info.id, safe='')}{beside}"


def _described(tool: Tool) -> types.Tool:
    hints = types.ToolAnnotations(
        title=tool.title,
        read_only_hint=not tool.writes,
        destructive_hint=tool.writes,
        idempotent_hint=True,
        open_world_hint=False,
    )
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.takes,
        output_schema=tool.gives,
        annotations=hints,
    )


async def _called(bot: Bot, tool: Tool, arguments: Mapping[str, Any]) -> types.CallToolResult:
    """What a tool gives, or, for an error that the assistant can mend, what it says."""
    import asyncio

    try:
        values = await asyncio.to_thread(tool.call, bot, checked(tool, arguments))
    except QaError as error:
        content = types.TextContent(type="text", text=error.said)
        return types.CallToolResult(content=[content], is_error=True)
    content = types.TextContent(type="text", text=dumps(values))
    return types.CallToolResult(content=[content], structured_content=values)


def _resource(info: ArticleInfo, *, named: bool) -> types.Resource:
    date = f", {info.date.isoformat()}" if info.date else ""
    return types.Resource(
        uri=uri(info, named=named),
        name=info.source,
        title=info.title or info.source,
        description=f"{info.source}{date}, {info.characters:,} characters",
        mime_type="text/plain",
    )


def _templates() -> list[types.ResourceTemplate]:
    return [
        types.ResourceTemplate(
            uri_template=_ARTICLE,
            name="article",
            title="An article",
            description="The whole text of an article, by its article_id; where several have one "
            "id, with its source.",
            mime_type="text/plain",
        ),
        types.ResourceTemplate(
            uri_template=_PASSAGE,
            name="passage",
            title="A cited passage",
            description="The text of an article from start to end, as a citation has them.",
            mime_type="text/plain",
        ),
    ]


async def _read(bot: Bot, address: str) -> str:
    """The text of the article or passage at an address.

    Raises:
        MCPError: there is none, or several.
    """
    match = _RESOURCE.fullmatch(address)
    if match is None:
        raise _invalid(f"'{address[:200]}' is no resource here: {_ARTICLE} or {_PASSAGE}")
    article_id = unquote(match["id"])
    source = unquote(match["source"]) if match["source"] else None
    try:
        shown = await bot.ashow(Place((article_id,), source=source))
    except QaError as error:
        raise _protocol(error) from error
    text = shown.article.text
    if shown.article.id != article_id:
        raise _invalid(f"No article has the id '{article_id}'.")
    if match["start"] is None:
        return text
    start, end = int(match["start"]), int(match["end"])
    if not start < end <= len(text):
        raise _invalid(f"The article has {len(text)} characters: {start}-{end} is not in it.")
    return text[start:end]


def _repeated(infos: list[ArticleInfo]) -> set[str]:
    """The ids that several articles have."""
    return {article_id for article_id, times in Counter(i.id for i in infos).items() if times > 1}


def _protocol(error: QaError) -> MCPError:
    """An error as the protocol has it: of the library, or else of what was asked for."""
    ours = isinstance(error, LibraryError | LockedError)
    return MCPError(code=types.INTERNAL_ERROR if ours else types.INVALID_PARAMS, message=error.said)


def _invalid(message: str) -> MCPError:
    return MCPError(code=types.INVALID_PARAMS, message=message)
