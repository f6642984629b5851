from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qa import noise, reading
from qa.model import Article

SEEDS = Path(__file__).parent.parent / "seeds"
PROSE = "The two leaders met on Monday."


def marked(text, title="A title of its own"):
    article = Article("a", "a.txt", title, text)
    return [(found.kind, text[found.start : found.end]) for found in noise.mark(article)]


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("byline", "By Jane Doe"),
        ("byline", "By Jane Doe, Health Correspondent | 11 September 2023"),
        ("byline", "Jane Doe, USA TODAY"),
        ("dateline", "Published 11 September 2023 at 10:15 BST"),
        ("dateline", "May 12, 2022"),
        ("dateline", "2 hours ago"),
        ("dateline", "CNN —"),
        ("dateline", "Kharkiv, Ukraine CNN —"),
        ("caption", "The leaders meet in Vladivostok, April 25, 2019. (AFP Photo)"),
        ("caption", "The leaders meet 'in the coming days'. Credit: AP"),
        ("caption", "A house after the storm. Photograph: Jane Doe/The Guardian"),
        ("caption", "A house after the storm in Naples, Florida. Sean Roe/Getty Images"),
        ("caption", "A house after the storm. (Photo by Sean Roe / AFP)"),
        ("caption", "A house after the storm [Photo/Agencies]"),
        ("caption", "A house after the storm. Jane Doe, via Reuters"),
        ("caption", "FILE - A house in Naples after the storm of 2021."),
        ("caption", "Image caption A house after the storm"),
        ("caption", "Pictured: a house after the storm"),
        ("caption", "Are things shifting? ITV News Asia Correspondent Jane Doe reports"),
        ("credit", "Credit: AP"),
        ("credit", "(Reuters)"),
        ("credit", "AP Photo/Jane Doe"),
        ("credit", "Contributing: The Associated Press; John Roe, USA TODAY"),
        ("credit", "Reporting by Jane Doe; Editing by John Roe"),
        ("credit", "Jane Doe in Paris contributed to this report."),
        ("teaser", "Read more: What we know about the visit"),
        ("teaser", "More:What we know about the visit"),
        ("teaser", "RELATED: What we know about the visit"),
        ("teaser", "Watch: the moment they met"),
        ("teaser", "Related stories"),
        ("teaser", "Sign up for our daily newsletter to get the news first."),
        ("teaser", "Want a quick briefing on the biggest stories? Listen to our latest podcasts."),
        ("teaser", "This story first appeared in our newsletter. Sign up here."),
        ("teaser", "Subscribe to our channel here."),
        ("share", "Share this article"),
        ("share", "Facebook Twitter WhatsApp Copy link"),
        ("share", "Copy link"),
        ("share", "ADVERTISEMENT"),
        ("share", "Story continues below"),
        ("share", "Follow us on Facebook and Instagram"),
        ("share", "Follow Jane Doe on Twitter: @janedoe"),
        ("share", "Jane Doe is a reporter for The Post. Follow her on Twitter at @janedoe."),
        ("share", "Contact Jane Doe at jane@example.org."),
        ("share", "We use cookies to improve your experience."),
        ("share", "© 2023 Example News. All rights reserved."),
    ],
)
def test_a_line_that_is_no_prose_is_marked_as_what_it_is(kind, line):
    assert marked(f"{PROSE}\n\n{line}\n\n{PROSE}") == [(kind, line)]
    assert marked(f"{PROSE}\r\n{line}\r\n{PROSE}") == [(kind, line)]


@pytest.mark.parametrize(
    "line",
    [
        "By the end of May 12, 2022 the talks had failed.",
        "On May 12, 2022 the leaders met.",
        "He took credit for it, according to AP.",
        "She showed a photo of Kim Jong Un.",
        "The area postrema (AP) lies in the medulla.",
        "Officials told Reuters that they would meet (Reuters).",
        "The photograph was taken by Jane Doe in 1945.",
        "Like many people on Twitter, Doe was surprised.",
        "A journalist wrote in a tweet that he had left Facebook.",
        "More people watch television than read newspapers.",
        "Watch the sky in August and you will see meteors.",
        "Related proteins are found in yeast.",
        "Sign language is not universal.",
        "Share prices fell by a tenth.",
        "Subscribers to the service pay ten dollars a month.",
        "Source code is text that people write.",
        "Print is not dead, she said.",
        "Comments on the draft were few.",
        "Advertisement spending rose in 2022.",
        "Contact with the surface was lost.",
        "Copyright law protects authors.",
        "In this picture of society, nobody is free.",
        "Jane Doe",
        "London",
        "10:15",
    ],
)
def test_prose_that_looks_a_little_like_it_is_not_marked(line):
    assert marked(f"{PROSE}\n\n{line}\n\n{PROSE}") == []


