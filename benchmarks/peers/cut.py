"""Cuts articles into passages as `qa` does: one JSON object a line, in a file that all index.

    python cut.py OUT COUNT FILE…

Each passage has an id of its own, its article's title and text, and where it comes from: `article`,
`start` and `end`. Articles are taken until there are COUNT passages.
"""

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from qa import noise, passages, reading, retriever
from qa.indexing import PASSAGE_TOKENS
from qa.model import Article


def main() -> None:
    """Cuts the files' articles."""
    out, count = Path(sys.argv[1]), int(sys.argv[2])
    offsets = retriever.load_encoder(None).token_offsets
    number = 0
    with out.open("w", encoding="utf-8") as file:
        for article in _articles(sys.argv[3:]):
            if number >= count:
                break
            for piece in passages.split(article, noise.mark(article), offsets, PASSAGE_TOKENS):
                row = {
                    "id": f"p{number}",
                    "title": article.title,
                    "text": article.text[piece.start : piece.end],
                    "article": article.id,
                    "start": piece.start,
                    "end": piece.end,
                }
                file.write(f"{json.dumps(row)}\n")
                number += 1


def _articles(names: list[str]) -> Iterator[Article]:
    for path in map(Path, names):
        data = path.read_bytes()
        name = path.name.removesuffix(".gz")
        if name != path.name:
            data = gzip.decompress(data)
        for item in reading.read_bytes(data, name, name, name):
            if not isinstance(item, Article):
                raise SystemExit(str(item))
            yield item


if __name__ == "__main__":
    main()
