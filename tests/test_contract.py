"""One question, asked in every way there is: the same passages, offsets, scores and confidence.

A new way is one function from a library and questions to rows, and one line in `WAYS`.
"""

import json
import sys

import httpx
import pytest
from installed import Command
from mcp import Client, StdioServerParameters
from pages import ROOT
from serving import running_server

from qa import Bot, Conversation
from qa.integrations import haystack, langchain, llamaindex
from qa.integrations.mcp import server
from qa.schema import dumps, hits_as_dicts
from qa.server.settings import Limits, Settings

pytestmark = pytest.mark.real

ARTICLES = ROOT / "tests" / "data" / "own" / "articles"
TOP_K = 3
QUESTIONS = (
    "Who will pay for the repair of the bridge?",
    "When does Harl Bridge close?",
    "Who painted the ceiling of the chapel?",
)


@pytest.fixture(scope="module")
def library(packages, tmp_path_factory):
    """The command `qa` in a folder with a library at `.qa`."""
    folder = tmp_path_factory.mktemp("contract") / "here"
    folder.mkdir()
    made = Bot.open(folder / ".qa", create=True)
    for name in ("bridge-council.txt", "bridge-gazette.txt", "lighthouse.txt"):
        made.add_text((ARTICLES / name).read_text(), name)
    return Command(packages, folder)


def row(text, score, span, confidence, status, **cited):
    """What must be the same in every way, of one passage."""
    words = span and (span["start"], span["end"], span["text"])
    place = (cited["source"], cited["article_id"], cited["start"], cited["end"], cited["sha256"])
    return place, text, round(score, 6), words, round(confidence, 4), status


def rows(answer):
    """The rows of an answer as JSON."""
    return [
        row(
            hit["text"], hit["score"], hit["span"], answer["confidence"], answer["status"],
            **hit["citation"],
        )
        for hit in answer["hits"]
    ]  # fmt: skip


@pytest.fixture(scope="module")
def expected(library):
    """The rows of each answer in Python."""
    bot = Bot.open(library.folder / ".qa")
    return [_in_python(bot.ask(question, top_k=TOP_K)) for question in QUESTIONS]


def _in_python(answer):
    found = []
    for hit in answer.hits:
        cited = {name: getattr(hit.citation, name) for name in hit.citation.__slots__}
        span = hit.span and {"start": hit.span.start, "end": hit.span.end, "text": hit.span.text}
        found.append(
            row(hit.passage.text, hit.score, span, answer.confidence, answer.status, **cited)
        )
    return found


async def command(library, questions):
    asked = ("ask", "-", "-l", ".qa", "-k", TOP_K, "--format", "jsonl")
    lines = library(*asked, stdin="\n".join(questions), code=1).stdout.splitlines()
    return [rows(json.loads(line)) for line in lines]


async def over_http(library, questions):
    bot = Bot.open(library.folder / ".qa")
    with running_server(bot, Settings(port=0)) as address:
        asked = [{"question": question, "top_k": TOP_K} for question in questions]
        async with httpx.AsyncClient(base_url=address) as client:
            answers = [await client.post("/v1/ask", json=body, timeout=60) for body in asked]
    return [rows(answer.json()) for answer in answers]


async def assistant(library, questions):
    served = StdioServerParameters(
        command=sys.executable, args=["-m", "qa", "mcp", "-l", ".qa"],
        env=library.env, cwd=library.folder,
    )  # fmt: skip
    async with Client(served) as client:
        asked = [{"question": question, "top_k": TOP_K} for question in questions]
        answers = [await client.call_tool("ask", arguments) for arguments in asked]
    return [rows(answer.structured_content) for answer in answers]


async def in_langchain(library, questions):
    retriever = langchain.QaRetriever(bot=Bot.open(library.folder / ".qa"), k=TOP_K)
    answers = await retriever.abatch(list(questions))
    return [[row(item.page_content, **item.metadata) for item in found] for found in answers]


async def in_llamaindex(library, questions):
    retriever = llamaindex.QaRetriever(Bot.open(library.folder / ".qa"), similarity_top_k=TOP_K)
    answers = [await retriever.aretrieve(question) for question in questions]
    return [
        [row(node.text, **{**node.metadata, "score": node.score}) for node in nodes]
        for nodes in answers
    ]


