import datetime as dt
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qa import reading
from qa.errors import ReadError


def read(data, name="a.txt", origin="/articles/a"):
    data = data.encode() if isinstance(data, str) else data
    return list(reading.read_bytes(data, name, name, origin))


def one(data, name="a.txt"):
    (article,) = read(data, name)
    return article


def lines(*rows):
    return "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows)


# What is kept


@settings(max_examples=60)
@given(st.text(min_size=1).filter(str.strip))
@example("🧑‍🚀 in space\r\ncafe\u0301\rשלום עולם\n")
@example("a\0b\0")
@example("\ufeffsecond mark is text".replace("\ufeff", "x\ufeff"))
def test_a_text_is_kept_to_the_character(text):
    for name in ("a.txt", "a.md"):
        articles = [item for item in read(text, name) if not isinstance(item, ReadError)]
        assert [article.text for article in articles] == [text.removeprefix("\ufeff")]


@settings(max_examples=60)
@given(st.text(st.characters(), min_size=1).filter(str.strip))
@example("\ud800\udbff mates")
def test_a_jsonl_text_is_kept_and_each_lone_surrogate_replaced(text):
    expected = "".join("\ufffd" if "\ud800" <= c <= "\udfff" else c for c in text)
    whole = json.loads(json.dumps(text))  # escapes of two halves mean one character
    if whole == text:
        assert one(json.dumps({"text": text}), "a.jsonl").text == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_stay_as_they_are(end):
    article = one(f"A title{end}{end}A paragraph.{end}")
    assert article.text == f"A title{end}{end}A paragraph.{end}"
    assert article.title == "A title"


# Encodings


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_english_is_read_in_every_usual_encoding(encoding):
    text = "“Café” prices rose in Zürich\n\nThey rose – a lot – last year."
    assert one(text.encode(encoding)).text == text


def test_cyrillic_in_a_legacy_encoding_is_detected():
    text = "Москва подтвердила встречу в городе на Дальнем Востоке России. " * 5
    assert one(text.encode("cp1251")).text == text


def test_surrogates_on_disk_become_replacement_characters_one_for_one():
    assert one(b"caf\xc3\xa9 \xed\xa0\x80\xed\xb0\x80 end").text == "café \ufffd\ufffd end"


def test_a_utf8_file_cut_off_within_a_character_stays_utf8():
    assert one("né à Orléans".encode() + b"\xe2\x82").text == "né à Orléans\ufffd"


def test_a_megabyte_without_a_space_is_read_with_a_short_title():
    article = one("x" * 1_000_000)
    assert len(article.text) == 1_000_000
    assert article.title == "x" * 299 + "…"


# What is refused


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html", "a.jsonl"])
@pytest.mark.parametrize("data", [b"", b" \n\r\n"])
def test_an_empty_file_is_an_error_that_names_it(name, data):
    with pytest.raises(ReadError, match=rf"^{name} is empty\. "):
        read(data, name)


def test_binary_data_is_no_text():
    with pytest.raises(ReadError, match=r"^paper\.pdf is not text\. Convert it"):
        read(b"%PDF-1.5\n" + bytes(range(256)) * 20, "paper.pdf")


def test_a_file_of_unknown_suffix_is_read_as_text():
    assert one("Notes\n\nMore.", "notes.org").title == "Notes"


def test_a_file_that_cannot_be_read_is_one_line(tmp_path):
    with pytest.raises(ReadError, match=r"^Cannot read here/a\.txt: No such file or directory\. "):
        list(reading.read(tmp_path / "a.txt", "here/a.txt"))


# Ids


def test_an_id_depends_on_the_place_and_not_on_the_text():
    assert one("One text").id == one("Another text").id
    (elsewhere,) = read("One text", origin="/articles/b")
    assert elsewhere.id != one("One text").id


