"""LangChain: the FAISS vector store of langchain-community, saved to disk."""

from langchain_community.vectorstores import FAISS
from langchain_huggingface import HuggingFaceEmbeddings


def fill(passages, model, folder):
    keys, texts = zip(*passages, strict=True)
    store = FAISS.from_texts(list(texts), HuggingFaceEmbeddings(model_name=model), ids=list(keys))
    store.save_local(folder)


def opened(model, folder):
    embeddings = HuggingFaceEmbeddings(model_name=model)
    store = FAISS.load_local(folder, embeddings, allow_dangerous_deserialization=True)

    def ask(question, k):
        return [(found.id, found.page_content) for found in store.similarity_search(question, k=k)]

    return ask
