"""What a question costs as a library grows: from 1,000 passages to 100,000, or a million (--full).

    python benchmarks/growth.py SETS [--full]

SETS is a folder of data sets in BEIR layout (corpus.jsonl and queries.jsonl, plain or gzipped, in
folders of their own). Their texts are cut into passages of about 50 words; beyond as many as there
are, texts are repeated with a fifth of their words replaced by words of other texts. The first
--encode passages and the questions are encoded by the model; the vectors of all others are those of
encoded passages, moved in directions in which passages differ. Files are in the page cache, and the
question's own encoding and the reading of passages are not counted.
"""

import argparse
import gzip
import hashlib
import itertools
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import machine
import numpy as np
from numpy.typing import NDArray

from embeddings.index import VectorIndex
from qa import retriever
from qa.library import Library
from qa.library.writer import Entry
from qa.model import EVERYTHING, Article, text_sha256
from qa.passages import Slice

SIZES = (1_000, 10_000, 100_000)
FULL = 1_000_000
WORDS = 50
COMMIT = 5_000
REPLACED = 0.2
MOVED = 0.5
RESULTS = Path(__file__).parent / "results"

Floats = NDArray[np.float32]

# One question in a process of its own: what it takes to open, and its peak memory.
ONE = """
import resource, sys, time
from pathlib import Path
import numpy as np
from qa import retriever
from qa.library import Library
from qa.model import EVERYTHING
import embeddings.index, faiss, qa.library.words
vector = np.load(sys.argv[2])
began = time.perf_counter()
library = Library.open(Path(sys.argv[1]))
with library.snapshot() as snapshot:
    library.vectors(snapshot)
    library.words(snapshot)
    opened = time.perf_counter()
    query = retriever.Query.of(sys.argv[3], vector, "hybrid", EVERYTHING)
    retriever.rank(library, snapshot, query, 8)
# ru_maxrss would be that of the process that started this one, if it was larger.
status = Path("/proc/self/status").read_text().split() if sys.platform == "linux" else []
kib = int(status[status.index("VmHWM:") + 1]) if status else (
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
)
print((opened - began) * 1e3, (time.perf_counter() - opened) * 1e3, kib / 1024)
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One size: seconds, milliseconds and megabytes; `flat_gbs` is what the flat scan reads."""

    passages: int
    fill_s: float
    caches_s: float
    database_mb: float
    vectors_mb: float
    words_mb: float
    open_ms: float
    first_ms: float
    peak_mb: float
    dense: tuple[float, float]
    lexical: tuple[float, float]
    whole: tuple[float, float]
    recall: float
    effort: str
    flat_ms: float
    flat_gbs: float


