"""Haystack, for real: pipelines that are run, saved and loaded."""

import shutil

import pages
import pytest
from haystack import Pipeline
from haystack.components.builders import PromptBuilder
from news import ARTICLES

from qa import Bot, Filters, QaError
from qa.errors import MissingLibrary
from qa.integrations.haystack import QaRetriever

pytestmark = pytest.mark.real
QUESTION = "Where will the two leaders meet?"


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The folder of a library, as it stands in a pipeline's file."""
    folder = tmp_path_factory.mktemp("haystack") / "news"
    bot = Bot.open(folder, create=True)
    for name, text in ARTICLES.items():
        bot.add_text(text, name)
    return str(folder)


def sources(output):
    return {document.meta["source"] for document in output["documents"]}


def test_documents_are_passages_cited_in_their_meta(library):
    answer = Bot.open(library).ask(QUESTION, top_k=2)
    output = QaRetriever(library, top_k=2).run(QUESTION)
    assert (output["status"], output["confidence"]) == (answer.status, answer.confidence)
    assert len(output["documents"]) == len(answer.hits) == 2
    for document, hit in zip(output["documents"], answer.hits, strict=True):
        assert document.content == hit.passage.text
        assert document.score == document.meta["score"] == pytest.approx(hit.score, abs=1e-6)
        for name in ("source", "title", "article_id", "start", "end", "line", "sha256"):
            assert document.meta[name] == getattr(hit.citation, name)
    span = answer.hits[0].span
    assert output["documents"][0].meta["span"]["text"] == span.text == "Vladivostok"


async def test_awaited_it_gives_the_same(library):
    retriever = QaRetriever(library)
    assert await retriever.run_async(QUESTION) == retriever.run(QUESTION)


def test_filters_go_into_the_search(library):
    retriever = QaRetriever(library, filters={"since": "2023-09-12"})
    assert sources(retriever.run(QUESTION)) == {"weather.md"}
    assert sources(retriever.run(QUESTION, filters={"sources": ["food"]})) == {"food.md"}
    assert len(sources(retriever.run(QUESTION, filters={}))) > 1
    with pytest.raises(QaError, match="No filter 'field'"):
        QaRetriever(library, filters={"field": "meta.date", "operator": ">=", "value": "2023"})
    with pytest.raises(QaError, match="is no date"):
        retriever.run(QUESTION, filters={"until": "soon"})


def test_the_filters_are_those_of_the_bot(library):
    asked = Bot.open(library).ask(QUESTION, filters=Filters(sources=("train", "*.txt")))
    output = QaRetriever(library).run(QUESTION, filters={"sources": ["train", "*.txt"]})
    assert [document.content for document in output["documents"]] == [
        hit.passage.text for hit in asked.hits
    ]


def test_it_may_abstain_where_nothing_answers(library):
    strict = {"min_confidence": 1.0}
    assert QaRetriever(library, **strict).run(QUESTION)["documents"]
    output = QaRetriever(library, **strict, abstain=True).run(QUESTION)
    assert (output["documents"], output["status"]) == ([], "unanswered")


def test_what_cannot_be_used_is_an_error(library):
    with pytest.raises(MissingLibrary, match="No library at"):
        QaRetriever("nowhere-at-all").warm_up()
    with pytest.raises(QaError, match="at least 1"):
        QaRetriever(library).run(QUESTION, top_k=0)


TOLD = "{{ status }}:{% for found in documents %} [{{ found.meta.source }}] {{ found.content }}{% endfor %}"


async def test_a_pipeline_is_saved_and_loaded_and_answers_the_same(library):
    made = Pipeline()
    retriever = QaRetriever(library, top_k=1, filters={"sources": ["*.md"]}, abstain=True)
    made.add_component("retriever", retriever)
    made.add_component("prompt", PromptBuilder(TOLD, required_variables="*"))
    made.connect("retriever.status", "prompt.status")
    made.connect("retriever.documents", "prompt.documents")
    # Haystack loads no classes of others unless they are trusted by name.
    loaded = Pipeline.loads(made.dumps(), allowed_modules=["qa.integrations.haystack"])
    assert loaded.to_dict() == made.to_dict()

    async def prompts(question):
        asked = {"retriever": {"query": question}}
        runs = (made.run(asked), loaded.run(asked), await loaded.run_async(asked))
        return {run["prompt"]["prompt"] for run in runs}

    assert await prompts(QUESTION) == {
        "answered: [summit.md] The two leaders will meet in Vladivostok."
    }
    assert await prompts("Who painted the ceiling of the chapel?") == {"unanswered:"}


def test_a_component_is_saved_as_plain_values_with_all_that_was_chosen(library):
    chosen = {
        "library": library, "top_k": 7, "mode": "dense", "filters": {"since": "2023"},
        "min_confidence": 0.4, "abstain": True, "model": None, "reader": None,
    }  # fmt: skip
    saved = QaRetriever(**chosen).to_dict()
    assert saved == {"type": "qa.integrations.haystack.QaRetriever", "init_parameters": chosen}
    assert QaRetriever.from_dict(saved).to_dict() == saved


def test_the_page_about_it_is_true(tmp_path):
    shutil.copytree(pages.ROOT / "seeds", tmp_path / "articles")
    pages.run("haystack.md", tmp_path)
