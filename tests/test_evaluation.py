import gzip
import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import ToyEncoder

from qa import Bot, QaError
from qa.evaluation import as_json, conversations, evaluate, sample, table
from qa.evaluation.dataset import load
from qa.evaluation.figures import (
    Bin,
    Refusals,
    articles,
    auroc,
    calibration_error,
    figures,
    refusals,
    reliability,
)
from qa.model import Answer, Citation, Hit, Passage

CORPUS = [
    {"_id": "summit", "title": "Summit", "text": "The leaders will meet in Vladivostok."},
    {"_id": "storm", "title": "Storm", "text": "Heavy rain falls on the coast."},
    {"_id": "train", "title": "Train", "text": "An armored train crossed the border."},
]
QUESTIONS = [
    {"_id": "1", "text": "Where will the leaders meet?"},
    {"_id": "2", "text": "What crossed the border?"},
    {"_id": "3", "text": "Who invented the telephone?", "answerable": False},
    {"_id": "4", "text": "Not judged, and nothing is known of it"},
]
QRELS = "query-id\tcorpus-id\tscore\n1\tsummit\t1\n2\ttrain\t2\n2\tstorm\t0\n"


def write_set(folder, corpus=CORPUS, questions=QUESTIONS, qrels=QRELS):
    folder.mkdir(parents=True)
    for name, rows in (("corpus.jsonl", corpus), ("queries.jsonl", questions)):
        (folder / name).write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (folder / "qrels.tsv").write_text(qrels)
    return folder


@pytest.fixture
def data_set(tmp_path):
    return write_set(tmp_path / "news")


@pytest.fixture
def bot(tmp_path):
    return Bot.open(tmp_path / "library", encoder=ToyEncoder(), reader=None, create=True)


def hit(article_id, *copies):
    def citation(name):
        return Citation(name, "", "", None, None, 1, 1, 0, 1, "")

    also_in = tuple(map(citation, copies))
    return Hit(1, 1.0, Passage(1, "x", citation(article_id)), also_in=also_in)


def answer(confidence, *article_ids):
    status = "answered" if confidence >= 0.5 else "unanswered"
    return Answer("?", "?", status, confidence, tuple(map(hit, article_ids)), 1)


def test_ndcg_counts_grades_as_they_are_and_discounts_by_the_logarithm_of_the_rank():
    found = figures({"q": ["x", "b", "a"]}, {"q": {"a": 3, "b": 1, "x": 0}})
    gained = 1 / math.log2(3) + 3 / math.log2(4)
    ideal = 3 / math.log2(2) + 1 / math.log2(3)
    assert found.ndcg_at_10 == pytest.approx(gained / ideal)


def test_recall_is_the_share_of_relevant_articles_among_the_first_five():
    found = figures({"q": ["a", "x", "y", "z", "b", "c"]}, {"q": {"a": 1, "b": 2, "c": 1, "d": 1}})
    assert found.recall_at_5 == pytest.approx(2 / 4)


def test_mrr_looks_for_the_first_relevant_article_and_no_further_than_ten():
    run = {"p": ["x", "y", "a"], "q": [*"0123456789", "a"]}
    found = figures(run, {"p": {"a": 1}, "q": {"a": 1}})
    assert found.mrr_at_10 == pytest.approx((1 / 3 + 0) / 2)


def test_hit_is_the_share_of_questions_with_a_relevant_article_first():
    run = {"p": ["a"], "q": ["x", "a"], "r": ["a", "x"], "s": ["x"]}
    assert figures(run, {key: {"a": 1} for key in run}).hit_at_1 == pytest.approx(2 / 4)


def test_a_question_that_found_nothing_counts_as_nothing():
    found = figures({"p": ["a"], "q": []}, {key: {"a": 1} for key in "pqr"})
    assert (found.ndcg_at_10, found.hit_at_1) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_a_question_without_relevant_articles_is_not_counted():
    found = figures({"p": ["a"], "q": ["a"]}, {"p": {"a": 1}, "q": {"a": 0}})
    assert found.ndcg_at_10 == pytest.approx(1.0)


def test_judgements_without_a_relevant_article_are_an_error():
    with pytest.raises(QaError, match="No question has a relevant article"):
        figures({"q": ["a"]}, {"q": {"a": 0}})


def test_without_ir_measures_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ir_measures", None)
    with pytest.raises(QaError, match=r'pip install "article-qa\[eval\]"'):
        figures({"q": ["a"]}, {"q": {"a": 1}})


@given(
    st.lists(st.permutations("abcdefgh"), min_size=1, max_size=3),
    st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 3), min_size=1),
)
def test_the_ideal_order_is_worth_one_and_no_order_is_worth_more(orders, grades):
    ideal = sorted(grades, key=lambda article: -grades[article])
    assert figures({"q": ideal}, {"q": grades}).ndcg_at_10 == pytest.approx(1.0)
    run = {str(number): order for number, order in enumerate(orders)}
    found = figures(run, dict.fromkeys(run, grades))
    for value in (found.ndcg_at_10, found.recall_at_5, found.mrr_at_10, found.hit_at_1):
        assert 0.0 <= value <= 1.0 + 1e-9


