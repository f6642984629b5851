"""LlamaIndex, for real: small query engines with and without a language model."""

import datetime as dt
import shutil

import pages
import pytest
from llama_index.core import QueryBundle
from llama_index.core.llms import MockLLM
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.response_synthesizers.no_text import NoText
from llama_index.core.schema import MetadataMode, NodeRelationship
from news import news

from qa import Filters, QaError
from qa.integrations.llamaindex import QaRetriever

QUESTION = "Where will the two leaders meet?"


@pytest.fixture
def bot(tmp_path):
    return news(tmp_path)


def test_nodes_are_passages_cited_in_their_metadata(bot):
    answer = bot.ask(QUESTION, top_k=2)
    nodes = QaRetriever(bot, similarity_top_k=2).retrieve(QUESTION)
    assert [node.get_content() for node in nodes] == [hit.passage.text for hit in answer.hits]
    for node, hit in zip(nodes, answer.hits, strict=True):
        assert node.score == node.metadata["score"] == pytest.approx(hit.score, abs=1e-6)
        assert node.metadata["source"] == hit.citation.source
        assert node.metadata["title"] == hit.citation.title
        assert node.metadata["confidence"] == pytest.approx(answer.confidence, abs=1e-4)
        assert node.metadata["status"] == answer.status
        assert node.node.relationships[NodeRelationship.SOURCE].node_id == hit.citation.article_id
        article = bot.show(hit.citation).article
        assert article.text[node.node.start_char_idx : node.node.end_char_idx] == node.text


async def test_awaited_it_gives_the_same(bot):
    retriever = QaRetriever(bot)
    assert await retriever.aretrieve(QUESTION) == retriever.retrieve(QueryBundle(QUESTION))


def test_filters_go_into_the_search(bot):
    only = QaRetriever(bot, filters=Filters(until=dt.date(2023, 8, 31)))
    assert {node.metadata["source"] for node in only.retrieve(QUESTION)} == {"trains.md"}


def test_it_may_abstain_where_nothing_answers(bot):
    assert QaRetriever(bot, min_confidence=1.0).retrieve(QUESTION)
    assert QaRetriever(bot, min_confidence=1.0, abstain=True).retrieve(QUESTION) == []


def test_what_cannot_be_asked_is_an_error(bot):
    with pytest.raises(QaError, match="The question is empty"):
        QaRetriever(bot).retrieve("?")
    with pytest.raises(QaError, match="at least 1"):
        QaRetriever(bot, similarity_top_k=0).retrieve(QUESTION)


def test_a_query_engine_without_a_model_gives_the_evidence(bot):
    engine = RetrieverQueryEngine(
        QaRetriever(bot),
        NoText(llm=MockLLM()),  # named only because LlamaIndex looks for OpenAI otherwise
        node_postprocessors=[SimilarityPostprocessor(similarity_cutoff=0.5)],
    )
    found = engine.query(QUESTION).source_nodes
    assert [node.metadata["source"] for node in found] == ["summit.md"]


async def test_a_model_is_told_the_passage_and_where_it_stands_and_no_more(bot):
    engine = RetrieverQueryEngine(
        QaRetriever(bot, similarity_top_k=1),
        get_response_synthesizer(llm=MockLLM(), response_mode=ResponseMode.COMPACT),
    )
    told = str(await engine.aquery(QUESTION))  # the mock says what it was told
    assert (
        "title: Leaders plan a summit\nsource: summit.md\ndate: 2023-09-11\n\n"
        "The two leaders will meet in Vladivostok." in told
    )
    assert "sha256" not in told
    (node,) = QaRetriever(bot, similarity_top_k=1).retrieve(QUESTION)
    assert "sha256" not in node.node.get_content(MetadataMode.EMBED)


@pytest.mark.real
def test_the_page_about_it_is_true(tmp_path):
    shutil.copytree(pages.ROOT / "seeds", tmp_path / "articles")
    pages.run("llamaindex.md", tmp_path)