async def in_haystack(library, questions):
    retriever = haystack.QaRetriever(str(library.folder / ".qa"), top_k=TOP_K)
    answers = [await retriever.run_async(question) for question in questions]
    return [
        [row(item.content, **{**item.meta, "score": item.score}) for item in found["documents"]]
        for found in answers
    ]


WAYS = {
    "command": command,
    "http": over_http,
    "mcp": assistant,
    "langchain": in_langchain,
    "llamaindex": in_llamaindex,
    "haystack": in_haystack,
}


@pytest.mark.parametrize("way", WAYS)
async def test_a_question_has_one_answer_in_every_way(way, library, expected):
    assert [len(found) for found in expected] == [TOP_K] * len(QUESTIONS)
    assert {found[0][-1] for found in expected} == {"answered", "unanswered"}
    assert await WAYS[way](library, QUESTIONS) == expected


EARLIER = ["Who tended the lamp for the first twenty-six years?", "Where are his notebooks now?"]
FOLLOW_UP = "and who came after him?"


async def follow_up_over_http(library):
    bot = Bot.open(library.folder / ".qa")
    patient = Limits(answer_s=600)  # it is asked four questions, and a model is loaded
    with running_server(bot, Settings(port=0, limits=patient)) as address:
        body = {"question": FOLLOW_UP, "earlier": EARLIER, "top_k": TOP_K}
        async with httpx.AsyncClient(base_url=address, timeout=600) as client:
            asked = (await client.post("/v1/ask", json=body)).json()
            found = (await client.post("/v1/search", json=body)).json()["hits"]
    return rows(asked), found


async def follow_up_of_an_assistant(library):
    async with Client(server(Bot.open(library.folder / ".qa"))) as client:
        arguments = {"question": FOLLOW_UP, "earlier": EARLIER, "top_k": TOP_K}
        asked = (await client.call_tool("ask", arguments)).structured_content
        found = (await client.call_tool("search", arguments)).structured_content["hits"]
    return rows(asked), found


async def follow_up_in_langchain(library):
    retriever = langchain.QaRetriever(bot=Bot.open(library.folder / ".qa"), k=TOP_K)
    found = await retriever.ainvoke(FOLLOW_UP, earlier=EARLIER)
    assert found == retriever.invoke(FOLLOW_UP, earlier=EARLIER)
    assert found != retriever.invoke(FOLLOW_UP)
    return [row(item.page_content, **item.metadata) for item in found], None


async def follow_up_in_haystack(library):
    retriever = haystack.QaRetriever(str(library.folder / ".qa"), top_k=TOP_K)
    found = await retriever.run_async(FOLLOW_UP, earlier=EARLIER)
    assert found == retriever.run(FOLLOW_UP, earlier=EARLIER)
    return [
        row(item.content, **{**item.meta, "score": item.score}) for item in found["documents"]
    ], None


FOLLOWING = {
    "http": follow_up_over_http,
    "mcp": follow_up_of_an_assistant,
    "langchain": follow_up_in_langchain,
    "haystack": follow_up_in_haystack,
}


@pytest.fixture(scope="module")
def followed(library):
    """The rows of the follow-up in Python, and the hits of its search."""
    bot, talk = Bot.open(library.folder / ".qa"), Conversation()
    for question in EARLIER:
        talk = talk.after(bot.ask(question, conversation=talk))
    answer = bot.ask(FOLLOW_UP, top_k=TOP_K, conversation=talk)
    assert answer.carried
    found = bot.search(FOLLOW_UP, top_k=TOP_K, conversation=talk)
    return _in_python(answer), json.loads(dumps(hits_as_dicts(found)))


@pytest.mark.parametrize("way", FOLLOWING)
async def test_a_follow_up_has_one_answer_in_every_way_that_is_told_the_earlier_ones(
    way, library, followed
):
    asked, found = await FOLLOWING[way](library)
    assert asked == followed[0]
    assert found in (followed[1], None)
