"""Draws what was measured last, as SVG into docs/images: `cold.svg` and `growth.svg`.

    python benchmarks/plots.py [--results DIR] [--images DIR]

The numbers are those of the newest `…-peers.json` and `…-growth.json`.
"""

import argparse
import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes

ROOT = Path(__file__).parent.parent
OURS, THEIRS, THIRD = "#0b6e4f", "#9aa5b1", "#c8553d"


def main() -> None:
    """Draws both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--results", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--images", type=Path, default=ROOT / "docs" / "images")
    options = parser.parse_args()
    options.images.mkdir(parents=True, exist_ok=True)
    for kind, draw, name in (("peers", cold, "cold.svg"), ("growth", growth, "growth.svg")):
        found = sorted(options.results.glob(f"*-{kind}.json"))
        if not found:
            raise SystemExit(f"No {kind} measured in {options.results}. Measure: make bench")
        _save(json.loads(found[-1].read_text()), draw, options.images / name)
        print(options.images / name)


def _save(
    result: dict[str, Any], draw: "Callable[[Axes, dict[str, Any]], None]", path: Path
) -> None:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    # Words as words, so that they can be searched; the same numbers give the same bytes.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "qa", "font.size": 10})
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    draw(axes, result)
    made_on = result["machine"].partition(", load")[0]
    figure.text(0.01, -0.04, made_on, size=8, color="#555555")
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight", facecolor="white")


def cold(axes: "Axes", result: dict[str, Any]) -> None:
    """Bars of one cold question, slowest last."""
    rows = sorted(result["rows"], key=lambda row: -statistics.median(row["cold_s"]))
    seconds = [statistics.median(row["cold_s"]) for row in rows]
    names = [_named(row) for row in rows]
    bars = axes.barh(names, seconds, color=[OURS if row["ours"] else THEIRS for row in rows])
    axes.bar_label(bars, [f"{each:.2f} s" for each in seconds], padding=4)
    axes.margins(x=0.12)
    axes.set_xlabel("seconds from the command to the answer, index on disk")
    axes.set_title("One cold question", loc="left")


def _named(row: dict[str, Any]) -> str:
    name = "sentence-transformers + FAISS" if row["name"] == "plain" else row["name"]
    return f"{name} (words only)" if row["lexical"] and not row["ours"] else name


def growth(axes: "Axes", result: dict[str, Any]) -> None:
    """Lines of what a question costs against how many passages there are."""
    rows = result["rows"]
    sizes = [row["passages"] for row in rows]
    lines = (
        ("whole question, p50", [row["whole"][0] for row in rows], OURS, "o-"),
        ("whole question, p99", [row["whole"][1] for row in rows], OURS, "o--"),
        ("vectors, p50", [row["dense"][0] for row in rows], THIRD, "s-"),
        ("words, p50", [row["lexical"][0] for row in rows], "#3f6ab5", "^-"),
        ("all vectors in turn, p50", [row["flat_ms"] for row in rows], THEIRS, "x:"),
    )
    for name, values, colour, style in lines:
        axes.plot(sizes, values, style, label=name, color=colour, markersize=4)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.yaxis.set_major_formatter("{x:,g}")
    axes.set_xlabel("passages")
    axes.set_ylabel("milliseconds")
    axes.grid(visible=True, which="major", alpha=0.3)
    axes.legend(frameon=False)
    axes.set_title("A question, less its encoding and the reading of passages", loc="left")


if __name__ == "__main__":
    main()