def test_an_article_ranks_where_its_best_passage_does_and_copies_follow_it():
    assert articles([hit("b"), hit("a", "c"), hit("b"), hit("d")]) == ["b", "a", "c", "d"]


def test_auroc_counts_the_pairs_in_order_and_half_of_the_ties():
    assert auroc([0.9, 0.5], [0.5, 0.1]) == pytest.approx(3.5 / 4)


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=8),
    st.lists(st.integers(0, 9), min_size=1, max_size=8),
)
def test_auroc_agrees_with_comparing_every_pair(positive, negative):
    pairs = [(a > b) + (a == b) / 2 for a in positive for b in negative]
    assert auroc(positive, negative) == pytest.approx(sum(pairs) / len(pairs))


def test_refusals_tell_the_answerable_refused_from_the_others_answered():
    with_answer = [answer(0.9, "a"), answer(0.4, "a")]
    without = [answer(0.6, "a"), answer(0.1, "a"), answer(0.2, "a")]
    found = refusals(with_answer, without)
    assert found == Refusals(3, pytest.approx(5 / 6), 1 / 2, pytest.approx(1 / 3))


def test_there_are_no_refusals_to_speak_of_when_every_question_has_an_answer():
    assert refusals([answer(0.9, "a")], []) is None


def test_calibration_error_is_how_far_confidence_is_from_being_right():
    assert calibration_error([Bin(1, 0.1, 0.0), Bin(3, 0.9, 0.5)]) == pytest.approx(0.325)
    assert calibration_error([]) == 0.0


def test_questions_of_other_sets_are_asked_too(data_set, bot):
    found = evaluate(data_set, bot, ["hybrid"], others=sample(data_set))
    assert found.off_topic.unanswerable == 3
    assert evaluate(data_set, bot, ["hybrid"]).off_topic is None
    assert "of 3 questions of other sets" in table([found])


def test_reliability_compares_confidence_with_the_share_of_first_passages_that_are_right():
    answers = {"1": answer(0.9, "a"), "2": answer(1.0, "x", "a"), "3": answer(0.1, "a")}
    found = reliability(answers, {"1": {"a": 1}, "2": {"a": 1}})
    assert found == (Bin(1, 0.1, 0.0), Bin(2, pytest.approx(0.95), 0.5))


def test_a_set_is_indexed_and_asked_in_each_mode(data_set, bot):
    seen = []
    found = evaluate(data_set, bot, ["dense", "lexical", "hybrid"], lambda *at: seen.append(at))
    assert (found.name, found.articles, found.questions, found.unread) == ("news", 3, 2, 0)
    assert [each.mode for each in found.modes] == ["dense", "lexical", "hybrid"]
    assert [each.figures.hit_at_1 for each in found.modes] == [1.0, 1.0, 1.0]
    assert found.refusals.unanswerable == 1
    assert found.refusals.auroc == 1.0
    assert sum(each.answers for each in found.reliability) == 3
    assert seen == [(done, 9) for done in range(1, 10)]


def test_a_set_that_is_indexed_is_not_indexed_again(data_set, bot):
    evaluate(data_set, bot, ["lexical"])
    version = bot.status().version
    evaluate(data_set, bot, ["lexical"])
    assert bot.status().version == version


def test_packed_files_and_a_folder_of_qrels_are_read_as_well(data_set, tmp_path, bot):
    packed = tmp_path / "packed"
    (packed / "qrels").mkdir(parents=True)
    for name in ("corpus.jsonl", "queries.jsonl"):
        (packed / f"{name}.gz").write_bytes(gzip.compress((data_set / name).read_bytes()))
    (data_set / "qrels.tsv").rename(packed / "qrels" / "test.tsv")
    found = evaluate(packed, bot, ["lexical"])
    assert (found.articles, found.modes[0].figures.hit_at_1) == (3, 1.0)


def test_a_line_of_the_corpus_that_cannot_be_read_is_counted(tmp_path, bot):
    folder = write_set(tmp_path / "set", corpus=[*CORPUS, {"_id": "empty", "text": ""}])
    assert evaluate(folder, bot, ["lexical"]).unread == 1


def test_a_question_that_is_refused_as_a_question_found_nothing(tmp_path, bot):
    questions = [{"_id": "1", "text": "?"}, QUESTIONS[1]]
    found = evaluate(write_set(tmp_path / "set", questions=questions), bot, ["lexical"])
    assert found.modes[0].figures.hit_at_1 == 0.5