def test_reading_a_path_names_the_article_by_its_absolute_path(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("Hello\n\nworld.")
    (article,) = reading.read(path, "a.txt")
    assert (article,) == tuple(read("Hello\n\nworld.", origin=str(path)))


# Plain text


def test_the_first_line_is_the_title_and_a_long_one_is_cut_at_a_word():
    title = one("word " * 100 + "\n\nMore.").title
    assert title.endswith("word…")
    assert len(title) <= 301


@pytest.mark.parametrize(
    ("line", "author"),
    [
        ("By Jane Doe", "Jane Doe"),
        ("By JANE DOE, Associated Press", "JANE DOE"),
        ("by Jane Doe and John O'Neil-Smith", "Jane Doe, John O'Neil-Smith"),
        ("Written by Dr. Jane van der Berg", "Dr. Jane van der Berg"),
        ("By Jane Doe in London", "Jane Doe"),
        ("By Jane Doe BBC News", "Jane Doe"),
        ("By Reuters", "Reuters"),
        ("Jane Doe, Reuters", "Jane Doe"),
        ("Jane Doe | USA TODAY", "Jane Doe"),
        ("Author: Jane Doe", "Jane Doe"),
    ],
)
def test_a_byline_near_the_top_is_read_as_the_author(line, author):
    assert one(f"A title\n\n{line}\n\nProse.").author == author


@pytest.mark.parametrize(
    "line",
    [
        "By the end of 2023 they had met.",
        "By Far The Best",
        "Jane Doe",
        "New York, Reuters",
        "By Jane Doe's account, nothing happened.",
    ],
)
def test_what_only_looks_like_a_byline_is_none(line):
    assert one(f"A title\n\n{line}\n\nProse.").author is None


@pytest.mark.parametrize(
    "line",
    [
        "2023-09-11",
        "2023-09-11T10:15:00Z",
        "Sept. 11, 2023",
        "Monday, 11th September 2023",
        "Published 11 September 2023 at 10:15 BST",
        "Updated: September 11, 2023 9:40 AM EDT",
        "Published 1:05 PM EDT, Mon September 11, 2023",
        "11 September 2023 | Updated 12 September 2023",
        "11.09.2023",
        "By Jane Doe | 11 September 2023",
    ],
)
def test_a_date_line_near_the_top_is_read_as_the_date(line):
    assert one(f"A title\n\n{line}\n\nProse.").date == dt.date(2023, 9, 11)


@pytest.mark.parametrize(
    "line",
    [
        "In September 2023 they met.",
        "September 11, 2023 was a Monday.",
        "On 11 September 2023",
        "03/04/2023",
        "31 February 2023",
        "11 September",
    ],
)
def test_a_sentence_with_a_date_or_a_doubtful_date_is_no_date(line):
    assert one(f"A title\n\n{line}\n\nProse.").date is None


def test_a_date_line_before_the_title_is_not_the_title():
    article = one("11 September 2023\nBy Jane Doe\nA title\n\nProse.")
    assert (article.title, article.author, article.date) == (
        "A title",
        "Jane Doe",
        dt.date(2023, 9, 11),
    )


def test_a_date_line_far_below_the_top_is_text():
    assert one("A title\n" + "Prose.\n" * 10 + "2023-09-11\n").date is None


# Markdown


def test_front_matter_is_read_and_stays_in_the_text():
    text = (
        "---\ntitle: The title\nauthors: [Jane Doe, John Roe]\ndate: 2023-09-11\n"
        "url: https://example.org/a\n---\n\n# Heading\n\nProse.\n"
    )
    article = one(text, "a.md")
    assert article.text == text
    assert (article.title, article.author, article.date, article.url) == (
        "The title",
        "Jane Doe, John Roe",
        dt.date(2023, 9, 11),
        "https://example.org/a",
    )


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Intro.\n\n## The *title* of [it](x) ##\n", "The title of it"),
        ("The title\n=========\n\nProse.", "The title"),
        ("```\n# a comment\n```\n# The title\n", "The title"),
        ("No heading here\n\nProse.", "No heading here"),
    ],
)
def test_the_first_heading_is_the_title(text, title):
    assert one(text, "a.md").title == title


@pytest.mark.parametrize("matter", ["title: [open", "title: {a: 1}", "date: someday", "- list"])
def test_bad_front_matter_is_reported_and_the_article_read(matter):
    text = f"---\n{matter}\n---\n# Title\n"
    error, article = read(text, "a.md")
    assert str(error).startswith("a.md: front matter")
    assert (article.title, article.text) == ("Title", text)


# JSON lines


def test_every_field_of_a_jsonl_line_is_kept():
    row = {
        "_id": 7,
        "title": "T",
        "text": "Text.",
        "url": "https://example.org",
        "date": "2022/06/11",
        "author": ["A B", "C D"],
        "source": "example.org",
    }
    article = one(json.dumps(row), "a.jsonl")
    assert (article.id, article.title, article.text, article.url) == (
        "7",
        "T",
        "Text.",
        "https://example.org",
    )
    assert (article.date, article.author, article.source) == (
        dt.date(2022, 6, 11),
        "A B, C D",
        "example.org",
    )


def test_a_jsonl_line_without_id_gets_a_stable_one_of_its_own():
    first, second = read(lines({"text": "a"}, {"text": "a"}), "a.jsonl")
    assert first.id != second.id
    assert read(lines({"text": "b"}), "a.jsonl")[0].id == first.id


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "it is no JSON (Expecting property name enclosed in double quotes, column 2)"),
        ("[1]", "it is no object"),
        ("{}", 'it has no "text"'),
        ('{"text": 1}', 'it has no "text"'),
        ('{"text": "a", "title": {}}', "'{}' is no text"),
        ("[" * 100_000, "its JSON is nested too deeply"),
    ],
)
def test_a_bad_line_is_reported_by_number_and_the_others_are_read(line, why):
    first, error, last = read(lines({"text": "a"}, line, {"text": "b"}), "a.jsonl")
    assert (first.text, last.text) == ("a", "b")
    assert isinstance(error, ReadError)
    assert str(error).startswith(f"a.jsonl line 2 is not read: {why}")


