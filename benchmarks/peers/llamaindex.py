"""LlamaIndex: a VectorStoreIndex with its default stores, persisted, and its retriever."""

from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding


def fill(passages, model, folder):
    nodes = [TextNode(id_=key, text=text) for key, text in passages]
    index = VectorStoreIndex(nodes, embed_model=HuggingFaceEmbedding(model_name=model))
    index.storage_context.persist(persist_dir=folder)


def opened(model, folder):
    context = StorageContext.from_defaults(persist_dir=folder)
    index = load_index_from_storage(context, embed_model=HuggingFaceEmbedding(model_name=model))

    def ask(question, k):
        nodes = index.as_retriever(similarity_top_k=k).retrieve(question)
        return [(found.node.node_id, found.node.text) for found in nodes]

    return ask
