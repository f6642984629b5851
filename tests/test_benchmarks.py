"""The benchmarks work; what they measure is judged by nobody here."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import plots
import pytest
from peers import contestants, environments, material, measure, report, run

ROOT = Path(__file__).parent.parent
PLACES = ["the harbour", "the mill", "the old station", "the market hall", "the lighthouse"]
KEEPERS = ["Alma Reyes", "Bo Lindqvist", "Chidi Okafor", "Dana Weiss", "Emre Kaya"]


@pytest.fixture
def source(tmp_path):
    """Twenty articles, and a question about each of the first five."""
    path = tmp_path / "corpus.jsonl"
    rows, asked = [], []
    for number in range(20):
        keeper = KEEPERS[number % 5] if number < 5 else f"keeper number {number}"
        place = PLACES[number % 5] if number < 5 else f"house number {number}"
        text = f"Since the spring {place} is looked after by {keeper}, who lives next door."
        rows.append({"_id": f"a{number}", "title": f"News of {place}", "text": text})
        if number < 5:
            span = {"doc": f"a{number}", "start": text.index(keeper), "text": keeper}
            asked.append({"text": f"Who looks after {place}?", "spans": [span]})
    asked.append({"text": "Who won the race?", "answerable": False})
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return material.Source("toy", [path], asked)


@pytest.mark.real
def test_qa_and_a_plain_script_are_measured_side_by_side(source, tmp_path):
    one = material.cut(source, tmp_path / "passages", 100, 10)
    assert (one.count, len(one.questions)) == (20, 5)  # what nothing answers is not asked
    plain = contestants.Peer("plain", Path(sys.executable), run.model())
    result = run.measured([one], [contestants.NO_READER, plain], tmp_path, 1)
    ours, theirs = result["rows"]
    assert (ours["name"], theirs["name"]) == ("qa ask --no-reader", "plain")
    for row in (ours, theirs):
        assert row["sets"]["toy"]["at_1"] == 1.0
        assert row["sets"]["toy"]["p50_ms"] > 0
        assert min(*row["cold_s"], row["cold_mb"], row["fill_s"], row["fill_mb"]) > 0
    assert ours["ratios"] == {ours["name"]: 1.0}
    assert theirs["ratios"] == {ours["name"]: theirs["cold_s"][0] / ours["cold_s"][0]}


def test_the_table_compares_like_with_like():
    names = [each.name for each in contestants.ours()]
    rows = [
        {
            "name": name, "versions": f"{name} 1.0", "lexical": lexical, "ours": name in names,
            "cold_s": [1.0, 3.0, 2.0], "cold_mb": 100.0, "fill_s": 4.0, "fill_mb": 200.0,
            "ratios": dict(zip(names, (7.5, 3.25, 0.5), strict=True)),
            "sets": {"own": {"p50_ms": 9.0, "empty": 4, "at_1": 0.25, "at_3": 0.5, "at_5": 0.75}},
        }
        for name, lexical in ((names[0], False), ("plain", False), ("bm25s", True))
    ]  # fmt: skip
    sets = {"own": {"passages": 20, "questions": 5, "judged": True}}
    result = {"machine": "A machine", "largest": "own", "pairs": 3, "sets": sets, "rows": rows}
    page = report.table(result)
    assert "| plain | 2.00 | 1.00–3.00 | 7.5 | 3.2 | 100 | 4.0 | 200 | 9.0 |" in page
    assert "| bm25s | 2.00 | 1.00–3.00 |  |  | 100 |" in page
    assert f"beside `{names[2]}`: bm25s 0.50 ×." in page
    assert "| plain | 0.250 | 0.750 |" in page
    assert "not there" not in page
    sets["own"]["judged"] = False
    assert "The public sets were not there" in report.table(result)


def test_a_passage_is_right_where_the_answer_begins_or_its_words_stand(source, tmp_path):
    one = material.cut(source, tmp_path, 100, 10)
    rows = {row["id"]: row for row in material.read(one.passages)}
    for question, keeper in zip(one.questions, KEEPERS, strict=True):
        assert {rows[key]["text"].count(keeper) for key in question.right} == {1}
    worded = material.Source("words", source.articles, [{"text": "?", "any_of": ["Dana Weiss"]}])
    (asked,) = material.cut(worded, tmp_path, 100, 10).questions
    assert asked.right == one.questions[3].right


def test_no_more_articles_are_cut_than_are_asked_for(source, tmp_path):
    one = material.cut(source, tmp_path, 3, 2)
    assert (one.count, len(one.questions)) == (3, 2)


def test_own_articles_stand_in_for_public_sets_and_the_table_says_so(tmp_path):
    seeds, written = material.sources(tmp_path)
    assert (seeds.name, len(seeds.articles), seeds.judged) == ("seeds", 2, True)
    assert (written.name, written.judged) == ("written", False)
    texts = "".join(path.read_text() for path in seeds.articles)
    for question in seeds.asked:
        assert any(word in texts for word in question["any_of"]), question


def test_every_peer_has_pinned_requirements_and_a_script():
    for name in contestants.PEERS:
        pins = (environments.HERE / "requirements" / f"{name}.txt").read_text().split()
        assert pins
        assert all("==" in pin for pin in pins), name
        assert list(environments.HERE.glob(f"{name}.py")) or name == "qmd"
        assert environments.versions(name)


def test_an_environment_is_made_once_and_again_when_it_should_be_another(tmp_path, monkeypatch):
    required = tmp_path / "requirements"
    required.mkdir()
    (required / "plain.txt").write_text("")
    (required / "txtai.txt").write_text("")
    monkeypatch.setattr(environments, "HERE", tmp_path)
    python = environments.python_of("txtai", tmp_path / "work")
    paths = subprocess.run(
        [python, "-I", "-c", "import sys; print(sys.path)"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert str(tmp_path / "work" / "environments" / "plain") in paths
    made = python.parent.parent / "made.txt"
    before = made.stat().st_mtime_ns
    environments.python_of("txtai", tmp_path / "work")
    assert made.stat().st_mtime_ns == before
    (required / "txtai.txt").write_text("\n")
    environments.python_of("txtai", tmp_path / "work")
    assert made.stat().st_mtime_ns != before


def test_an_unknown_peer_and_a_process_that_fails_are_named(tmp_path):
    with pytest.raises(SystemExit, match="No peer named nobody"):
        contestants.peers(["nobody"], tmp_path, "model")
    command = [sys.executable, "-c", "raise ValueError('broken inside')"]
    with pytest.raises(SystemExit, match="broken inside"):
        measure.whole(command, environments.quiet(tmp_path))
    with pytest.raises(SystemExit, match="broken inside"):
        measure.warm(command, environments.quiet(tmp_path), ["why?"])


def test_the_plots_show_the_newest_numbers(tmp_path):
    row = {"name": "qa ask", "cold_s": [0.2, 0.4, 0.3], "ours": True, "lexical": False}
    other = {"name": "bm25s", "cold_s": [7.0, 9.0, 8.0], "ours": False, "lexical": True}
    grown = {"passages": 10, "dense": [1, 2], "lexical": [1, 2], "whole": [2, 3], "flat_ms": 4}
    for day, rows in (("2026-01-01", [row]), ("2026-02-02", [row, other])):
        numbers = {"machine": f"{day}, a machine, load 1", "rows": rows}
        (tmp_path / f"{day}-peers.json").write_text(json.dumps(numbers))
    numbers = {"machine": "2026-01-01, a machine, load 1", "rows": [grown]}
    (tmp_path / "2026-01-01-growth.json").write_text(json.dumps(numbers))
    command = [sys.executable, plots.__file__, "--results", tmp_path, "--images", tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    cold = (tmp_path / "cold.svg").read_text()
    for shown in ("qa ask", "0.30 s", "bm25s (words only)", "8.00 s", "2026-02-02, a machine"):
        assert shown in cold
    assert "whole question, p99" in (tmp_path / "growth.svg").read_text()


@pytest.mark.real
def test_filling_is_measured_in_turns_and_watched(tmp_path):
    folder = tmp_path / "sets" / "toy"
    folder.mkdir(parents=True)
    texts = [" ".join(f"word{number * k % 97}" for k in range(1, 60)) for number in range(20)]
    for name, records in (("corpus", texts), ("queries", texts[:2])):
        lines = (json.dumps({"_id": str(n), "text": text}) for n, text in enumerate(records))
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    command = [
        sys.executable, ROOT / "benchmarks" / "filling.py", tmp_path / "sets", "--out", tmp_path,
        "--passages", "10", "--pairs", "1", "--large", "30",
    ]  # fmt: skip
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.glob("*-filling.md")
    text = path.read_text()
    assert text.rstrip() == done.stdout.rstrip()
    assert "| qa add |" in text
    assert "Ratio, pair by pair: median" in text
    assert "30 passages of about 25 words" in text
    (most,) = re.findall(r"\| the most \| (\d+) \|", text)
    assert int(most) > 20


def test_plots_of_nothing_say_what_to_do(tmp_path):
    command = [sys.executable, plots.__file__, "--results", tmp_path, "--images", tmp_path]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Measure: make bench" in done.stderr


def test_qmd_reads_and_writes_lines_as_the_others_do(tmp_path):
    """The script of qmd, on a package that stands in for it."""
    node = shutil.which("node")
    if not node:
        pytest.skip("no Node here, so no qmd either")
    package = tmp_path / "dist"
    package.mkdir()
    (package / "index.js").write_text(
        "export const createStore = async () => ({ update: async () => {}, close: async () => {},"
        " searchLex: async (question) => [{ filepath: 'qmd://passages/p7.md', body: question }] });"
    )
    script = environments.HERE / "qmd.mjs"
    row = json.dumps({"id": "p7", "title": "Title", "text": "Text."})
    done = subprocess.run(
        [node, script, tmp_path, "fill", tmp_path],
        input=row, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "passages" / "p7.md").read_text() == "# Title\n\nText.\n"
    done = subprocess.run(
        [node, script, tmp_path, "ask", tmp_path],
        input="why?\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout) == [["p7", "why?"]]