def main() -> None:
    """Fills a library step by step, measures it at each size, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", type=Path, help="folder of data sets in BEIR layout")
    parser.add_argument("--full", action="store_true", help="also a million passages (gigabytes)")
    parser.add_argument("--encode", type=int, default=5_000, help="passages that the model encodes")
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    sizes = (*SIZES, FULL) if options.full else SIZES
    encoder = retriever.load_encoder(None)
    texts, questions = read(options.sets, options.encode, options.questions)
    print(f"encoding {len(texts)} passages and {len(questions)} questions", file=sys.stderr)
    vectors = np.asarray(encoder.encode_documents(texts), np.float32)
    asked = np.stack([encoder.encode_query(question) for question in questions])
    with tempfile.TemporaryDirectory() as name:
        rows = list(measure(Path(name), sizes, (texts, vectors), (questions, asked)))
    report = table(rows, options.sets.resolve().name)
    path = RESULTS / f"{machine.today()}-growth.md"
    path.write_text(report, encoding="utf-8")
    numbers = {"machine": machine.described(), "rows": [asdict(row) for row in rows]}
    path.with_suffix(".json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")
    print(report)


def read(sets: Path, passages: int, questions: int) -> tuple[list[str], list[str]]:
    """Passages and questions of all sets, in a random order that is always the same."""
    texts: list[str] = []
    for record in _records(sets, "corpus"):
        words = f"{record.get('title') or ''} {record['text']}".split()
        starts = range(0, max(1, len(words) - WORDS // 2), WORDS)
        texts += [" ".join(words[start : start + WORDS]) for start in starts]
    asked = [record["text"] for record in _records(sets, "queries")]
    if not texts or not asked:
        raise SystemExit(f"No corpus.jsonl and queries.jsonl in the folders of {sets}.")
    dice = random.Random(1)
    dice.shuffle(texts)
    dice.shuffle(asked)
    return texts[:passages], asked[:questions]


def _records(sets: Path, name: str) -> Iterator[dict[str, Any]]:
    for path in sorted([*sets.glob(f"*/{name}.jsonl"), *sets.glob(f"*/{name}.jsonl.gz")]):
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def measure(
    folder: Path,
    sizes: Iterable[int],
    passages: tuple[Sequence[str], Floats],
    questions: tuple[Sequence[str], Floats],
) -> Iterator[Row]:
    """Grows a library in the folder to each of the sizes, and measures it there."""
    library = Library.create(folder / "library", "growth", "growth:1", passages[1].shape[1])
    made = entries(*passages)
    filled, fill_s = 0, 0.0
    for size in sizes:
        began = time.perf_counter()
        with library.writing() as writer:
            while filled < size:
                count = min(COMMIT, size - filled)
                writer.commit([next(made) for _ in range(count)])
                filled += count
            fill_s += time.perf_counter() - began
            began = time.perf_counter()
        caches_s = time.perf_counter() - began
        print(f"{size} passages: {fill_s:.0f} s, caches {caches_s:.0f} s", file=sys.stderr)
        yield _row(library.folder, size, (fill_s, caches_s), questions)


def entries(texts: Sequence[str], vectors: Floats) -> Iterator[Entry]:
    """Articles of one passage for ever: the given ones, then others like them."""
    dice, rows = random.Random(2), np.random.default_rng(2)
    pool = [word for text in texts for word in text.split()]
    for number in range(sys.maxsize):
        source = number % len(texts)
        text, vector = texts[source], vectors[source]
        if number >= len(texts):
            words = text.split()
            for place in dice.sample(range(len(words)), int(REPLACED * len(words))):
                words[place] = dice.choice(pool)
            text = " ".join(words)
            one, other = rows.integers(0, len(vectors), 2)
            away = vectors[one] - vectors[other]
            vector = vector + MOVED * away / max(1e-6, float(np.linalg.norm(away)))
            vector = vector / np.linalg.norm(vector)
        article = Article(
            str(number), f"{number}.txt", "", text, None, None, None, text_sha256(text)
        )
        piece = Slice(0, len(text), 1, 1, ((0, len(text)),))
        key = hashlib.sha256(text.encode()).digest()
        yield Entry("growth.jsonl", article, [piece], [key], [vector.astype("<f2").tobytes()])


def _row(
    folder: Path, size: int, seconds: tuple[float, float], questions: tuple[Sequence[str], Floats]
) -> Row:
    texts, vectors = questions
    library = Library.open(folder)
    with library.snapshot() as snapshot:
        view, words = library.vectors(snapshot), library.words(snapshot)
        queries = [
            retriever.Query.of(text, vector, "hybrid", EVERYTHING)
            for text, vector in zip(texts, vectors, strict=True)
        ]
        for query in queries[:5]:
            retriever.rank(library, snapshot, query, 8)
        dense = _timed(queries, lambda query: view.search(query.vector, 100, None))
        lexical = _timed(queries, lambda query: words.lexical(query.terms, 100, EVERYTHING))
        ids, kept = zip(*snapshot.vectors(), strict=True)
        flat = VectorIndex.build(
            np.array(ids), np.frombuffer(b"".join(kept), "<f2").reshape(size, -1), large=sys.maxsize
        )
        del kept
        flat_s = _timed(queries[:50], lambda query: flat.search(query.vector, 10))
        found = sum(
            len(
                {key for key, _ in view.search(query.vector, 100, None)[:10]}
                & set(flat.search(query.vector, 10)[0].tolist())
            )
            for query in queries
        )
        effort = view.parts[0].effort

    def ask(query: retriever.Query) -> None:
        # As a bot does it: every question opens the database, whose newest version it sees.
        with library.snapshot() as newest:
            retriever.rank(library, newest, query, 8)

    whole = _timed(queries, ask)
    opened = [
        _alone(folder, text, vector) for text, vector in zip(texts[:5], vectors, strict=False)
    ]
    sizes = {
        kind: sum(path.stat().st_size for path in folder.glob(f"{kind}*")) / 1e6
        for kind in ("library.db", "vectors-", "words-")
    }
    return Row(
        size,
        *seconds,
        sizes["library.db"],
        sizes["vectors-"],
        sizes["words-"],
        statistics.median(row[0] for row in opened),
        statistics.median(row[1] for row in opened),
        max(row[2] for row in opened),
        _percentiles(dense),
        _percentiles(lexical),
        _percentiles(whole),
        found / (10 * len(queries)),
        f"{effort.lists} lists, {effort.refined} rows" if effort else "all rows",
        statistics.median(flat_s) * 1e3,
        2 * vectors.shape[1] * size / min(flat_s) / 1e9,
    )


def _timed(queries: Iterable[retriever.Query], ask: Callable[[Any], object]) -> list[float]:
    taken = []
    for query in queries:
        began = time.perf_counter()
        ask(query)
        taken.append(time.perf_counter() - began)
    return taken


def _percentiles(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 99th percentile in milliseconds."""
    return float(np.percentile(seconds, 50) * 1e3), float(np.percentile(seconds, 99) * 1e3)


