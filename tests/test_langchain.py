"""LangChain, for real: its own standard tests, and a small chain."""

import datetime as dt
import shutil

import pages
import pytest
from langchain_core.documents import Document
from langchain_core.language_models import FakeListChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough
from langchain_tests.integration_tests import RetrieversIntegrationTests
from news import news

from qa import Filters, QaError
from qa.integrations.langchain import QaRetriever


@pytest.fixture
def bot(tmp_path):
    return news(tmp_path)


class TestStandard(RetrieversIntegrationTests):
    """What LangChain asks of every retriever."""

    @pytest.fixture(autouse=True)
    def _opened(self, bot):
        self.bot = bot

    @property
    def retriever_constructor(self):
        return QaRetriever

    @property
    def retriever_constructor_params(self):
        return {"bot": self.bot}

    @property
    def retriever_query_example(self):
        return "Where will the leaders meet?"


def test_documents_are_passages_cited_in_their_metadata(bot):
    answer = bot.ask("Where will the leaders meet?", top_k=2)
    documents = QaRetriever(bot=bot, k=2).invoke("Where will the leaders meet?")
    assert [document.page_content for document in documents] == [
        hit.passage.text for hit in answer.hits
    ]
    found, hit = documents[0].metadata, answer.hits[0]
    for name in ("source", "title", "article_id", "start", "end", "line", "paragraph", "sha256"):
        assert found[name] == getattr(hit.citation, name)
    assert found["date"] == hit.citation.date.isoformat()
    assert found["score"] == pytest.approx(hit.score, abs=1e-6)
    assert found["confidence"] == pytest.approx(answer.confidence, abs=1e-4)
    assert (found["rank"], found["status"], found["span"]) == (1, answer.status, None)
    article = bot.show(hit.citation).article
    assert article.text[found["start"] : found["end"]] == documents[0].page_content


def test_an_id_is_that_of_the_passage_whatever_is_asked(bot):
    def ids(question):
        return {document.id for document in QaRetriever(bot=bot, k=20).invoke(question)}

    assert ids("Where will the leaders meet?") == ids("Who sends food aid?")
    assert len(ids("Where will the leaders meet?")) == bot.status().passages


async def test_awaited_it_gives_the_same(bot):
    retriever = QaRetriever(bot=bot)
    assert await retriever.ainvoke("Who sends food aid?") == retriever.invoke("Who sends food aid?")
    (batched,) = await retriever.abatch(["Who sends food aid?"])
    assert batched == retriever.invoke("Who sends food aid?")


def test_filters_go_into_the_search(bot):
    only = QaRetriever(bot=bot, filters=Filters(since=dt.date(2023, 9, 12)))
    assert {found.metadata["source"] for found in only.invoke("Where will they meet?")} == {
        "weather.md"
    }
    asked = only.invoke("Where will they meet?", filters=Filters(sources=("trains",)))
    assert {found.metadata["source"] for found in asked} == {"trains.md"}


def test_it_may_abstain_where_nothing_answers(bot):
    assert QaRetriever(bot=bot, min_confidence=1.0).invoke("Who sends food aid?")
    assert (
        QaRetriever(bot=bot, min_confidence=1.0, abstain=True).invoke("Who sends food aid?") == []
    )


def test_what_cannot_be_asked_is_an_error(bot):
    with pytest.raises(QaError, match="The question is empty"):
        QaRetriever(bot=bot).invoke(" ")
    with pytest.raises(QaError, match="at least 1"):
        QaRetriever(bot=bot).invoke("Who?", k=0)
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        QaRetriever(bot=bot, k=0)


def test_in_a_chain_the_model_is_told_the_passages(bot):
    seen = []

    def told(documents: list[Document]) -> str:
        seen.extend(documents)
        return "\n".join(
            f"[{found.metadata['source']}] {found.page_content}" for found in documents
        )

    chain = (
        {"context": QaRetriever(bot=bot, k=1) | told, "question": RunnablePassthrough()}
        | ChatPromptTemplate.from_template("{context}\n\n{question}")
        | (lambda prompt: seen.append(prompt.to_string()) or prompt)
        | FakeListChatModel(responses=["In Vladivostok."])
        | StrOutputParser()
    )
    assert chain.invoke("Where will the two leaders meet?") == "In Vladivostok."
    assert seen[0].metadata["source"] == "summit.md"
    assert seen[1] == (
        "Human: [summit.md] The two leaders will meet in Vladivostok.\n\n"
        "Where will the two leaders meet?"
    )


@pytest.mark.real
def test_the_page_about_it_is_true(tmp_path):
    shutil.copytree(pages.ROOT / "seeds", tmp_path / "articles")
    pages.run("langchain.md", tmp_path)
