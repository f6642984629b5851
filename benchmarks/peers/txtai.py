"""txtai: an Embeddings database with content."""

from txtai import Embeddings


def fill(passages, model, folder):
    embeddings = Embeddings(path=model, content=True)
    embeddings.index((key, text, None) for key, text in passages)
    embeddings.save(folder)


def opened(model, folder):  # noqa: ARG001 -- the saved index names its model
    embeddings = Embeddings()
    embeddings.load(folder)

    def ask(question, k):
        return [(found["id"], found["text"]) for found in embeddings.search(question, k)]

    return ask
