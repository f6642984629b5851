"""A plain script: sentence-transformers and a FAISS file, the texts beside it as JSON."""

import json
from pathlib import Path

import faiss
from sentence_transformers import SentenceTransformer


def fill(passages, model, folder):
    texts = [text for _, text in passages]
    vectors = SentenceTransformer(model).encode(texts, normalize_embeddings=True)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, f"{folder}/plain.faiss")
    Path(folder, "plain.json").write_text(json.dumps(passages))


def opened(model, folder):
    encoder = SentenceTransformer(model)
    index = faiss.read_index(f"{folder}/plain.faiss")
    passages = json.loads(Path(folder, "plain.json").read_text())

    def ask(question, k):
        _, rows = index.search(encoder.encode([question], normalize_embeddings=True), k)
        return [passages[row] for row in rows[0] if row >= 0]

    return ask
