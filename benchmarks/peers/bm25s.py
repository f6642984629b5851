"""bm25s: BM25 with stop words and Snowball's stems, the texts kept in the index."""

import bm25s
import Stemmer


def fill(passages, model, folder):  # noqa: ARG001 -- words need no model
    stemmer = Stemmer.Stemmer("english")
    tokens = bm25s.tokenize(
        [text for _, text in passages], stopwords="en", stemmer=stemmer, show_progress=False
    )
    retriever = bm25s.BM25()
    retriever.index(tokens, show_progress=False)
    retriever.save(folder, corpus=[{"id": key, "text": text} for key, text in passages])


def opened(model, folder):  # noqa: ARG001 -- words need no model
    stemmer = Stemmer.Stemmer("english")
    retriever = bm25s.BM25.load(folder, load_corpus=True)

    def ask(question, k):
        tokens = bm25s.tokenize(question, stopwords="en", stemmer=stemmer, show_progress=False)
        found, _ = retriever.retrieve(tokens, k=k, show_progress=False)
        return [(row["id"], row["text"]) for row in found[0]]

    return ask