def test_a_long_paragraph_is_prose_whatever_it_ends_with():
    assert marked(f"{PROSE * 30} Credit: AP") == []


def test_the_title_is_a_headline_at_the_top_and_wherever_it_is_repeated():
    title = "Kim to visit Russia"
    text = f"{title}\nA train in Pyongyang. Credit: AP\n\n{PROSE}\n\n{title}\n\n{title} soon."
    assert marked(text, title) == [
        ("headline", title),
        ("caption", "A train in Pyongyang. Credit: AP"),
        ("headline", title),
    ]


@pytest.mark.parametrize("heading", ["# Kim to visit Russia", "Kim to visit Russia\n====="])
def test_a_markdown_heading_that_is_the_title_is_a_headline(heading):
    found = marked(f"{heading}\n\n{PROSE}", "Kim to visit Russia")
    assert "\n".join(text for _, text in found) == heading
    assert {kind for kind, _ in found} == {"headline"}


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Kim to visit Russia", "Kim to visit Russia"),
        ("Kim to visit Russia", "Kim to visit Russia\nin the coming days, it said.\n"),
        (PROSE * 2, f"{PROSE * 2}\n\n{PROSE}"),
    ],
)
def test_a_title_that_is_the_prose_itself_is_no_headline(title, text):
    assert marked(text, title) == []


def test_front_matter_is_marked_and_what_stands_between_two_rules_is_not():
    matter = "---\ntitle: T\ndate: 2023-09-11\n---"
    assert marked(f"{matter}\n{PROSE}\n") == [("frontmatter", matter)]
    assert marked(f"---\n{PROSE}\n---\n{PROSE}\n") == []


def test_a_caption_broken_over_lines_is_marked_as_a_whole():
    caption = "The two leaders attend a reception\nin Vladivostok, April 25, 2019\n(AFP Photo)"
    assert marked(f"{PROSE}\n\n{caption}\n\n{PROSE}") == [("caption", caption)]


def test_a_caption_right_below_prose_does_not_take_it_along():
    assert marked(f"{PROSE}\nA train. Credit: AP") == [("caption", "A train. Credit: AP")]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("000_963ee7dfa9b136de.txt", ["headline", "caption"]),
        ("002_c3556cd57e149e18.txt", ["headline", *["caption"] * 4, "teaser"]),
    ],
)
def test_the_sample_articles_are_marked_line_by_line(name, kinds):
    (article,) = reading.read(SEEDS / name, name)
    assert [found.kind for found in noise.mark(article)] == kinds


PIECES = st.sampled_from(
    ["By Jane Doe", "Credit: AP", PROSE, "T", "# T", "---", "a: b", "Read more", "2023-09-11",
     "\n", "\n\n", "\r\n", "\r", " ", "\0", "👩‍🚀", "(AFP Photo)", "====", "\u2028", "x" * 300]
)  # fmt: skip


# White space that ends no line, as str.strip sees it.
BLANK = "".join(c for c in map(chr, range(0x3001)) if c.isspace() and c not in "\r\n")


@settings(max_examples=100)
@given(st.lists(PIECES | st.text(max_size=5), max_size=20).map("".join))
def test_marks_are_ordered_disjoint_and_whole_lines(text):
    end = 0
    for found in noise.mark(Article("a", "a.txt", "T", text)):
        assert end <= found.start < found.end <= len(text)
        assert text[: found.start].rstrip(BLANK)[-1:] in {"", "\r", "\n"}
        assert text[found.end :].lstrip(BLANK)[:1] in {"", "\r", "\n"}
        end = found.end
