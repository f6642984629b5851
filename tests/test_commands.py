import datetime as dt
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.commands import (
    COMMANDS,
    Add,
    Ask,
    Command,
    Context,
    Edit,
    Forget,
    Help,
    Json,
    Limit,
    More,
    Open,
    Quit,
    Replay,
    Save,
    SetFilter,
    Show,
    ShowFilter,
    ShowLibrary,
    Sources,
    Why,
    WhyNot,
    help_text,
    parse,
)
from qa.completion import Completion, Names, complete
from qa.errors import QaError
from qa.model import Filters

TITLES = ["Moscow confirms visit of Kim", "Rain in Spain", "Über die Brücke"]
SOURCES = ["news/bbc-1.txt", "news/bbc 2.txt", "blog/itv.md"]
NAMES = Names(TITLES, SOURCES, ["2023-09-12", "2023-10-05", "2019-04-25"])


def refused(line):
    with pytest.raises(QaError) as caught:
        parse(line)
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("where will they meet?", Ask("where will they meet?")),
        ("  where?\nand when? ", Ask("where?\nand when?")),
        ("quit smoking: does it help?", Ask("quit smoking: does it help?")),
        ("/show 2", Show(2)),
        ("/SHOW [2]", Show(2)),
        ("/open 12", Open(12)),
        ("/why 1", Why(1)),
        ("/more", More()),
        ("/sources", Sources("")),
        ("/sources the bbc", Sources("the bbc")),
        ("/filter", ShowFilter()),
        ("/filter clear", SetFilter(Filters())),
        ("/json", Json()),
        ("/save my answer.md", Save("my answer.md")),
        ("/help", Help()),
        (":show 2", Show(2)),
        (":q", Quit()),
        (": is that so?", Ask(": is that so?")),
        ("/whynot the bell tower", WhyNot("the bell tower")),
        ("/context", Context()),
        ("/forget", Forget()),
        ("/edit", Edit()),
        ("/edit where will Ada meet them?", Edit("where will Ada meet them?")),
        ("/k 7", Limit(7)),
        ("/replay talk.txt", Replay("talk.txt")),
        ("/library", ShowLibrary()),
        ("/add 'my notes' https://a.example/b", Add(("my notes", "https://a.example/b"))),
        ("/quit", Quit()),
        ("/exit", Quit()),
        (" quit\n", Quit()),
        ("Exit", Quit()),
    ],
)
def test_a_line_is_read_as(line, command):
    assert parse(line) == command


def test_a_filter_takes_sources_and_days_of_which_the_last_ends_its_month_or_year():
    line = "/filter source:bbc* source:'itv news' since:2023-09 until:2023"
    assert parse(line) == SetFilter(
        Filters(("bbc*", "itv news"), dt.date(2023, 9, 1), dt.date(2023, 12, 31))
    )


@pytest.mark.parametrize("line", ["/show", "/show two", "/show 1 2", "/show -1", "/show 1234567"])
def test_a_missing_or_wrong_number_is_answered_with_the_usage(line):
    assert refused(line) == "Write it like this: /show N"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/more 3", "Write it like this: /more"),
        ("/save", "Write it like this: /save FILE"),
        ("/filter bbc", "Write it like this: /filter [source:GLOB] [since:DATE]"),
        ("/filter since:2023 since:2024", "Write it like this: /filter"),
        ("/filter source:it's", "(No closing quotation)"),
        ("/filter since:2024 until:2023", "(since 2024-01-01 is after until 2023-12-31)"),
        ("/filter since:yesterday", "'yesterday' is no date. Write YYYY, YYYY-MM or YYYY-MM-DD."),
    ],
)
def test_arguments_that_do_not_fit_are_explained_in_one_line(line, why):
    message = refused(line)
    assert why in message
    assert "\n" not in message


def test_an_unknown_command_gets_the_nearest_one_as_a_suggestion():
    assert refused("/shwo 1") == "There is no /shwo. Did you mean /show?"
    assert refused("/xyzzy") == "There is no /xyzzy. /help lists the commands."
    assert refused("/") == "There is no /. /help lists the commands."


@given(st.text(max_size=40).filter(lambda line: not line.strip().startswith(("/", ":"))))
def test_every_line_without_a_slash_or_colon_is_a_question_or_leaves(line):
    leaves = line.strip().casefold() in ("quit", "exit")
    assert parse(line) == (Quit() if leaves else Ask(line.strip()))


@given(st.sampled_from(COMMANDS), st.text(max_size=20))
def test_whatever_follows_a_command_is_read_or_refused_never_asked(entry, arguments):
    try:
        outcome = parse(f"/{entry.name} {arguments}")
    except QaError as error:
        outcome = error
    assert isinstance(outcome, Command | QaError)
    assert not isinstance(outcome, Ask)


def test_help_names_every_command_with_its_arguments():
    text = help_text()
    for entry in COMMANDS:
        assert f"  {entry.usage}\n      {entry.help}\n" in text


def test_the_beginning_of_a_command_is_completed_with_its_help():
    assert complete("/so", 3, NAMES) == [
        Completion("/sources ", 0, "the articles, or those with WORDS in title or source")
    ]
    assert [found.text for found in complete("/", 1, Names())] == [
        f"/{entry.name}" + (" " if entry.arguments else "") for entry in COMMANDS
    ]


def test_the_last_words_of_a_question_are_completed_to_a_title():
    text = "what about confirms vi"
    assert complete(text, len(text), NAMES) == [
        Completion("Moscow confirms visit of Kim", text.index("confirms"))
    ]
    assert complete("die brü", 7, NAMES) == [Completion("Über die Brücke", 0)]


def test_only_what_stands_before_the_cursor_is_completed():
    assert complete("rain today", 4, NAMES) == [Completion("Rain in Spain", 0)]


def test_a_letter_alone_or_the_middle_of_a_word_completes_no_title():
    assert complete("r", 1, NAMES) == []
    assert complete("pain", 4, NAMES) == []


def test_sources_are_completed_by_any_part_and_quoted_where_they_need_it():
    found = complete("/filter since:2023 source:bbc", 29, NAMES)
    assert found == [
        Completion("source:'news/bbc 2.txt'", 19),
        Completion("source:news/bbc-1.txt", 19),
    ]
    assert parse(f"/filter {found[0].text}") == SetFilter(Filters(("news/bbc 2.txt",)))


def test_the_words_of_a_filter_are_completed():
    assert [found.text for found in complete("/filter s", 9, Names())] == ["source:", "since:"]


@given(st.text(max_size=20).filter(lambda source: "\x00" not in source))
def test_a_completed_source_filters_for_that_source(source):
    (found,) = complete("/filter source:", 15, Names(sources=[source]))
    if source.strip() == source and source:
        assert parse(f"/filter {found.text}") == SetFilter(Filters((source,)))
    assert shlex.split(found.text) == [f"source:{source}"]


def test_days_of_a_filter_are_completed_by_year_then_month_then_day_newest_first():
    def days(text):
        return [found.text for found in complete(text, len(text), NAMES)]

    assert days("/filter since:") == ["since:2023", "since:2019"]
    assert days("/filter until:2023") == ["until:2023-10", "until:2023-09"]
    assert days(":filter since:2023-09") == ["since:2023-09-12"]


def test_titles_are_completed_where_a_command_takes_words_of_one():
    assert complete("/whynot spain", 13, NAMES) == [Completion("Rain in Spain", 8)]


def test_a_colon_completes_commands_as_a_slash_does():
    assert [found.text for found in complete(":wh", 3, NAMES)] == [":why ", ":whynot "]
