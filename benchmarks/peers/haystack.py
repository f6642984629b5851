"""Haystack: the in-memory document store, saved to disk, and a pipeline that asks it."""

from haystack import Document, Pipeline
from haystack.components.retrievers.in_memory import InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)


def fill(passages, model, folder):
    embedder = SentenceTransformersDocumentEmbedder(model=model, progress_bar=False)
    embedder.warm_up()
    documents = [Document(id=key, content=text) for key, text in passages]
    store = InMemoryDocumentStore(embedding_similarity_function="cosine")
    store.write_documents(embedder.run(documents=documents)["documents"])
    store.save_to_disk(f"{folder}/store.json")


def opened(model, folder):
    store = InMemoryDocumentStore.load_from_disk(f"{folder}/store.json")
    pipeline = Pipeline()
    pipeline.add_component(
        "embedder", SentenceTransformersTextEmbedder(model=model, progress_bar=False)
    )
    pipeline.add_component("retriever", InMemoryEmbeddingRetriever(document_store=store))
    pipeline.connect("embedder.embedding", "retriever.query_embedding")

    def ask(question, k):
        asked = {"embedder": {"text": question}, "retriever": {"top_k": k}}
        documents = pipeline.run(asked)["retriever"]["documents"]
        return [(document.id, document.content) for document in documents]

    return ask
