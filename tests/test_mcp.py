"""MCP, for real: the SDK's own client, in this process and over real ones."""

import http.client
import json
import shutil
import signal
import subprocess
import sys
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import jsonschema
import mcp.types as protocol
import pages
import pytest
from installed import Command
from mcp import Client, MCPError, StdioServerParameters
from news import ARTICLES, news

from qa import Bot
from qa.integrations.mcp import server
from qa.schema import answer_json

SCHEMA = json.loads((pages.ROOT / "docs" / "answer.schema.json").read_text())
QUESTION = "Where will the two leaders meet?"
HELLO = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}  # fmt: skip


@pytest.fixture
def bot(tmp_path):
    return news(tmp_path)


@pytest.fixture(scope="module")
def command(packages, tmp_path_factory):
    """The command `qa` in a folder with a library of the news."""
    folder = tmp_path_factory.mktemp("mcp") / "here"
    folder.mkdir()
    made = Bot.open(folder / ".qa", create=True)
    for name, text in ARTICLES.items():
        made.add_text(text, name)
    return Command(packages, folder)


def started(command, *arguments, **pipes):
    """`qa mcp` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "qa", "mcp", "-l", ".qa", *arguments],
        cwd=command.folder, env=command.env, **pipes,
    )  # fmt: skip


@pytest.fixture(scope="module")
def address(command):
    """Where a server answers over HTTP as long as these tests run."""
    process = started(command, "--http", "--port", "0", stderr=subprocess.PIPE)
    said = process.stderr.readline().decode()
    assert said.startswith("qa: serving MCP at http://127.0.0.1:"), said
    yield said.split()[4].rstrip(";")
    assert process.poll() is None, "the server did not outlive its clients"
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()


@asynccontextmanager
async def connected(transport, command, address, mode="auto"):
    if transport == "http":
        target = address
    else:
        target = StdioServerParameters(
            command=sys.executable, args=["-m", "qa", "mcp", "-l", ".qa"],
            env=command.env, cwd=command.folder,
        )  # fmt: skip
    async with Client(target, mode=mode) as client:
        yield client


def untimed(answer):
    return {name: value for name, value in answer.items() if name != "took_ms"}


@pytest.mark.real
@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("transport", ["stdio", "http"])
async def test_an_assistant_asks_reads_and_is_told_its_mistakes(transport, mode, command, address):
    expected = json.loads(answer_json(Bot.open(command.folder / ".qa").ask(QUESTION, top_k=2)))
    async with connected(transport, command, address, mode) as client:
        assert client.server_info.name == "qa"
        assert "exact quotation" in client.instructions
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["ask", "search", "show", "list"]
        assert tools["ask"].output_schema == SCHEMA
        found = await client.call_tool("ask", {"question": QUESTION, "top_k": 2})
        assert untimed(found.structured_content) == untimed(expected)
        assert json.loads(found.content[0].text) == found.structured_content
        jsonschema.validate(found.structured_content, SCHEMA)
        assert found.structured_content["hits"][0]["span"]["text"] == "Vladivostok"
        place = found.structured_content["hits"][0]["citation"]

        whole = f"qa://articles/{place['article_id']}"
        passage = f"{whole}/passages/{place['start']}-{place['end']}"
        text = (await client.read_resource(whole)).contents[0].text
        assert text == ARTICLES["summit.md"]
        read = (await client.read_resource(passage)).contents[0].text
        assert read == text[place["start"] : place["end"]] == expected["hits"][0]["text"]

        mistaken = await client.call_tool("ask", {"question": QUESTION, "top_k": 0})
        assert mistaken.is_error
        assert mistaken.content[0].text == "ask: top_k: 0 is less than the minimum of 1."
        for call in (
            client.call_tool("add", {"text": "A text.", "name": "a.txt"}),
            client.read_resource("qa://articles/nothing"),
            client.read_resource("file:///etc/passwd"),
        ):
            with pytest.raises(MCPError) as error:
                await call
            assert error.value.error.code == protocol.INVALID_PARAMS


NO_JSON = [b"hello", b"\xff\xfe\x00", b"[" * 50_000, b'{"a":' * 50_000, b'{"jsonrpc": "2.0", ']
NO_MESSAGE = [b"{}", b"[]", b"null", b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}']


@pytest.mark.real
def test_garbage_from_a_client_is_refused_and_leaves_the_server_alive(command):
    process = started(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    for line, code in (
        *((line, protocol.PARSE_ERROR) for line in NO_JSON),
        *((line, protocol.INVALID_REQUEST) for line in NO_MESSAGE),
    ):
        process.stdin.write(line + b"\n")
        process.stdin.flush()
        refused = json.loads(process.stdout.readline())
        assert (refused["jsonrpc"], refused["id"]) == ("2.0", None)
        assert refused["error"]["code"] == code
    asked = [
        HELLO,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "no/such"},
        {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": {"name": "ask"}},
        {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": 7}},
        {"jsonrpc": "2.0", "id": 5, "method": "resources/read", "params": {"uri": "http://[bad"}},
        {
            "jsonrpc": "2.0", "id": 6, "method": "tools/call",
            "params": {"name": "search", "arguments": {"question": QUESTION, "mode": "lexical"}},
        },
    ]  # fmt: skip
    for message in asked:
        process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    replies = [json.loads(process.stdout.readline()) for _ in range(6)]
    replied = {reply["id"]: reply for reply in replies}
    assert replied[1]["result"]["serverInfo"]["name"] == "qa"
    assert replied[2]["error"]["code"] == protocol.METHOD_NOT_FOUND
    assert replied[3]["result"]["isError"]
    assert replied[4]["error"]["code"] == protocol.INVALID_PARAMS
    assert replied[5]["error"]["code"] == protocol.INVALID_PARAMS
    assert replied[6]["result"]["structuredContent"]["hits"]
    out, err = process.communicate(timeout=20)  # its input ends: so does it
    assert (process.returncode, out) == (0, b"")
    assert err.decode().splitlines() == [
        *["qa: the client sent a line that is refused: Not JSON."] * len(NO_JSON),
        *["qa: the client sent a line that is refused: No request, notification or response of JSON-RPC 2.0."] * len(NO_MESSAGE),
    ]  # fmt: skip


@pytest.mark.real
def test_an_interrupt_ends_it_though_it_waits_for_input(command):
    process = started(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdin.write(json.dumps(HELLO).encode() + b"\n")
    process.stdin.flush()
    assert b"serverInfo" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == -signal.SIGINT
    process.stdin.close()
    process.stdout.close()


def posted(address, body, **headers):
    """The status of a request to the server, and what it answers."""
    host = address.removeprefix("http://").partition("/")[0]
    connection = http.client.HTTPConnection(host, timeout=20)
    given = {
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        **headers,
    }
    connection.request("POST", "/mcp", body, given)
    response = connection.getresponse()
    answered = response.status, response.read(2000).decode()
    connection.close()
    return answered


@pytest.mark.real
def test_over_http_only_this_machine_and_no_page_of_others_is_answered(address):
    hello = json.dumps(HELLO)
    port = address.removeprefix("http://").partition("/")[0].partition(":")[2]
    assert posted(address, hello)[0] == 200
    assert posted(address, hello, Origin=f"http://localhost:{port}")[0] == 200
    assert posted(address, hello, Host="evil.example")[0] == 421
    assert posted(address, hello, Host="127.0.0.1:1")[0] == 421
    assert posted(address, hello, Origin="http://evil.example")[0] == 403
    assert posted(address, hello, Origin="http://localhost:1")[0] == 403
    assert posted(address, hello, Origin="null")[0] == 403


@pytest.mark.real
def test_over_http_garbage_is_answered_as_the_protocol_says(address):
    status, said = posted(address, "garbage")
    assert (status, json.loads(said)["error"]["code"]) == (400, protocol.PARSE_ERROR)
    assert posted(address, "{}")[0] == 400
    assert posted(address, b"x" * (4 * 2**20 + 1))[0] == 413
    assert posted(address, json.dumps(HELLO), **{"Content-Type": "text/plain"})[0] == 400


@pytest.mark.real
async def test_a_client_that_goes_in_the_middle_is_forgotten(command, address):
    for _ in range(3):
        host = address.removeprefix("http://").partition("/")[0]
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.putrequest("POST", "/mcp")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b'{"jsonrpc": "2.0", ')
        connection.close()
    async with connected("http", command, address) as client:
        assert not (await client.call_tool("list", {})).is_error


@pytest.mark.real
def test_it_cannot_start_on_a_port_that_is_taken_or_asked_for_in_vain(command, address):
    port = address.rpartition(":")[2].partition("/")[0]
    taken = command("mcp", "-l", ".qa", "--http", "--port", port, code=2)
    assert taken.stderr == (
        f"qa: Port {port} cannot be used (Address already in use). Choose another: --port NUMBER\n"
    )
    assert "--port goes with --http" in command("mcp", "--port", "9", code=2).stderr
    assert "No library at" in command("mcp", "-l", "nowhere", code=3).stderr


async def test_each_tool_says_what_it_is_for_and_takes_nothing_unknown(bot):
    async with Client(server(bot, writable=True)) as client:
        tools = (await client.list_tools()).tools
        for tool in tools:
            assert len(tool.description) > 80
            jsonschema.Draft202012Validator.check_schema(tool.input_schema)
            jsonschema.Draft202012Validator.check_schema(tool.output_schema)
            assert all(
                field.get("description") for field in tool.input_schema["properties"].values()
            ), tool.name
            assert tool.annotations.read_only_hint == (tool.name != "add")
            wrong = await client.call_tool(tool.name, {"nothing": 1})
            assert wrong.is_error
    assert [tool.name for tool in tools] == ["ask", "search", "show", "list", "add"]


async def test_filters_and_modes_are_passed_through(bot):
    async with Client(server(bot)) as client:
        found = await client.call_tool(
            "search", {"question": QUESTION, "since": "2023-09-12", "mode": "dense"}
        )
        hits = found.structured_content["hits"]
        assert {hit["citation"]["source"] for hit in hits} == {"weather.md"}
        assert set(hits[0]["signals"]) == {"dense"}
        asked = await client.call_tool(
            "ask", {"question": QUESTION, "sources": ["food"], "min_confidence": 1}
        )
        assert asked.structured_content["status"] == "unanswered"
        assert {hit["citation"]["source"] for hit in asked.structured_content["hits"]} == {
            "food.md"
        }
        empty = await client.call_tool(
            "ask", {"question": QUESTION, "since": "2024", "until": "2023"}
        )
        assert empty.content[0].text == "Nothing is since 2024 and until 2023: exchange the two."


async def test_what_to_do_next_is_said_without_the_command_line(bot):
    async with Client(server(bot)) as client:
        empty = await client.call_tool("ask", {"question": "?"})
        assert empty.content[0].text == "The question is empty. Ask something."
        unknown = await client.call_tool("show", {"citation": "nothing"})
        assert unknown.content[0].text == "No article 'nothing' in the library. See what there is."


async def test_a_follow_up_is_understood_by_the_earlier_questions(bot):
    async with Client(server(bot)) as client:
        told = {"question": "when?", "earlier": [QUESTION]}
        answer = (await client.call_tool("ask", told)).structured_content
        assert answer["carried"]
        assert not (await client.call_tool("ask", {"question": "when?"})).structured_content[
            "carried"
        ]
        assert not (await client.call_tool("search", told)).is_error
        mistaken = await client.call_tool("ask", {"question": "when?", "earlier": [""]})
        assert mistaken.content[0].text.startswith("ask: earlier.0: ")
        many = await client.call_tool("ask", {"question": "when?", "earlier": ["when?"] * 21})
        assert many.is_error


async def test_an_article_is_read_on_from_next_to_next(bot):
    text = "Long\n\n" + "\n\n".join(
        f"Paragraph number {number} stands here." for number in range(200)
    )
    bot.add_text(text, "long.txt")
    async with Client(server(bot)) as client:
        place, before, read = "long.txt", 0, []
        while place:
            shown = (
                await client.call_tool("show", {"citation": place, "before": before, "after": 5})
            ).structured_content
            read += shown["passages"]
            place = shown["next"]
        assert [passage["text"] for passage in read] == [
            passage.text for passage in bot.show("long.txt").passages
        ]
        assert shown["article"]["passages"] == len(read) > 6
        cited = (await client.call_tool("show", {"citation": "long.txt:21"})).structured_content
        assert cited["citation"] in [passage["citation"] for passage in cited["passages"]]
        assert cited["passages"][0]["citation"]["line"] < 21


async def test_articles_are_listed_page_by_page_as_tools_and_as_resources(bot):
    async with Client(server(bot)) as client:
        seen, after = [], {}
        while after is not None:
            listed = (await client.call_tool("list", {"limit": 3, **after})).structured_content
            seen += [row["source"] for row in listed["articles"]]
            assert listed["total"] == 4
            cursor = listed["next_cursor"]
            after = {"cursor": cursor} if cursor else None
        assert seen == sorted(ARTICLES)
        wrong = await client.call_tool("list", {"cursor": "%%%"})
        assert "cursor" in wrong.content[0].text
        with pytest.raises(MCPError, match="cursor"):
            await client.list_resources(cursor="%%%")


async def test_every_article_is_a_resource_even_where_ids_repeat(bot):
    for number in range(120):
        bot.add_text(json.dumps({"id": "same", "text": f"Text {number}."}), f"n{number:03}.jsonl")
    async with Client(server(bot)) as client:
        first = await client.list_resources()
        rest = await client.list_resources(cursor=first.next_cursor)
        assert rest.next_cursor is None
        every = [*first.resources, *rest.resources]
        assert max(Counter(resource.uri for resource in every).values()) == 1
        assert len(every) == 124
        for resource in every[::10]:
            text = (await client.read_resource(resource.uri)).contents[0].text
            name = Path(resource.name)
            expected = ARTICLES.get(resource.name) or f"Text {int(name.stem[1:])}."
            assert text == expected
        with pytest.raises(MCPError, match="names 120 articles"):
            await client.read_resource("qa://articles/same")
        with pytest.raises(MCPError, match="has 7 characters"):
            await client.read_resource("qa://articles/same/passages/3-999?source=n007.jsonl")


async def test_articles_are_added_only_when_allowed_and_only_as_text(bot):
    async with Client(server(bot, writable=True)) as client:
        text = "Port news\n\nThe ferry now leaves at seven.\n"
        added = await client.call_tool("add", {"text": text, "name": "port.txt"})
        assert added.structured_content == {
            "added": 1, "changed": 0, "unchanged": 0, "removed": 0, "passages": 2,
        }  # fmt: skip
        found = await client.call_tool("ask", {"question": "When does the ferry leave?"})
        assert found.structured_content["hits"][0]["citation"]["source"] == "port.txt"
        again = await client.call_tool("add", {"text": "Port\n\nAt eight.", "name": "port.txt"})
        assert again.structured_content["changed"] == 1
        for wrong in (
            {"text": "x", "name": "no-suffix"},
            {"text": "", "name": "a.txt"},
            {"text": "x", "name": "a\n.txt"},
            {"text": "{}", "name": "a.jsonl"},
            {"text": "x", "name": "a.txt", "path": "/etc/passwd"},
        ):
            assert (await client.call_tool("add", wrong)).is_error, wrong


async def test_a_library_that_is_gone_is_an_error_until_there_is_one_again(bot, tmp_path):
    folder, aside = bot.status().path, tmp_path / "aside"
    async with Client(server(bot)) as client:
        folder.rename(aside)
        gone = await client.call_tool("ask", {"question": QUESTION})
        assert (gone.is_error, gone.content[0].text.startswith("No library at")) == (True, True)
        with pytest.raises(MCPError, match="No library at") as error:
            await client.list_resources()
        assert error.value.error.code == protocol.INTERNAL_ERROR
        assert "qa add" not in gone.content[0].text + str(error.value)
        aside.rename(folder)
        assert not (await client.call_tool("ask", {"question": QUESTION})).is_error


async def test_a_fault_of_our_own_is_logged_once_and_not_told(bot, monkeypatch, caplog):
    monkeypatch.setattr(bot, "search", lambda *_args, **_rest: 1 / 0)
    async with Client(server(bot)) as client:
        with pytest.raises(MCPError) as error:
            await client.call_tool("search", {"question": QUESTION})
        assert "division" not in str(error.value)
        assert not (await client.call_tool("list", {})).is_error
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.real
def test_the_page_about_it_is_true(tmp_path):
    shutil.copytree(pages.ROOT / "seeds", tmp_path / "articles")
    pages.run("mcp.md", tmp_path)
