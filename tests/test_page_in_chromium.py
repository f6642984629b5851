"""The page as a person uses it, in a real Chromium; where there is none, these tests are skipped.

In CI they are not: .ci/run installs one.
"""

import os
import re
import shutil
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright
from serving import running_server
from toy import ToyEncoder

from qa import Bot
from qa.model import Span
from qa.reader import Reading
from qa.server.settings import Settings

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
# No sandbox: as root there is none. The rest keeps Chromium itself from asking the network.
OPTIONS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"),
    reason="no Chromium here: install the package chromium to test the page",
)

HOSTILE = "<img src=x onerror=alert(1)><script>alert(2)</script>"
ARTICLES = {
    "news/summit.txt": "A summit 🕊️ at last\n\n"
    + "".join(f"Paragraph {n} tells of the weather. 🌦️ Nothing else is new.\n\n" for n in range(60))
    + "🕊️🕊️ After long talks the two leaders will meet in Geneva, both sides say.\n\n"
    + "".join(f"Paragraph {n} tells of the weather again.\n\n" for n in range(60, 120)),
    "news/first.txt": "Orvana talks\n\nThe Orvana summit will take place on 14 May 2024, officials said.",
    "news/second.txt": "Orvana plans\n\nThe Orvana summit will take place on 21 May 2024, ministers said.",
    "news/third.txt": "Orvana news\n\nThe Orvana summit will take place on 14 May 2024, papers wrote.",
    "hostile.jsonl": '{"id": "evil/<b>", "title": "' + HOSTILE + '", "url": "javascript:alert(3)", '
    '"date": "2023-09-12", "text": "Zebras graze ' + HOSTILE + ' in Kenya."}',
}


class MarkingReader:
    """Marks places and days; sure where there are any, sure of nothing elsewhere."""

    name = "marking"

    def read(self, question, passages):
        return [self._read(question, passage.text) for passage in passages]

    def _read(self, question, text):
        found = re.search(r"Geneva|\d+ May 2024|Kenya", text)
        if not found or "football" in question:
            return Reading(0.01, None, -9.0)
        return Reading(0.99, Span(*found.span(), found[0], 0.95), 9.0)


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "lib"
    bot = Bot.open(folder, encoder=ToyEncoder(), reader=MarkingReader(), create=True)
    for name, text in ARTICLES.items():
        bot.add_text(text, name)
    return bot


