"""The lexical cache of large libraries against FTS5, which is its oracle."""

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import ToyEncoder

import qa.library
from qa import Bot, Filters
from qa.library import Library, postings
from qa.library.postings import Postings

WORDS = [f"w{number}" for number in range(60)]
COMMON = WORDS[:6]


def text_of(dice):
    """Words as language has them: few are common, most are rare."""
    length = dice.randrange(4, 60)
    return " ".join(WORDS[min(59, int(dice.paretovariate(0.6)) - 1)] for _ in range(length))


def articles(seed, count, first=0):
    dice = random.Random(seed)
    return "\n".join(
        json.dumps(
            {"id": str(first + n), "title": f"T {text_of(dice)[:20]}", "text": text_of(dice)}
        )
        for n in range(count)
    )


@pytest.fixture
def small_is_large(monkeypatch):
    monkeypatch.setattr(qa.library, "_SMALL", 0)
    monkeypatch.setattr(qa.library, "_LAG", 0)


def bot_at(folder):
    return Bot.open(folder, encoder=ToyEncoder(), reader=None, create=True)


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A library whose lexical cache lags behind: articles came and went since."""
    folder = tmp_path_factory.mktemp("grown") / "lib"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qa.library, "_SMALL", 0)
        patch.setattr(qa.library, "_LAG", 10**6)
        bot = bot_at(folder)
        bot.add_text(articles(1, 150), "first.jsonl")
        bot.add_text(articles(2, 90, first=500), "second.jsonl")
        bot.remove("3", "10", "77")
        yield Library.open(folder)


def same(found, expected):
    """The same scores, and the same passages where no other has nearly the same score."""
    ours, theirs = dict(found), dict(expected)
    assert np.allclose(
        [score for _, score in found], [score for _, score in expected], rtol=1e-4, atol=1e-5
    )
    last = min(theirs.values(), default=0.0)
    for key in set(ours) ^ set(theirs):
        assert ours.get(key, theirs.get(key)) == pytest.approx(last, rel=1e-4, abs=1e-5)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from([*WORDS, "nowhere"]), min_size=1, max_size=9, unique=True),
    st.integers(1, 300),
    st.sampled_from([Filters(), Filters(sources=("first",)), Filters(sources=("second",))]),
)
def test_postings_find_and_score_what_fts5_does(grown, terms, k, filters):
    with grown.snapshot() as snapshot:
        words = grown.words(snapshot)
        assert words is not snapshot
        assert words.idf(terms) == pytest.approx(snapshot.idf(terms))
        same(words.lexical(terms, k, filters), snapshot.lexical(terms, k, filters))
        ids = [passage_id for passage_id, _ in snapshot.lexical(terms, 40, filters)]
        assert words.held(terms, ids) == snapshot.held(terms, ids)


def test_the_cache_lags_behind_and_is_in_use(grown):
    with grown.snapshot() as snapshot:
        view = grown.words(snapshot)._view
        assert [len(part) > 90 for part in view.parts] == [True, True]
        assert len(view.removed) >= 3
        assert view.rows() == snapshot.counts()[1]


def test_a_question_of_rare_and_common_words_looks_at_few_rows(monkeypatch):
    """The rows of common words alone cannot be among the best."""
    rare = [(n, " ".join(["rare", *COMMON])) for n in range(200)]
    common = [(n, " ".join(COMMON)) for n in range(200, 9000)]
    index = postings.build([*rare, *common])
    scored = []
    bm25 = Postings._bm25
    monkeypatch.setattr(
        Postings,
        "_bm25",
        lambda self, rows, *rest: scored.append(len(rows)) or bm25(self, rows, *rest),
    )
    corpus = postings.Corpus(6.0, {"rare": 3.8, **dict.fromkeys(COMMON, 0.1)})
    ids, _ = index.best(corpus, 100, None)
    assert sorted(ids.tolist()) == list(range(200))
    assert sum(scored) == 200 * 7


def test_postings_survive_their_file(tmp_path):
    index = postings.build([(3, "b a b"), (4, ""), (9, "naïve 日 本 b")])
    index.save(tmp_path / "w")
    again = Postings.open(tmp_path / "w")
    assert Postings.verify(tmp_path / "w")
    for term, rows, counts in (("b", [0, 2], [2, 1]), ("日", [2], [1]), ("none", [], [])):
        assert [found.tolist() for found in again.of(term)] == [rows, counts]
    assert again.lengths.tolist() == [3, 0, 4]
    assert again.runs.ids_of(np.arange(3)).tolist() == [3, 4, 9]


def test_no_postings_survive_their_file_and_find_nothing(tmp_path):
    postings.build([]).save(tmp_path / "w")
    index = Postings.open(tmp_path / "w")
    assert len(index) == 0
    ids, _ = index.best(postings.Corpus(1.0, {"a": 1.0}), 5, None)
    assert ids.tolist() == []


def test_postings_that_grow_are_those_that_are_made_anew():
    dice = random.Random(7)
    texts = [(n, text_of(dice)) for n in range(1, 300)]
    gone = np.array([5, 6, 100, 199])
    earlier = postings.build(texts[:200])
    grown = postings.build(iter(texts[200:]), earlier, gone)
    anew = postings.build([row for row in texts if row[0] not in gone])
    for name, array in anew._arrays().items():
        assert np.array_equal(array, grown._arrays()[name]), name


def test_a_writer_leaves_one_lexical_cache_that_covers_everything(small_is_large, tmp_path):
    bot = bot_at(tmp_path / "lib")
    for number in range(4):
        bot.add_text(articles(number, 20, first=100 * number), f"{number}.jsonl")
    bot.remove("105")
    (path,) = (tmp_path / "lib").glob("words-*")
    library = Library.open(tmp_path / "lib")
    with library.snapshot() as snapshot:
        same(
            library.words(snapshot).lexical(COMMON, 30, Filters()),
            snapshot.lexical(COMMON, 30, Filters()),
        )
        assert snapshot.removed() == []
        assert len(Postings.open(path)) == snapshot.counts()[1]
    assert all(look() for _, look in library.examinations())


@pytest.mark.parametrize("damage", ["gone", "cut", "zeroes", "longer"])
def test_a_damaged_lexical_cache_is_said_and_made_again(damage, small_is_large, tmp_path, caplog):
    bot = bot_at(tmp_path / "lib")
    bot.add_text(articles(1, 50), "first.jsonl")
    before = bot.search("w1 w5 w9", top_k=20)
    (path,) = (tmp_path / "lib").glob("words-*")
    whole = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(
            {"cut": whole[:-9], "zeroes": b"\0" * len(whole), "longer": whole + b"x"}[damage]
        )
    for lines in (1, 0):
        caplog.clear()
        again = bot_at(tmp_path / "lib").search("w1 w5 w9", top_k=20)
        assert [hit.passage.id for hit in again] == [hit.passage.id for hit in before]
        assert caplog.text.count("was damaged") == lines
    (path,) = (tmp_path / "lib").glob("words-*")
    assert path.read_bytes() == whole


def test_a_wrong_number_in_the_postings_is_no_crash(small_is_large, tmp_path, caplog):
    bot = bot_at(tmp_path / "lib")
    bot.add_text(articles(1, 50), "first.jsonl")
    library = Library.open(tmp_path / "lib")
    with library.snapshot() as snapshot:
        words = library.words(snapshot)
        rows = words._view.parts[0].rows.copy()
        rows[:] = 10**6
        object.__setattr__(words._view.parts[0], "rows", rows)
        assert words.lexical(["w1"], 5, Filters()) == snapshot.lexical(["w1"], 5, Filters())
    assert "is damaged. Delete it" in caplog.text


def test_a_reader_whose_caches_are_replaced_while_it_reads_is_not_misled(tmp_path, caplog):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qa.library, "_SMALL", 0)
        patch.setattr(qa.library, "_LAG", 10**6)
        bot = bot_at(tmp_path / "lib")
        bot.add_text(articles(1, 50), "first.jsonl")
        bot.add_text(articles(2, 50, first=100), "second.jsonl")
        library = Library.open(tmp_path / "lib")
        with library.snapshot() as snapshot:
            lagging = snapshot.cache("words")
            with qa.library._locked(library.folder, 0):
                library.refresh_cache(anew=True)
            assert not (tmp_path / "lib" / lagging.name).exists()
            words, view = library.words(snapshot), library.vectors(snapshot)
            same(words.lexical(COMMON, 30, Filters()), snapshot.lexical(COMMON, 30, Filters()))
            assert sum(len(part) for part in view.parts) == snapshot.counts()[1]
    assert caplog.text == ""
