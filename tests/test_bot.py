import datetime as dt
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from toy import ToyEncoder

from qa import Bot, Filters, QaError, reading, retriever
from qa.errors import (
    DamagedLibrary,
    LibraryError,
    LockedError,
    MismatchedLibrary,
    MissingLibrary,
    ModelError,
    NoArticles,
    QuestionError,
)
from qa.library import Library, Snapshot, database
from qa.library.vectors import VectorView
from qa.model import text_sha256
from qa.verify import Cited, verify


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Three articles, and the folder above them to work in."""
    monkeypatch.chdir(tmp_path)
    news = tmp_path / "news"
    news.mkdir()
    (news / "summit.txt").write_text(
        "Leaders plan a summit\n\nThe two leaders will meet in Vladivostok.\n\n"
        "They will talk about satellites.\n"
    )
    (news / "weather.md").write_text(
        "---\ntitle: Storm ahead\ndate: 2023-09-12\n---\n\nHeavy rain is expected on the coast.\n"
    )
    (news / "more.jsonl").write_text(
        '{"id": "x1", "title": "Trains", "text": "An armored train left.", "date": "2023-08-01"}\n'
        '{"id": "x2", "title": "Food", "text": "Food aid was promised.", "url": "http://f.org/"}\n'
    )
    return tmp_path


@pytest.fixture
def bot(folder):
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    bot.add("news")
    return bot


def texts(hits):
    return [hit.passage.text for hit in hits]


def test_the_passage_that_answers_comes_first_with_an_exact_citation(bot):
    answer = bot.ask("Where will the leaders meet?")
    best = answer.hits[0]
    (article,) = [bot.show(best.citation).article]
    assert "Vladivostok" in best.passage.text
    assert (best.citation.source, best.citation.line) == ("news/summit.txt", 3)
    assert article.text[best.citation.start : best.citation.end] == best.passage.text
    assert best.citation.sha256 == text_sha256(best.passage.text)
    assert answer.library_version == bot.status().version


def test_every_mode_ranks_with_its_own_signals(bot):
    for mode, signals in (
        ("dense", {"dense"}),
        ("lexical", {"lexical"}),
        ("hybrid", {"dense", "lexical", "coverage"}),
    ):
        hits = bot.search("armored train", mode=mode)
        assert texts(hits)[0] == "An armored train left."
        assert set(hits[0].signals) == signals
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


@pytest.mark.parametrize("mode", ["hybrid", "dense", "lexical"])
def test_words_and_vectors_searched_side_by_side_find_the_same(bot, monkeypatch, mode):
    expected = bot.search("Where will the leaders meet?", mode=mode)
    searching = set()
    search = VectorView.search

    def noted(*arguments):
        searching.add(threading.current_thread())
        return search(*arguments)

    monkeypatch.setattr(VectorView, "search", noted)
    monkeypatch.setattr(retriever, "_APART", 0)
    assert bot.search("Where will the leaders meet?", mode=mode) == expected
    assert len(searching - {threading.current_thread()}) == (mode != "lexical")


def test_lexical_search_needs_no_encoder(bot):
    def broken():
        raise AssertionError("the encoder was loaded")

    silent = Bot(Library.open(bot.status().path), broken)
    assert texts(silent.search("train", mode="lexical")) == ["An armored train left."]


def test_filters_are_applied_before_ranking(bot):
    for filters, expected in (
        (Filters(sources=("SUMMIT",)), {"news/summit.txt"}),
        (Filters(sources=("news/*.md",)), {"news/weather.md"}),
        (Filters(sources=("sum*",)), {"news/summit.txt"}),
        (Filters(sources=("f.org",)), {"news/more.jsonl"}),
        (Filters(since=dt.date(2023, 9, 1)), {"news/weather.md"}),
        (Filters(until=dt.date(2023, 8, 1)), {"news/more.jsonl"}),
        (Filters(sources=("nothing",)), set()),
    ):
        for mode in ("hybrid", "dense", "lexical"):
            hits = bot.search("armored train food rain leaders", mode=mode, filters=filters)
            assert {hit.citation.source for hit in hits} == expected


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Ärzte.txt", "ÄRZTE"),
        ("Ärzte.txt", "ärz*"),
        ("A\u0308rzte.txt", "Ärzte.txt"),
        ("report [final].txt", "report [final].txt"),
        ("report [final].txt", "report [*].txt"),
        (r"caf\xe9.txt", "caf\udce9.txt"),
    ],
)
def test_a_filter_finds_a_source_as_it_is_typed(bot, name, typed):
    bot.add_text("Owls\n\nThe owl sings.", name)
    hits = bot.search("Who sings?", filters=Filters(sources=(typed,)))
    assert {hit.citation.source for hit in hits} == {name}


@pytest.mark.parametrize("typed", ["Ärzte.txt", "A\u0308rzte.txt", "rzte.txt"])
def test_an_article_is_shown_in_either_form_of_its_name(bot, typed):
    bot.add_text("Owls\n\nThe owl sings.", "A\u0308rzte.txt")
    assert bot.show(typed).article.title == "Owls"


def test_noise_ranks_below_prose_but_is_still_found(folder):
    (folder / "photo.txt").write_text(
        "A visit\n\nKim and Putin will meet in the coming days. Credit: AP\n\n"
        "The leaders will meet on an island, the government said.\n"
    )
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    bot.add("photo.txt")
    hits = bot.search("Where will Kim and Putin meet?")
    assert "island" in hits[0].passage.text
    assert [hit.passage.noise for hit in hits] == [None, "caption", "headline"]


def test_copies_in_other_articles_are_folded_into_one_hit(folder):
    text = "The committee will decide on the new harbour by the end of the month, it was told."
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text(f"Report {name}\n\n{text}\n")
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    bot.add("a.txt", "b.txt")
    (hit,) = [hit for hit in bot.search("harbour committee") if hit.passage.noise is None]
    assert {hit.citation.source, *(copy.source for copy in hit.also_in)} == {"a.txt", "b.txt"}


def test_adding_again_changes_nothing_and_encodes_nothing(bot):
    before = bot.search("leaders", top_k=20)
    again = bot.add("news")
    assert (again.added, again.changed, again.unchanged, again.passages) == (0, 0, 4, 0)
    assert bot.search("leaders", top_k=20) == before


def test_a_changed_file_is_brought_up_to_date_and_only_its_new_passages_are_encoded(bot, folder):
    counted = []

    class Counting(ToyEncoder):
        def encode_documents(self, texts, progress=None):
            counted.extend(texts)
            return super().encode_documents(texts, progress)

    path = folder / "news" / "more.jsonl"
    path.write_text(path.read_text().replace("promised", "delivered"))
    changed = Bot.open("lib", encoder=Counting(), reader=None).add("news")
    assert (changed.changed, changed.unchanged) == (1, 3)
    assert counted == ["Food. Food aid was delivered."]
    assert texts(bot.search("food delivered"))[0] == "Food aid was delivered."
    assert "Food aid was promised." not in texts(bot.search("food promised", top_k=50))


def test_a_file_that_left_the_folder_leaves_the_library(bot, folder):
    (folder / "news" / "summit.txt").unlink()
    assert bot.add("news").removed == 1
    assert {info.source for info in bot.articles()} == {"news/weather.md", "news/more.jsonl"}


def test_articles_stay_when_a_part_of_their_folder_cannot_be_looked_into(bot, folder, monkeypatch):
    (folder / "news" / "summit.txt").unlink()
    find = reading.find

    def partly(path):
        found = find(path)
        return replace(found, passed_over={**found.passed_over, "unreadable": 1})

    monkeypatch.setattr(reading, "find", partly)
    assert bot.add("news").removed == 0
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert bot.add("news").removed == 1


def test_an_article_that_left_its_file_leaves_the_library(bot, folder):
    path = folder / "news" / "more.jsonl"
    path.write_text(path.read_text().splitlines()[0])
    assert bot.add("news").removed == 1
    assert "x2" not in {info.id for info in bot.articles()}


def test_one_bad_file_is_reported_and_the_rest_is_added(folder):
    (folder / "news" / "empty.txt").write_text("")
    (folder / "news" / "bad.jsonl").write_text('{"text": "Good line."}\n{"text": \n')
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    added = bot.add("news")
    assert added.added == 5
    assert sorted(name for error in added.failed for name in ("empty", "bad") if name in str(error)) == [
        "bad",
        "empty",
    ]  # fmt: skip
    assert len(bot.add("news").failed) == 2


def test_a_field_that_means_nothing_is_reported_once_and_its_article_is_added(folder):
    (folder / "one.jsonl").write_text('{"text": "A whale sang.", "date": "soon"}\n')
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    added = bot.add("one.jsonl")
    assert (added.added, len(added.failed)) == (1, 1)
    assert "soon" in str(added.failed[0])
    again = bot.add("one.jsonl")
    assert (again.unchanged, again.failed) == (1, ())


def test_what_left_a_file_leaves_the_library_whatever_else_is_wrong_with_the_file(bot, folder):
    path = folder / "news" / "more.jsonl"
    trains = path.read_text().splitlines()[0]
    path.write_text(f"{trains}\n{{broken\n")
    for removed in (1, 0):
        again = bot.add("news")
        assert (again.removed, len(again.failed)) == (removed, 1)
        assert {"x1", "x2"} & {info.id for info in bot.articles()} == {"x1"}
    version = bot.status().version
    bot.add("news")
    assert bot.status().version == version
    path.write_text(f"{trains}\n")
    assert bot.add("news").failed == ()


def test_what_a_file_held_before_it_broke_as_a_whole_stays(bot, folder):
    (folder / "news" / "more.jsonl").write_text("{broken\n")
    assert len(bot.add("news").failed) == 1
    assert {"x1", "x2"} <= {info.id for info in bot.articles()}


def test_articles_are_removed_by_path_folder_source_or_id(bot):
    assert bot.remove("x1") == 1
    assert bot.remove("news/summit.txt") == 1
    with pytest.raises(QaError, match="No article 'x1' in the library"):
        bot.remove("x2", "x1")
    assert bot.remove("news") == 2
    assert (bot.articles(), bot.search("rain")) == ([], [])


def test_a_path_removes_what_lies_there_and_not_what_was_added_elsewhere_by_the_same_name(
    bot, folder, monkeypatch
):
    other = folder / "elsewhere"
    (other / "news").mkdir(parents=True)
    (other / "news" / "summit.txt").write_text("Another summit\n\nIt is held on an island.\n")
    library = str(bot.status().path)
    monkeypatch.chdir(other)
    Bot.open(library, encoder=ToyEncoder(), reader=None).add("news")
    monkeypatch.chdir(folder.parent)
    with pytest.raises(QaError, match=r"names articles of 2 files: .*elsewhere/news/summit\.txt, "):
        bot.remove("news/summit.txt")
    citation = bot.search("the island")[0].citation
    assert bot.origin(citation) == str(other / "news" / "summit.txt")
    monkeypatch.chdir(folder)
    assert bot.remove("news/summit.txt") == 1
    assert texts(bot.search("the island"))[0] == "It is held on an island."
    monkeypatch.chdir(folder.parent)
    assert bot.remove("news/summit.txt") == 1


def test_a_name_may_begin_with_a_tilde(bot, folder):
    (folder / "~notes").write_text("Notes\n\nThe ferry leaves from the old pier.\n")
    assert bot.add("~notes").added == 1
    assert Bot.open("~lib", encoder=ToyEncoder(), reader=None, create=True).articles() == []
    assert (folder / "~lib").is_dir()
    with pytest.raises(ModelError, match="no file or folder '~reader'"):
        Bot.open("lib", encoder=ToyEncoder(), reader="~reader")
    with pytest.raises(ModelError, match="~model"):
        Bot.open("lib", model="~model", reader=None)
    assert bot.remove("~notes") == 1


def test_an_empty_name_is_an_error_and_not_the_folder_one_stands_in(bot):
    before = bot.articles()
    with pytest.raises(QaError, match="An empty name names no article"):
        bot.remove("x1", "")
    with pytest.raises(NoArticles, match="An empty name holds no articles"):
        bot.add("")
    assert bot.articles() == before


def test_a_removed_file_is_added_again_when_asked(bot):
    bot.remove("news/summit.txt")
    assert bot.add("news/summit.txt").added == 1


def test_text_in_memory_is_added_in_the_format_it_looks_like(bot):
    assert bot.add_text("A headline\n\nSome whales sing.").added == 1
    assert bot.add_text('{"id": "w", "text": "Whales dive."}\n').added == 1
    assert bot.add_text(b"<html><body><p>Whales sleep upright.</p></body></html>").added == 1
    assert len([text for text in texts(bot.search("whales", top_k=9)) if "hales" in text]) == 3


def test_an_empty_library_has_no_answer(folder):
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    answer = bot.ask("Anything?")
    assert (answer.status, answer.hits, answer.confidence) == ("unanswered", (), 0.0)


def test_min_confidence_decides_what_counts_as_answered(bot):
    question = "Where will the leaders meet?"
    sure = bot.ask(question).confidence
    assert bot.ask(question, min_confidence=0.0).status == "answered"
    assert bot.ask(question, min_confidence=min(1.0, sure + 0.01)).status == "unanswered"


@pytest.mark.parametrize("question", ["", "  \n ", "?!", "\x1b\x00"])
def test_a_question_without_a_word_is_an_error(bot, question):
    with pytest.raises(QuestionError) as error:
        bot.ask(question)
    assert error.value.said == "The question is empty. Ask something."
    assert (
        str(error.value) == 'The question is empty. Ask something: qa ask "where will they meet?"'
    )


@pytest.mark.parametrize("mark", ["\uff9e", "\uff9f"])
def test_a_question_of_a_lone_sound_mark_has_no_terms_and_is_still_answered(bot, mark):
    found = bot.search(mark, top_k=20)
    assert {(hit.signals["lexical"], hit.signals["coverage"]) for hit in found} == {(0.0, 0.0)}
    assert len(bot.search(mark, top_k=20, mode="dense")) == len(found)
    assert bot.search(mark, mode="lexical") == []
    assert bot.ask(mark, min_confidence=1.0).status == "unanswered"


def test_a_question_that_is_an_article_is_an_error_that_says_the_limit(bot):
    with pytest.raises(QuestionError, match=r"10,000 characters; at most 2,000"):
        bot.ask("x" * 10_000)


def test_a_question_may_hold_anything_that_fts5_takes_for_syntax(bot):
    for question in ('"train', "train AND NOT (", "title:train*", "train' OR 1=1 --", "NEAR(a b)"):
        assert "An armored train left." in texts(bot.search(question, top_k=20))


def test_passages_are_shown_by_citation_line_range_and_id(bot):
    citation = bot.search("Vladivostok")[0].citation
    for place in (
        citation,
        "news/summit.txt:3",
        "summit.txt:4",
        f"{citation.article_id}#{citation.start}-{citation.end}",
    ):
        assert bot.show(place).citation == citation
    assert bot.show("x1").citation is None
    with pytest.raises(QaError, match="No article 'nowhere"):
        bot.show("nowhere:3")


def test_two_files_may_bring_the_same_id(bot, folder):
    (folder / "news" / "again.jsonl").write_text('{"id": "x1", "text": "Another train."}\n')
    bot.add("news")
    with pytest.raises(QaError, match=r"'x1' names 2 articles: news/again\.jsonl"):
        bot.show("x1")
    hit = bot.search("another train")[0]
    assert bot.show(hit.citation).article.text == "Another train."


def test_a_citation_is_told_from_that_of_the_same_id_and_source_in_another_file(bot, folder):
    line = '{"id": "same", "source": "paper", "title": "%s", "text": "The %s sings."}\n'
    (folder / "one.jsonl").write_text(line % ("Owls", "owl"))
    (folder / "two.jsonl").write_text(line % ("Whales", "whale"))
    bot.add("one.jsonl", "two.jsonl")
    for animal in ("owl", "whale"):
        best = bot.search(f"Which {animal} sings?")[0]
        shown = bot.show(best.citation)
        assert shown.article.text == f"The {animal} sings."
        assert [passage.text for passage in shown.passages] == [shown.article.text]
        (found,) = verify(Library.open(folder / "lib"), [Cited(best.citation)])
        assert (found.library, found.file) == ("exact", "exact")


def test_a_file_whose_name_is_no_text_is_not_said_to_be_gone(bot, folder):
    below = folder / "r\udce9"
    below.mkdir()
    (below / "owls.txt").write_text("Owls\n\nThe owl sings.\n")
    bot.add(below)
    (found,) = verify(Library.open(folder / "lib"), [Cited(bot.search("owl")[0].citation)])
    assert (found.library, found.file) == ("exact", None)
    assert bot.show("r\udce9/owls.txt").article.title == "Owls"
    assert bot.remove(str(below)) == 1


def test_a_library_in_a_folder_whose_name_is_no_text_is_refused_at_once(folder):
    with pytest.raises(LibraryError, match=r"r\\xe9.*another place"):
        Bot.open(folder / "r\udce9", encoder=ToyEncoder(), create=True)
    assert not (folder / "r\udce9").exists()


def test_missing_libraries_and_paths_say_what_to_do(folder):
    with pytest.raises(MissingLibrary, match="Make one: qa add ARTICLES"):
        Bot.open("nowhere", encoder=ToyEncoder(), reader=None)
    bot = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    with pytest.raises(NoArticles, match="no-such"):
        bot.add("no-such")
    (folder / "bare").mkdir()
    with pytest.raises(NoArticles, match="Give a folder with"):
        bot.add("bare")


class Other(ToyEncoder):
    name = "other"
    fingerprint = "other:1"
    dimensions = 128


def test_another_model_is_an_error_and_reindexing_cures_it(bot, monkeypatch):
    with pytest.raises(MismatchedLibrary, match="qa reindex --model other"):
        Bot.open("lib", encoder=Other(), reader=None)
    reader = bot.search("train", top_k=9)
    monkeypatch.setattr("qa.retriever.load_encoder", lambda _: Other())
    assert bot.reindex(model="other") == bot.status().passages
    assert bot.status().model == "other"
    assert texts(bot.search("train", top_k=9)) == texts(reader)
    assert bot.add("news").unchanged == 4


def test_a_library_that_takes_the_place_of_another_is_answered_from_at_once(bot, folder):
    assert bot.search("armored train")
    shutil.rmtree("lib")
    with pytest.raises(MissingLibrary):
        bot.search("armored train")
    other = Bot.open("lib", encoder=ToyEncoder(), reader=None, create=True)
    (folder / "news" / "trains.txt").write_text("Ports\n\nA ship left, no train.\n")
    other.add("news")
    assert bot.status().version == other.status().version
    for mode in ("hybrid", "dense", "lexical"):
        asked = bot.search("armored train", mode=mode)
        assert asked == other.search("armored train", mode=mode)


def test_a_library_that_another_process_encoded_anew_is_an_error_not_a_mix(bot):
    assert bot.search("armored train")
    shutil.rmtree("lib")
    other = ToyEncoder()
    other.fingerprint = "toy:2"
    Bot.open("lib", encoder=other, reader=None, create=True).add("news")
    with pytest.raises(MismatchedLibrary, match="encode it again"):
        bot.search("armored train")
    assert bot.search("armored train", mode="lexical")


def test_a_cache_that_a_writer_replaces_while_it_is_opened_is_not_called_damaged(bot, caplog):
    library = bot._library
    with library.snapshot() as before:
        bot.add_text("A ferry left the port.", "one.txt")
        view = library.vectors(before)
        assert view.search(ToyEncoder().encode_query("armored train"), 1, None)
    assert not caplog.records
    with library.snapshot() as now:
        (library.folder / now.cache("vectors").name).unlink()
        library.vectors(now)
    assert "damaged" in caplog.text


def test_a_backup_that_went_another_way_to_the_same_version_is_answered_from(bot, folder):
    shutil.copytree("lib", "backup")
    bot.add_text("A ferry left the port.", "one.txt")
    assert "ferry" in bot.search("a ferry left")[0].passage.text
    Bot.open("backup", encoder=ToyEncoder()).add_text("The zebra stayed at home.", "two.txt")
    shutil.rmtree("lib")
    Path("backup").rename("lib")
    assert "zebra" in bot.search("zebra at home", mode="dense")[0].passage.text


def test_a_library_encoded_anew_by_another_process_is_asked_with_its_new_model(bot, monkeypatch):
    assert bot.search("armored train")
    other = ToyEncoder()
    other.fingerprint = "toy:2"
    monkeypatch.setattr("qa.retriever.load_encoder", lambda _model: other)
    Bot.open("lib").reindex()
    with pytest.raises(MismatchedLibrary):
        bot.search("armored train")  # it was given its encoder
    followed = Bot.open("lib")
    assert followed.search("armored train")
    monkeypatch.setattr("qa.retriever.load_encoder", lambda _model: ToyEncoder())
    Bot.open("lib").reindex()
    assert followed.search("armored train")


def test_what_filters_let_through_is_looked_up_once_for_each_version(bot, monkeypatch):
    looked_up = []
    inner = Snapshot.allowed
    monkeypatch.setattr(
        Snapshot, "allowed", lambda self, filters: looked_up.append(filters) or inner(self, filters)
    )
    only = Filters(sources=("*.txt",))
    for question in ("armored train", "the meeting"):
        bot.search(question, mode="dense", filters=only)
    assert looked_up == [only]
    bot.add_text("A ferry left the port.", "one.txt")
    assert "ferry" in bot.search("a ferry left", filters=only)[0].passage.text
    assert looked_up == [only, only]


def test_a_library_of_another_format_is_an_error_that_says_so(bot):
    path = bot.status().path
    db = database.connect(path)
    db.execute("UPDATE meta SET value = 99 WHERE name = 'format'")
    db.close()
    with pytest.raises(MismatchedLibrary, match="has format 99, this qa reads format 1"):
        Bot.open("lib", encoder=ToyEncoder(), reader=None)


def test_a_library_damaged_beyond_its_caches_is_an_error_that_says_so(bot):
    path = bot.status().path / "library.db"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(DamagedLibrary, match="Move it away and add the articles again"):
        Bot.open("lib", encoder=ToyEncoder(), reader=None)


def test_a_second_writer_waits_and_then_says_who_is_in_the_way(bot):
    library = Library.open(bot.status().path)
    with library.writing(), pytest.raises(LockedError, match="Another process is writing"):
        with library.writing(wait_s=0.05):
            pass


def test_readers_see_one_version_while_a_writer_commits(bot, folder):
    library = Library.open(bot.status().path)
    with library.snapshot() as before:
        version, counts = before.version, before.counts()
        (folder / "news" / "late.txt").write_text("Late\n\nA late article came in.\n")
        bot.add("news")
        assert (before.version, before.counts()) == (version, counts)
        assert not library.vectors(before).search(ToyEncoder().encode_query("late"), 50, None)[
            counts[1] :
        ]
    with library.snapshot() as after:
        assert after.version > version
    assert texts(bot.search("late article"))[0] == "A late article came in."


def test_threads_may_ask_while_another_adds(bot, folder):
    failures, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                assert "An armored train left." in texts(bot.search("armored train"))
            except Exception as error:  # noqa: BLE001 -- collected, and asserted on below
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(12):
        (folder / "news" / f"n{number}.txt").write_text(f"T\n\nArticle number {number} came.\n")
        bot.add("news")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_adding_again_commits_nothing(bot):
    version = bot.status().version
    bot.add("news")
    assert bot.status().version == version


def test_a_library_without_write_permission_can_still_be_asked(bot, monkeypatch):
    monkeypatch.setattr("qa.library.database.os.access", lambda *_: False)
    assert texts(bot.search("armored train"))[0] == "An armored train left."


def test_a_library_of_the_first_format_is_opened_by_today_s_code(folder):
    shutil.copytree(Path(__file__).parent / "data" / "library-1", "old")
    bot = Bot.open("old", encoder=ToyEncoder(), reader=None)
    hits = bot.search("Which whale sings?")
    assert texts(hits)[0] == "The blue whale sings at night.\n\nSome whales dive deep."
    assert hits[0].citation.source == "whales.txt"
    assert bot.add_text("Owls\n\nThe owl sings too.", "owls.txt").added == 1
    assert "The owl sings too." in texts(bot.search("owl sings"))


@pytest.mark.real
def test_reading_marks_the_words_that_answer_and_says_who_agrees(folder):
    (folder / "one.txt").write_text(
        "Harbour\n\nThe new harbour of Lindby will be opened on 4 May by the mayor.\n"
    )
    (folder / "two.txt").write_text(
        "Sea\n\nThe mayor of Lindby will open the new harbour on 9 June, the paper says.\n"
    )
    bot = Bot.open("lib", create=True)
    bot.add("one.txt", "two.txt")
    answer = bot.ask("When will the new harbour of Lindby be opened?")
    for hit in answer.hits[:2]:
        assert hit.span.text in {"4 May", "9 June"}
        assert hit.passage.text[hit.span.start : hit.span.end] == hit.span.text
        assert {"relevance", "margin"} <= set(hit.signals)
    assert [agreement.kind for agreement in answer.agreement] == ["differ"]
    assert "read" in answer.took_ms
    unread = Bot.open("lib", reader=None).ask("When will the new harbour of Lindby be opened?")
    assert unread.hits[0].span is None
    assert unread.agreement == ()


@pytest.mark.real
def test_a_reader_that_is_none_is_an_error_that_names_its_file(folder):
    (folder / "bad.safetensors").write_bytes(b"no reader at all")
    with pytest.raises(ModelError, match=r"bad\.safetensors"):
        Bot.open("lib", reader="bad.safetensors", create=True)
