"""Filling a library, whole process: ours in turns with sentence-transformers + FAISS.

    python benchmarks/filling.py SETS [--passages 5000] [--pairs 3] [--large 100000]

SETS is a folder of data sets in BEIR layout; their texts are cut into passages of about 100 words,
one article each. The peer encodes them with `SentenceTransformer.encode` at its defaults and writes
a FAISS file; `qa add` reads, cleans, splits, encodes, indexes words and vectors, and commits. With
--large, that many passages of about 25 words are added by `qa` alone, and its memory is looked at
each second. Writes a Markdown table into benchmarks/results.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import machine
from growth import read

RESULTS = Path(__file__).parent / "results"

PLAIN = """
import json, sys
import faiss
from sentence_transformers import SentenceTransformer
texts = [json.loads(line)["text"] for line in open("articles.jsonl")]
vectors = SentenceTransformer(sys.argv[1]).encode(texts, normalize_embeddings=True)
index = faiss.IndexFlatIP(vectors.shape[1])
index.add(vectors)
faiss.write_index(index, "plain.faiss")
json.dump(texts, open("plain.json", "w"))
"""


def main() -> None:
    """Fills both in turns and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sets", type=Path)
    parser.add_argument("--passages", type=int, default=5000)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--large", type=int, default=0)
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the table")
    options = parser.parse_args()
    halves, _ = read(options.sets, max(2 * options.passages, options.large), 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = [" ".join(pair) for pair in zip(halves[::2], halves[1::2], strict=False)]
        _write(folder, whole, options.passages)
        said = [f"# Filling a library\n\n{machine.described()}\n"]
        said += _compared(folder, options.passages, options.pairs)
        if options.large:
            _write(folder, [text[: len(text) // 2] for text in halves], options.large)
            said += _watched(folder, options.large)
    text = "\n".join(said) + "\n"
    (options.out / f"{machine.today()}-filling.md").write_text(text, encoding="utf-8")
    print(text)


def _write(folder: Path, texts: Sequence[str], count: int) -> None:
    """Articles of one passage each; texts begin anew, numbered, where there are too few."""
    with (folder / "articles.jsonl").open("w", encoding="utf-8") as file:
        for number in range(count):
            text = f"{number}: {texts[number % len(texts)]}"
            file.write(json.dumps({"id": str(number), "text": text}) + "\n")


def _compared(folder: Path, count: int, pairs: int) -> list[str]:
    """Both in turns, so that a slow moment of the machine slows both."""
    code = "from embeddings.weights import default_weights; print(default_weights().folder)"
    model = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    ours, theirs = [], []
    for number in range(pairs):
        library = ["-l", f"library-{number}", "articles.jsonl"]
        ours.append(_timed([sys.executable, "-m", "qa", "add", "-q", *library], folder))
        theirs.append(_timed([sys.executable, "-c", PLAIN, model], folder))
    ratios = sorted(b / a for a, b in zip(ours, theirs, strict=True))
    rows = [
        f"| {label} | {statistics.median(seconds):.1f} | {count / statistics.median(seconds):.0f} |"
        for label, seconds in (("qa add", ours), ("sentence-transformers + FAISS", theirs))
    ]
    return [
        f"{count:,} passages of about 100 words, {pairs} pairs in turns, from file to commit:",
        "",
        "| | median s | passages/s |",
        "|---|---|---|",
        *rows,
        "",
        (
            f"Ratio, pair by pair: median {statistics.median(ratios):.2f} "
            f"(from {ratios[0]:.2f} to {ratios[-1]:.2f})."
        ),
    ]


def _timed(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - began


def _watched(folder: Path, count: int) -> list[str]:
    """Many short passages added, and how the process grows."""
    command = [sys.executable, "-m", "qa", "add", "-q", "-l", "large", "articles.jsonl"]
    began = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder)
    sizes: list[float] = []
    while process.poll() is None:
        sizes.append(_megabytes(process.pid))
        time.sleep(1)
    if process.returncode:
        raise SystemExit(f"failed: {' '.join(command)}")
    seconds = time.perf_counter() - began
    shares = (0.1, 0.25, 0.5, 0.75, 0.9)
    return [
        "",
        f"{count:,} passages of about 25 words, added in {seconds:.0f} s; memory of the process:",
        "",
        "| share of the time | MB |",
        "|---|---|",
        *(f"| {share:.0%} | {sizes[int(share * len(sizes))]:.0f} |" for share in shares),
        f"| the most | {max(sizes):.0f} |",
    ]


def _megabytes(pid: int) -> float:
    """What a process holds in memory: pages of its own, and files that it has mapped."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0.0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