def test_only_questions_judged_or_known_to_have_no_answer_are_asked(data_set):
    data = load(data_set)
    assert list(data.questions) == ["1", "2", "3"]
    assert data.qrels == {"1": {"summit": 1}, "2": {"train": 2, "storm": 0}}


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_missing_file_is_named(data_set, name):
    (data_set / name).unlink()
    with pytest.raises(QaError, match=f"No {name}.* in .*news. Give a folder in BEIR layout."):
        load(data_set)


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(QaError, match="No folder at"):
        load(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("queries.jsonl", "{", "queries.jsonl line 1 is no JSON"),
        ("queries.jsonl", '{"_id": "1"}', "queries.jsonl line 1 has no question"),
        ("queries.jsonl", '{"_id": "1", "text": "a"}', "judges 1 questions .* such as '2'"),
        ("qrels.tsv", "q\tc\ts\n1 summit 1\n", "qrels.tsv line 2 is no judgement"),
        ("qrels.tsv", "q\tc\ts\n1\tsummit\thigh\n", "qrels.tsv line 2 is no judgement"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_an_error_with_its_place(
    data_set, name, content, message
):
    (data_set / name).write_text(content)
    with pytest.raises(QaError, match=message):
        load(data_set)


def test_a_damaged_packed_file_is_an_error(data_set):
    (data_set / "queries.jsonl").unlink()
    (data_set / "queries.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(QaError, match=r"Cannot read .*queries\.jsonl\.gz"):
        load(data_set)


def test_the_table_has_a_line_for_each_mode_and_says_what_was_refused(data_set, bot):
    shown = table([evaluate(data_set, bot, ["lexical", "hybrid"])]).splitlines()
    assert shown[0].split() == [
        "set", "mode", "nDCG@10", "R@5", "MRR@10", "Hit@1", "questions", "seconds"
    ]  # fmt: skip
    assert shown[1].split()[:7] == ["news", "lexical", "1.000", "1.000", "1.000", "1.000", "2"]
    assert shown[2].split()[:2] == ["news", "hybrid"]
    assert shown[4].startswith("news: 3 articles in 3 passages, indexed in ")
    assert "of 1 unanswerable questions; AUROC 1.000" in shown[5]


def test_the_json_holds_every_figure(data_set, bot):
    (found,) = json.loads(json.dumps(as_json([evaluate(data_set, bot, ["dense"])])))
    assert found["name"] == "news"
    assert found["modes"][0]["mode"] == "dense"
    assert found["modes"][0]["figures"] == {
        "ndcg_at_10": 1.0, "recall_at_5": 1.0, "mrr_at_10": 1.0, "hit_at_1": 1.0
    }  # fmt: skip
    assert found["refusals"] is None


TALKS = [
    {
        "_id": "talk",
        "turns": [
            {"_id": "1", "q": "Where will the leaders meet?"},
            {"_id": "2", "q": "and what crossed it?", "rewrite": "What train crossed the border?"},
            {"_id": "4", "q": "why?"},
        ],
    }
]


@pytest.fixture
def talks(data_set):
    (data_set / "conversations.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in TALKS))
    return data_set


def test_conversations_are_asked_in_four_ways_and_only_judged_turns_count(talks, bot):
    measured = conversations.evaluate(talks, bot)
    rows = {row.questions: row for row in measured.rows}
    assert rows["all"].count == 2
    assert (rows["first"].count, rows["leaning"].count) == (1, 1)
    assert rows["first"].alone == rows["first"].understood == rows["first"].history == 1.0
    assert rows["all"].rewrite is None, "the first turn has no rewrite"
    assert rows["leaning"].rewrite == 1.0
    assert "self-contained" not in rows
    assert measured.worst_quarter == pytest.approx(rows["all"].understood - rows["all"].alone)


def test_the_share_of_the_gap_is_that_from_alone_to_rewrite(talks, bot):
    (talks / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n2\ttrain\t1\n")
    (row, *_) = conversations.evaluate(talks, bot).rows
    gap = row.rewrite - row.alone
    expected = (row.understood - row.alone) / gap if gap > 0 else None
    assert row.recovered == expected
    text = conversations.table([conversations.evaluate(talks, bot)])
    assert text.splitlines()[0] == "nDCG@10"
    assert "ms to understand a question" in text
    json.dumps(conversations.as_json([conversations.evaluate(talks, bot)]))


def test_conversations_that_are_none_name_the_line(talks, bot):
    (talks / "conversations.jsonl").write_text('{"_id": "talk", "turns": [{"q": "no id"}]}\n')
    with pytest.raises(QaError, match="line 1 is no conversation"):
        conversations.evaluate(talks, bot)
    (talks / "conversations.jsonl").write_text('{"_id": "talk", "turns": []}\n')
    with pytest.raises(QaError, match="No turn of"):
        conversations.evaluate(talks, bot)
