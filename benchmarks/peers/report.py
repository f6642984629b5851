"""The table of what was measured, in Markdown."""

import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from peers import contestants

UNREAD, READ, WORDS = (each.name for each in contestants.ours())


def table(result: Mapping[str, Any]) -> str:
    """Speed, then what is found, then what to know about both."""
    return "\n".join([*_speed(result), "", *_found(result), "", *_notes(result), ""])


def _speed(result: Mapping[str, Any]) -> Iterator[str]:
    one = result["sets"][result["largest"]]
    yield "# qa beside its peers"
    yield ""
    yield (
        f"{result['machine']}. The same {one['passages']:,} passages of {result['largest']} and "
        "the same weights (all-MiniLM-L6-v2) for all. How it is measured: "
        "`benchmarks/peers/run.py`."
    )
    yield ""
    heads = [
        *("", "cold answer, s", "fastest–slowest", f"× `{UNREAD}`", f"× `{READ}`", "peak, MB"),
        *("filling, s", "peak, MB", "warm p50, ms"),
    ]
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in result["rows"]:
        cold = row["cold_s"]
        # Searching words is compared with searching words.
        ratios = ["" if row["lexical"] else f"{row['ratios'][ours]:.1f}" for ours in (UNREAD, READ)]
        yield (
            f"| {row['name']} | {statistics.median(cold):.2f} | {min(cold):.2f}–{max(cold):.2f} "
            f"| {ratios[0]} | {ratios[1]} | {row['cold_mb']:.0f} | {row['fill_s']:.1f} "
            f"| {row['fill_mb']:.0f} | {row['sets'][result['largest']]['p50_ms']:.1f} |"
        )
    lexical = [
        f"{row['name']} {row['ratios'][WORDS]:.2f} ×"
        for row in result["rows"]
        if row["lexical"] and not row["ours"]
    ]
    if lexical:
        yield ""
        yield f"Cold, beside `{WORDS}`: {', '.join(lexical)}."


def _found(result: Mapping[str, Any]) -> Iterator[str]:
    sets = {name: one for name, one in result["sets"].items() if one["judged"]}
    heads = [
        f"{name} @{k}" for name in sets for k in (1, 3 if name == "seeds" else 5)
    ]  # the sample articles are few
    yield (
        "Questions with a right passage first, and among the first three or five ("
        + ", ".join(
            f"{name}: {one['questions']} questions, {one['passages']:,} passages"
            for name, one in sets.items()
        )
        + "):"
    )
    yield ""
    yield f"| | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(heads)}"
    for row in result["rows"]:
        shares = [
            f"{row['sets'][name][f'at_{k}']:.3f}"
            for name in sets
            for k in (1, 3 if name == "seeds" else 5)
        ]
        yield f"| {row['name']} | {' | '.join(shares)} |"


def _notes(result: Mapping[str, Any]) -> Iterator[str]:
    one = max(result["sets"].values(), key=lambda each: each["questions"])
    yield (
        f"At most {one['questions']:,} questions of each set. Cold: the median of "
        f"{result['pairs']} whole processes each, in turns, files in the page cache; ratios are "
        "medians of those pair by pair. Filling: a whole process, from the passages as JSON lines "
        "to an index on disk. All rows of `qa` share one library, which holds vectors and words."
    )
    yield ""
    yield (
        "A passage is right if the annotated answer begins in it, or, on seeds, if it holds the "
        "words of the answer; unanswerable questions are not asked here. A passage is given to all "
        "with its article's title before it, and none is told more than the question."
    )
    empty = [
        f"{row['name']} {sum(one['empty'] for one in row['sets'].values())}"
        for row in result["rows"]
        if any(one["empty"] for one in row["sets"].values())
    ]
    if empty:
        asked = sum(one["questions"] for one in result["sets"].values())
        yield ""
        yield f"Of {asked} questions these found nothing at all: {', '.join(empty)}."
        if any(row["name"] == "qmd" for row in result["rows"]):
            yield (
                "qmd's search wants every word of the question in one text: it is made for a few "
                "keywords, so its times here are mostly those of finding nothing."
            )
    if any(not one["judged"] for one in result["sets"].values()):
        yield ""
        yield (
            "The public sets were not there: speed is measured on articles of our own from "
            "training/, which the reader has learned from, so what is found there is not shown."
        )
    versions = (f"{row['name']}: {row['versions']}" for row in result["rows"] if not row["ours"])
    yield ""
    yield (
        "plain is a script of a few lines on sentence-transformers and FAISS. Versions: "
        f"{'; '.join(versions)}. txtai, haystack, llamaindex and langchain use the "
        "packages of plain for torch and sentence-transformers."
    )