def _alone(folder: Path, question: str, vector: Floats) -> list[float]:
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, vector)
        file.flush()
        command = [sys.executable, "-c", ONE, str(folder), file.name, question]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(number) for number in done.stdout.split()]


def bandwidth() -> float:
    """Gigabytes a second that one thread reads from memory, the best of several times."""
    block = np.ones(1 << 26, np.uint64)
    return block.nbytes / min(_timed([None] * 5, lambda _: block.max())) / 1e9  # type: ignore[list-item]


def table(found: Sequence[Row], texts: str) -> str:
    """The report in Markdown; `texts` names the folder that they are from."""
    speed = bandwidth()
    lines = [
        "# What a question costs as a library grows",
        "",
        (
            f"{machine.described('numpy', 'faiss-cpu')}. Texts of {texts}. Times are p50 / p99 in"
            " ms unless said; fill and caches in s, sizes in MB. How it is measured:"
            " `benchmarks/growth.py`."
        ),
        "",
        (
            "| passages | fill | caches | database | vectors | words | open | first question | peak"
            " | dense | lexical | whole | recall@10 | looked at | flat scan |"
        ),
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        pairs = " | ".join(f"{a:.1f} / {b:.1f}" for a, b in (row.dense, row.lexical, row.whole))
        lines.append(
            f"| {row.passages:,} | {row.fill_s:.1f} | {row.caches_s:.1f} | {row.database_mb:.0f}"
            f" | {row.vectors_mb:.0f} | {row.words_mb:.0f} | {row.open_ms:.1f} | {row.first_ms:.1f}"
            f" | {row.peak_mb:.0f} | {pairs} | {row.recall:.3f} | {row.effort}"
            f" | {row.flat_ms:.1f} ({row.flat_gbs:.1f} GB/s) |"
        )
    grown = [
        f"{small.passages:,} to {large.passages:,}: {large.whole[0] / small.whole[0]:.2f}"
        for small, large in itertools.pairwise(found)
    ]
    lines += [
        "",
        f"Growth of the whole question's p50: {'; '.join(grown)}.",
        (
            f"One thread reads memory at {speed:.1f} GB/s in this run; the largest flat scan is at "
            f"{found[-1].flat_gbs / speed:.0%} of it."
        ),
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