def test_an_id_given_twice_is_reported_with_both_lines():
    _, error = read(lines({"id": 1, "text": "a"}, {"id": "1", "text": "b"}), "a.jsonl")
    assert str(error) == (
        "a.jsonl line 2 is not read: its id '1' is that of line 1. Give each article its own."
    )


def test_a_date_that_is_none_is_reported_and_the_article_kept():
    error, article = read(lines({"text": "a", "date": "03/04/2023"}), "a.jsonl")
    assert "line 1: '03/04/2023' is no date" in str(error)
    assert article.date is None


@pytest.mark.parametrize("date", [None, "", "2023", "2023-09", "n.d."])
def test_no_date_or_a_year_alone_is_no_error(date):
    assert one(json.dumps({"text": "a", "date": date}), "a.jsonl").date is None


def test_dates_of_other_languages_are_read():
    row = {"text": "a", "date": "12 septembre 2023"}
    assert one(json.dumps(row), "a.jsonl").date == dt.date(2023, 9, 12)


def test_jsonl_may_be_utf16_if_it_says_so_but_no_legacy_encoding():
    assert one('{"text": "é"}'.encode("utf-16"), "a.jsonl").text == "é"
    (error,) = read('{"text": "é"}'.encode("cp1252"), "a.jsonl")
    assert str(error) == "a.jsonl line 1 is not read: it is not UTF-8, as JSON must be."


def test_blank_lines_in_jsonl_are_no_articles():
    assert len(read('\n{"text": "a"}\n\n', "a.jsonl")) == 1


def test_a_file_that_is_no_jsonl_at_all_is_reported_in_few_lines():
    errors = read("no json\n" * 1000, "a.jsonl")
    assert len(errors) == 21
    assert str(errors[-1]) == "a.jsonl: 980 more lines like these. Write one object a line."


# HTML

PAGE = """<!doctype html><html><head><title>Kim to visit Russia - Example</title>
<meta property="og:title" content="Kim to visit Russia"><meta name="author" content="Jane Doe">
<meta property="article:published_time" content="2023-09-11T10:00:00Z">
<link rel="canonical" href="https://example.com/kim"></head>
<body><nav><a href="/">Home</a> <a href="/world">World</a></nav><article>
<h1>Kim to visit Russia</h1>
<p>The planned meeting will take place in the Russian city of Vladivostok, the Kremlin said.</p>
<p>The visit was confirmed by both countries on Monday, after days of speculation about it.</p>
<ul><li>One item of a list</li><li>Another item of it</li></ul></article>
<footer>Copyright 2021 Example</footer></body></html>"""


def test_a_page_gives_its_main_text_and_what_it_says_of_itself(capfd):
    article = one(PAGE, "a.html")
    assert article.text == (
        "Kim to visit Russia\n\n"
        "The planned meeting will take place in the Russian city of Vladivostok, the Kremlin said."
        "\n\nThe visit was confirmed by both countries on Monday, after days of speculation about "
        "it.\n\n- One item of a list\n- Another item of it"
    )
    assert (article.title, article.author, article.date, article.url) == (
        "Kim to visit Russia",
        "Jane Doe",
        dt.date(2023, 9, 11),
        "https://example.com/kim",
    )
    assert capfd.readouterr() == ("", "")


def test_a_page_from_the_web_keeps_the_address_it_was_fetched_from():
    (article,) = reading.read_bytes(PAGE.encode(), "kim.html", "x", "https://example.org/b")
    assert article.url == "https://example.org/b"


def test_a_page_without_main_text_gives_all_that_can_be_seen():
    links = "".join(f"<a href='/{n}'>Part {n}</a> " for n in range(40))
    page = f"<title>T</title><script>no</script><nav>{links}</nav><div>" + "O<b>ne</b>.<br>" * 30
    article = one(page, "a.htm")
    assert article.title == "T"
    assert article.text.split("\n\n") == ["One."] * 30


def test_a_page_whose_head_is_never_closed_is_read():
    assert one("<head><title>T</title><p>Hello <i>you</i>.", "a.html").text == "Hello you."


def test_a_page_is_decoded_as_it_declares():
    page = '<?xml version="1.0" encoding="iso-8859-2"?><p>Łódź, Kraków i Gdańsk'
    assert one(page.encode("iso-8859-2"), "a.xhtml").text == "Łódź, Kraków i Gdańsk"


@pytest.mark.parametrize("page", ["<html><body></body></html>", "<script>x</script>"])
def test_a_page_with_nothing_to_see_is_an_error(page):
    with pytest.raises(ReadError, match=r"^a\.html has no text\. "):
        read(page, "a.html")


def test_a_page_of_deeply_nested_elements_is_read(capfd):
    assert one("<div>" * 20_000 + "deep", "a.html").text == "deep"
    assert capfd.readouterr() == ("", "")