@pytest.fixture(scope="module")
def address(bot):
    with running_server(bot, Settings(port=0)) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Opens addresses in pages that may complain of nothing and ask nobody else."""
    contexts, complaints = [], []

    def opened(address, expected=(), **options):
        context = browser.new_context(**{"viewport": {"width": 1100, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        host = urlsplit(address).netloc

        def complain(text):
            if not any(part in text for part in expected):
                complaints.append(text)

        page.on("pageerror", lambda error: complain(str(error)))
        page.on("dialog", lambda dialog: (complaints.append(dialog.message), dialog.dismiss()))
        page.on(
            "console",
            lambda said: complain(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on(
            "request",
            lambda asked: None if urlsplit(asked.url).netloc == host else complain(asked.url),
        )
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def ask(page, question):
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn").last.locator(".verdict").wait_for()


def query(page):
    return parse_qs(urlsplit(page.url).query)


SUMMIT = "Where will the leaders meet?"
ORVANA = "When will the Orvana summit take place?"


def test_a_question_is_answered_with_its_words_marked(opened, address):
    page = opened(address)
    expect(page.locator("#holds")).to_have_text("5 articles")
    ask(page, SUMMIT)
    expect(page.locator(".verdict .words")).to_have_text("Geneva")
    expect(page.locator(".sure")).to_have_text(re.compile(r"(confident|likely) \(0\.\d\d\)"))
    # The characters before it are two and four units long in JavaScript.
    expect(page.locator(".hit mark").first).to_have_text("Geneva")
    expect(page.locator(".cite").first).to_have_text(re.compile(r"news/summit.txt:\d+ ¶\d+"))
    assert query(page) == {"q": [SUMMIT]}
    assert page.title().startswith(SUMMIT)
    expect(page.get_by_role("status")).to_contain_text("Geneva")


def test_a_citation_opens_the_whole_article_at_the_marked_words(opened, address):
    page = opened(address)
    ask(page, SUMMIT)
    link = page.locator(".hit h3 a").first
    link.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("mark")).to_have_text("Geneva")
    expect(dialog.locator("mark")).to_be_in_viewport()
    expect(dialog.locator(".cited")).to_contain_text(
        "After long talks the two leaders will meet in Geneva"
    )
    assert dialog.locator("#text").evaluate("e => e.textContent") == ARTICLES["news/summit.txt"]
    assert dialog.locator("#text").evaluate("e => e.scrollTop") > 500
    shared = page.url
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(link).to_be_focused()
    assert query(page) == {"q": [SUMMIT]}
    page.go_back()
    expect(dialog.locator("mark")).to_be_in_viewport()
    page.go_back()
    expect(dialog).to_be_hidden()
    # What was seen can be handed on.
    other = opened(shared)
    expect(other.get_by_role("dialog").locator("mark")).to_be_in_viewport()
    other.get_by_role("button", name="Close the article").click()
    expect(other.locator(".verdict .words")).to_have_text("Geneva")


def test_what_is_not_answered_is_said_with_why_and_the_nearest_passages_as_such(opened, address):
    page = opened(address)
    ask(page, "Who won the football match?")
    expect(page.locator(".verdict")).to_have_text("Nothing here answers that.")
    expect(page.locator(".why")).to_contain_text("'football'")
    expect(page.locator(".nearest")).to_have_text("The nearest passages, which do not answer it")
    expect(page.locator(".unanswered .hit").first).to_be_visible()
    expect(page.locator("mark")).to_have_count(0)
    expect(page.locator(".sure")).to_have_count(0)


def test_articles_that_agree_and_that_differ_are_said_and_lead_to_their_passages(opened, address):
    page = opened(address)
    ask(page, ORVANA)
    differ = page.locator(".agreement .differ")
    expect(differ).to_contain_text("The articles differ")
    expect(differ).to_contain_text("21 May 2024")
    expect(page.locator(".agreement .same")).to_contain_text("2 articles agree")
    differ.get_by_role("link").last.click()
    rank = differ.get_by_role("link").last.inner_text().strip("[]")
    passage = page.locator(f'[data-rank="{rank}"]')
    expect(passage).to_be_in_viewport()
    expect(passage.locator("h3 a")).to_be_focused()


def test_filters_narrow_and_stand_in_the_address(opened, address):
    page = opened(f"{address}?q=Where+do+zebras+graze%3F&since=2023-09")
    expect(page.locator(".hit")).to_have_count(1)
    expect(page.locator("#narrowed")).to_have_text("Only since 2023-09")
    page.locator("summary").click()
    page.get_by_label("Since").fill("2024")
    page.get_by_label("Since").press("Enter")
    expect(page.locator(".verdict")).to_have_text("Nothing here answers that.")
    expect(page.locator(".hit")).to_have_count(0)
    assert query(page)["since"] == ["2024"]
    page.go_back()
    expect(page.locator(".hit")).to_have_count(1)
    expect(page.get_by_label("Since")).to_have_value("2023-09")
    page.go_forward()
    expect(page.locator(".hit")).to_have_count(0)
    page.get_by_role("button", name="Clear").click()
    expect(page.locator(".hit")).to_have_count(5)
    page.get_by_label("Source").fill("second")
    page.get_by_label("Source").press("Tab")
    expect(page.locator(".hit .cite")).to_have_text([re.compile("news/second.txt")] * 2)
    expect(page.locator("#sources option")).to_have_count(5)
    assert query(page) == {"q": ["Where do zebras graze?"], "source": ["second"]}


def test_one_question_after_another_makes_a_thread_that_can_be_gone_back_through(opened, address):
    page = opened(address)
    ask(page, SUMMIT)
    ask(page, ORVANA)
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn h2").last).to_be_in_viewport()
    assert query(page) == {"q": [SUMMIT, ORVANA]}
    page.go_back()
    expect(page.locator(".turn")).to_have_count(1)
    page.go_forward()
    expect(page.locator(".turn")).to_have_count(2)
    shared = opened(page.url)
    expect(shared.locator(".verdict .words")).to_have_text(["Geneva", re.compile("May 2024")])
    expect(shared.locator(".turn h2").last).to_be_in_viewport()
    page.get_by_role("link", name="New question").click()
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.get_by_label("Your question")).to_be_focused()
    assert query(page) == {}


def test_a_question_is_understood_from_those_above_it_and_says_so(opened, address):
    page = opened(address)
    ask(page, ORVANA)
    ask(page, "and where?")
    understood = page.locator(".turn").last.locator(".understood")
    expect(understood).to_have_text("Understood as: where will the Orvana summit take place?")
    page.get_by_role("link", name="New question").click()
    ask(page, "and where?")
    expect(page.locator(".understood")).to_have_count(0)


def test_all_can_be_done_with_keys(opened, address):
    page = opened(address)
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type(ORVANA)
    page.keyboard.press("Enter")
    page.locator(".verdict").wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator(".hit h3 a").nth(0)).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(".hit h3 a").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#reading")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#reading")).to_be_hidden()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(page.get_by_label("Source")).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("j/n?")
    expect(page.get_by_label("Your question")).to_have_value("j/n?")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.locator(".turn")).to_have_count(0)


def test_text_of_articles_is_never_taken_for_html(opened, address):
    page = opened(address)
    ask(page, "Where do zebras graze?")
    expect(page.locator(".hit blockquote").first).to_contain_text(HOSTILE)
    expect(page.locator(".hit h3").first).to_have_text(HOSTILE)
    expect(page.locator(".hit mark").first).to_have_text("Kenya")
    page.locator(".hit h3 a").first.click()
    expect(page.locator("#title")).to_have_text(HOSTILE)
    expect(page.locator("#text")).to_contain_text(HOSTILE)
    expect(page.locator("#where a")).to_have_count(0)
    assert page.locator("main img, main script, dialog img, dialog script").count() == 0
    hostile = opened(f"{address}?q={HOSTILE}&source={HOSTILE}")
    expect(hostile.locator(".turn h2")).to_have_text(HOSTILE)


def test_the_policy_forbids_what_the_page_does_not_do(opened, address):
    page = opened(address, expected=["Content Security Policy", "TrustedHTML"])
    assert page.evaluate(
        """() => { try { document.body.innerHTML = '<p>x'; return 'done' } catch (e) { return e.name } }"""
    ) == "TypeError"  # fmt: skip
    assert page.evaluate(
        """async () => { try { await fetch('http://127.0.0.1:9/'); return 'done' } catch (e) { return e.name } }"""
    ) == "TypeError"  # fmt: skip


def test_a_token_is_taken_from_the_address_or_asked_for(opened, bot):
    refused = ["401"]
    with running_server(bot, Settings(port=0, token="sesame/+=%")) as address:
        base = address.partition("#")[0]
        page = opened(address)
        ask(page, SUMMIT)
        assert "token" not in page.url
        expect(page.locator(".verdict .words")).to_have_text("Geneva")
        other = opened(f"{base}?q={SUMMIT}", expected=refused)
        expect(other.locator("#locked")).to_be_visible()
        field = other.get_by_role("textbox", name="Token", exact=True)
        field.fill("wrong")
        other.keyboard.press("Enter")
        expect(other.get_by_text("That is not this server's token.")).to_be_visible()
        field.fill("sesame/+=%")
        other.keyboard.press("Enter")
        expect(other.locator(".verdict .words")).to_have_text("Geneva")


def test_a_problem_is_shown_and_can_be_tried_again(opened, tmp_path):
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=MarkingReader(), create=True)
    bot.add_text(ARTICLES["news/first.txt"], "first.txt")
    with running_server(bot, Settings(port=0)) as address:
        page = opened(address, expected=["503", "ERR_CONNECTION_REFUSED"])
        (tmp_path / "lib").rename(tmp_path / "away")
        page.get_by_label("Your question").fill(ORVANA)
        page.keyboard.press("Enter")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("The library is not there")
        (tmp_path / "away").rename(tmp_path / "lib")
        alert.get_by_role("button", name="Ask again").click()
        expect(page.locator(".verdict .words")).to_have_text("14 May 2024")
        unknown = opened(f"{address}?article=nothing", expected=["404"])
        expect(unknown.get_by_role("dialog")).to_contain_text("No article 'nothing'")
    page.get_by_label("Your question").fill("And now?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 390])
def test_axe_finds_nothing_and_nothing_sticks_out(opened, address, scheme, width):
    page = opened(
        address, color_scheme=scheme, viewport={"width": width, "height": 800},
        reduced_motion="reduce",
    )  # fmt: skip

    def check():
        found = Axe().run(page).response["violations"]
        assert [(item["impact"], item["id"], item["nodes"][0]["html"]) for item in found] == []
        assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0

    check()
    ask(page, ORVANA)
    page.locator("summary").click()
    check()
    ask(page, "Who won the football match?")
    check()
    ask(page, "Where do zebras graze?")
    page.locator(".turn").last.locator(".hit h3 a").first.click()
    expect(page.locator("#reading .cited")).to_be_visible()
    check()
