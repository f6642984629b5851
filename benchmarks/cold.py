"""One cold question, whole process: ours without reading against sentence-transformers + FAISS.

The two run in turns, so that a slow moment of the machine slows both; the ratio is taken pair by
pair. Run it with `make bench`; it prints a Markdown table.
"""

import argparse
import datetime as dt
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

QUESTION = "Which species sings at night in the north?"

PLAIN = """
import json, sys
import faiss
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1])
index = faiss.read_index("plain.faiss")
texts = json.load(open("plain.json"))
scores, rows = index.search(model.encode([sys.argv[2]], normalize_embeddings=True), 5)
for score, row in zip(scores[0], rows[0]):
    print(f"{score:.2f} {texts[row]}")
"""

MAKE_PLAIN = """
import json, sys
import faiss
from sentence_transformers import SentenceTransformer
texts = json.load(open("plain.json"))
vectors = SentenceTransformer(sys.argv[1]).encode(texts, normalize_embeddings=True)
index = faiss.IndexFlatIP(vectors.shape[1])
index.add(vectors)
faiss.write_index(index, "plain.faiss")
"""


def main() -> None:
    """Makes the articles and both indexes, runs the pairs, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=500)
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = _prepare(folder, options.articles)
        ours = [sys.executable, "-m", "qa", "ask", QUESTION, "-l", "library", "--no-reader"]
        plain = [sys.executable, "-c", PLAIN, model, QUESTION]
        rows = [(_timed(ours, folder), _timed(plain, folder)) for _ in range(options.pairs + 1)][1:]
    ratios = sorted(b[0] / a[0] for a, b in rows)
    machine = platform.processor() or platform.machine()
    print(f"{dt.datetime.now(tz=dt.UTC).date()}, {machine}, {os.cpu_count()} cores,")
    print(
        f"Python {platform.python_version()}, {options.articles} articles, {options.pairs} pairs\n"
    )
    print("| | median s | fastest s | slowest s | peak MB |\n|---|---|---|---|---|")
    for label, column in (("qa ask --no-reader", 0), ("sentence-transformers + FAISS", 1)):
        seconds = [row[column][0] for row in rows]
        peak = max(row[column][1] for row in rows)
        print(
            f"| {label} | {statistics.median(seconds):.3f} | {min(seconds):.3f} "
            f"| {max(seconds):.3f} | {peak:.0f} |"
        )
    print(
        f"\nratio, pair by pair: median {statistics.median(ratios):.1f} "
        f"(from {ratios[0]:.1f} to {ratios[-1]:.1f})"
    )


def _prepare(folder: Path, count: int) -> str:
    import json

    from embeddings.weights import default_weights

    places = ("north", "south", "east", "west")
    animals = ("whale", "owl", "frog", "cricket", "wolf")
    texts = [
        f"In the {places[n % 4]} the {animals[n % 5]} number {n} sings at {n % 24} o'clock. "
        f"Nobody knows why it does so, but {n * 7} people have heard it."
        for n in range(count)
    ]
    (folder / "plain.json").write_text(json.dumps(texts))
    lines = (json.dumps({"id": str(n), "text": text}) for n, text in enumerate(texts))
    (folder / "articles.jsonl").write_text("\n".join(lines))
    model = str(default_weights().folder)
    for command in (
        [sys.executable, "-m", "qa", "add", "-q", "-l", "library", "articles.jsonl"],
        [sys.executable, "-c", MAKE_PLAIN, model],
    ):
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return model


def _timed(command: list[str], folder: Path) -> tuple[float, float]:
    """Wall seconds and peak megabytes of a whole process."""
    import time

    began = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if os.waitstatus_to_exitcode(status) not in {0, 1}:
        raise SystemExit(f"failed: {command}")
    unit = 1024 if sys.platform != "darwin" else 1024**2
    return seconds, usage.ru_maxrss / unit


if __name__ == "__main__":
    main()
