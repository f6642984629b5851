"""The HTTP API as a program sees it, in memory; test_serve.py has the real process."""

import base64
import hashlib
import json
import logging
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from serving import HERE, ToyReader, client, events, toy_bot
from toy import ToyEncoder

from qa import Bot, schema
from qa.conversation import Conversation
from qa.errors import ModelError
from qa.server.settings import Limits, Settings, host_name

WRITABLE = Settings(writable=True)
QUESTION = {"question": "Where will the leaders meet?"}


@pytest.fixture
def bot(tmp_path):
    return toy_bot(tmp_path / "lib")


@pytest.fixture
def http(bot):
    return client(bot)


def problem(response, status, kind):
    """What a problem says in detail; it must be one, of that status and kind."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == status
    assert found["type"] == (f"urn:qa:problem:{kind}" if kind else "about:blank")
    assert found["title"]
    # Whoever asks over HTTP has no command line; `qa serve` is said to who runs the server.
    assert not re.search(r"\bqa (?!serve)\w", found["detail"])
    return found["detail"]


def without_times(answer):
    return {**answer, "took_ms": None}


def test_an_answer_is_the_one_that_python_gets_by_the_one_contract(bot, http):
    found = http.post("/v1/ask", json=QUESTION).json()
    jsonschema.validate(found, schema.answer_schema())
    assert without_times(found) == without_times(schema.as_dict(bot.ask(QUESTION["question"])))
    assert found["status"] == "answered"
    assert found["hits"][0]["span"]["text"] == "Geneva"


def test_a_question_can_be_narrowed(http):
    def sources(**more):
        hits = http.post("/v1/ask", json={"question": "rain, train or food?", **more}).json()[
            "hits"
        ]
        return [hit["citation"]["source"] for hit in hits]

    assert len(sources()) > 2
    assert len(sources(top_k=1)) == 1
    assert set(sources(sources=["*.md"])) == {"weather.md"}
    assert set(sources(since="2023-09")) == {"weather.md"}
    assert set(sources(until="2023-08-31")) == {"trains.jsonl"}
    asked = {"question": "where is geneva?", "min_confidence": 1.0}
    assert http.post("/v1/ask", json=asked).json()["status"] == "unanswered"


def test_a_question_is_understood_from_those_before_it_even_by_a_server_that_never_saw_them(bot):
    first, second = "Where did the armored train go?", "and when?"
    asked = {"question": second, "earlier": [first]}
    began = bot.ask(first)
    expected = bot.ask(second, conversation=Conversation().after(began))
    assert "armored train" in expected.understood_as
    seen, unseen = client(bot), client(bot)
    seen.post("/v1/ask", json={"question": first})
    for http in (seen, unseen, unseen):
        found = http.post("/v1/ask", json=asked).json()
        assert without_times(found) == without_times(schema.as_dict(expected))
    (_, answer, _) = events(seen.post("/v1/ask/stream", json=asked).text)
    assert without_times(json.loads(answer[1])) == without_times(schema.as_dict(expected))
    hits = bot.search(second, conversation=Conversation().after(began))
    assert seen.post("/v1/search", json=asked).json() == {"hits": schema.hits_as_dicts(hits)}
    alone = seen.post("/v1/ask", json={"question": second}).json()
    assert alone["understood_as"] == second
    too_long = {"question": "x", "earlier": ["who?"] * 21}
    problem(seen.post("/v1/ask", json=too_long), 422, "invalid")


def test_how_a_question_was_asked_does_not_change_how_the_next_is_understood(tmp_path):
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=ToyReader(), create=True)
    bot.add_text("Geneva Holt will travel to the coast by train.", "a.txt")
    first = {"question": "Who will travel to the coast?"}
    asked = {"question": "and when will she return?", "earlier": [first["question"]]}
    http = client(bot)
    alone = http.post("/v1/ask", json={**first, "min_confidence": 1.0}).json()
    assert alone["status"] == "unanswered"
    found = http.post("/v1/ask", json=asked).json()
    assert found["understood_as"].startswith("and when will Geneva return?")


def test_search_ranks_passages_as_python_does(bot, http):
    found = http.post("/v1/search", json={**QUESTION, "mode": "lexical"}).json()
    assert found == {"hits": schema.hits_as_dicts(bot.search(QUESTION["question"], mode="lexical"))}
    assert found["hits"]


def test_an_answer_streams_as_it_forms(bot, http):
    response = http.post("/v1/ask/stream", json=QUESTION)
    assert response.headers["content-type"].startswith("text/event-stream")
    (first, passages), (second, answer), (third, words) = events(response.text)
    assert [first, second, third] == ["passages", "answer", "words"]
    assert all(hit["span"] is None for hit in json.loads(passages)["hits"])
    expected = schema.as_dict(bot.ask(QUESTION["question"]))
    assert without_times(json.loads(answer)) == without_times(expected)
    assert json.loads(words) == {
        "sureness": "confident", "why": None, "marked": [1], "agreement": [],
    }  # fmt: skip


def test_what_is_not_answered_says_why_in_words(http):
    response = http.post(
        "/v1/ask/stream", json={"question": "who won the football match?", "min_confidence": 1}
    )
    words = json.loads(dict(events(response.text))["words"])
    assert words["sureness"] is None
    assert "'football'" in words["why"]
    assert words["marked"] == []


def test_a_question_that_cannot_be_searched_is_a_problem_and_no_stream(http):
    for path in ("/v1/ask", "/v1/ask/stream", "/v1/search"):
        assert "empty" in problem(http.post(path, json={"question": "?!"}), 422, "question")


def test_a_fault_of_the_reader_after_the_passages_ends_the_stream_with_a_problem(tmp_path):
    class Failing(ToyReader):
        def read(self, _question, _passages):
            time.sleep(0.3)  # until the passages are on their way
            raise ModelError("The reader cannot read. Get another.")

    toy_bot(tmp_path / "lib")
    http = client(Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=Failing()))
    (first, _), (second, said) = events(http.post("/v1/ask/stream", json=QUESTION).text)
    assert (first, second) == ("passages", "problem")
    assert json.loads(said)["detail"] == "The reader cannot read. Get another."


def test_a_fault_is_a_problem_and_the_next_question_is_answered(tmp_path, caplog):
    class Failing(ToyReader):
        def read(self, question, passages):
            if "fail" in question:
                raise ZeroDivisionError("by zero")
            return super().read(question, passages)

    toy_bot(tmp_path / "lib")
    http = client(Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=Failing()))
    with caplog.at_level(logging.WARNING, "qa.server"):
        problem(http.post("/v1/ask", json={"question": "leaders fail?"}), 500, "fault")
        assert http.post("/v1/ask", json=QUESTION).status_code == 200
    (said,) = (record.getMessage() for record in caplog.records)
    assert said.startswith("POST '/v1/ask': ZeroDivisionError: by zero. This is a fault of qa's")


def test_a_cited_passage_is_shown_in_its_article(http):
    (hit, *_) = http.post("/v1/ask", json=QUESTION).json()["hits"]
    cited = hit["citation"]
    place = f"{cited['article_id']}#{cited['start']}-{cited['end']}"
    found = http.get("/v1/show", params={"citation": place, "source": cited["source"]}).json()
    assert found["citation"] == cited
    assert found["text"][cited["start"] : cited["end"]] == hit["text"]
    assert [item["start"] for item in found["passages"]] == sorted(
        item["start"] for item in found["passages"]
    )
    by_line = http.get("/v1/show", params={"citation": "summit.txt:3"}).json()
    assert by_line["citation"] == cited


def test_what_to_do_next_is_said_without_the_command_line(http):
    asked = http.post("/v1/ask", json={"question": "?"})
    assert problem(asked, 422, "question") == "The question is empty. Ask something."
    shown = http.get("/v1/show", params={"citation": "nothing"})
    assert problem(shown, 404, "unknown-article").endswith("in the library. See what there is.")


def test_unknown_articles_are_not_found_and_no_file_is_read(http, tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    for name in ("nothing", str(secret), "../secret.txt", "/etc/passwd", "t/3"):
        said = problem(http.get("/v1/show", params={"citation": name}), 404, "unknown-article")
        assert name in said
        assert "secret\n" not in said


def test_articles_are_listed_page_by_page_whatever_is_added_meanwhile(bot, http):
    whole = http.get("/v1/articles").json()
    assert whole["total"] == 4
    assert whole["next"] is None
    assert [item["source"] for item in whole["articles"]] == [
        "summit.txt", "trains.jsonl", "trains.jsonl", "weather.md",
    ]  # fmt: skip
    seen = []
    after = None
    while True:
        page = http.get(
            "/v1/articles", params={"limit": 1, **({"after": after} if after else {})}
        ).json()
        seen += page["articles"]
        if not (after := page["next"]):
            break
        bot.add_text("Earlier in the list.", f"a{len(seen)}.txt")
    assert seen == whole["articles"]
    assert [
        item["article_id"]
        for item in http.get("/v1/articles", params={"source": ["trains"], "since": "2023"}).json()[
            "articles"
        ]
    ] == ["t/1"]
    problem(http.get("/v1/articles", params={"after": "nonsense"}), 422, "invalid")


def test_articles_with_the_same_source_and_id_are_all_listed(bot, http, tmp_path, monkeypatch):
    for number in range(3):
        (tmp_path / f"{number}").mkdir()
        monkeypatch.chdir(tmp_path / f"{number}")
        Path("same.jsonl").write_text(json.dumps({"id": "x", "text": f"Copy {number}."}))
        bot.add("same.jsonl")
    seen, after = 0, None
    while True:
        params = {"limit": 1, "source": ["same"], **({"after": after} if after else {})}
        page = http.get("/v1/articles", params=params).json()
        seen += len(page["articles"])
        if not (after := page["next"]):
            break
    assert seen == 3


def test_status_says_what_there_is_and_health_that_it_can_be_used(http, bot):
    assert http.get("/v1/status").json() == schema.status_as_dict(bot.status())
    assert http.get("/v1/health").json() == {"status": "ok"}


def test_nothing_is_added_or_removed_unless_allowed(http, bot):
    problem(http.post("/v1/articles", json={"text": "x", "name": "x.txt"}), 403, "read-only")
    problem(http.delete("/v1/articles", params={"article_id": "t/1"}), 403, "read-only")
    assert bot.status().articles == 4


def test_a_text_is_added_changed_and_removed(bot):
    http = client(bot, WRITABLE)
    sent = {"text": "Zebras\n\nZebras graze in Kenya.", "name": "zebras.txt"}
    assert http.post("/v1/articles", json=sent).json()["added"] == 1
    assert http.post("/v1/articles", json=sent).json()["unchanged"] == 1
    changed = {**sent, "text": "Zebras\n\nZebras graze in Kenya now."}
    assert http.post("/v1/articles", json=changed).json()["changed"] == 1
    (hit, *_) = http.post("/v1/search", json={"question": "where do zebras graze?"}).json()["hits"]
    assert "Kenya now" in hit["text"]
    name = {"article_id": hit["citation"]["article_id"]}
    assert http.delete("/v1/articles", params=name).json() == {"removed": 1}
    problem(http.delete("/v1/articles", params=name), 404, "unknown-article")
    assert bot.status().articles == 4


def test_removing_takes_ids_and_never_folders(bot):
    http = client(bot, WRITABLE)
    for name in ("/", ".", "summit.txt", "*", ""):
        assert http.delete("/v1/articles", params={"article_id": name}).status_code in {404, 422}
    other = {"article_id": "t/1", "source": "summit.txt"}
    problem(http.delete("/v1/articles", params=other), 404, "unknown-article")
    assert bot.status().articles == 4


def test_what_cannot_be_read_is_a_problem(bot):
    http = client(bot, WRITABLE)
    sent = {"text": '{"id": "1"}', "name": "bad.jsonl"}
    assert "bad.jsonl" in problem(http.post("/v1/articles", json=sent), 422, "unreadable")


def test_files_are_only_read_below_the_allowed_folders(bot, tmp_path):
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    for folder in (allowed, outside):
        folder.mkdir()
        (folder / "a.txt").write_text(f"Of {folder.name}.")
    (allowed / "inner").symlink_to(outside)
    http = client(bot, Settings(writable=True, roots=(allowed,)))

    def add(path):
        return http.post("/v1/articles", json={"path": str(path)})

    for path in (
        outside, outside / "a.txt", allowed / ".." / "outside", allowed / "inner", "allowed",
        allowed / "inner" / "a.txt", outside / "missing", "/etc/passwd", "/", "http://127.0.0.1/x",
        f"{tmp_path}/allowed-too", "\0",
    ):  # fmt: skip
        problem(add(path), 403, "outside")
    assert add(allowed).json()["added"] == 1
    problem(add(allowed / "missing"), 422, "no-articles")
    (allowed / "link.txt").symlink_to(outside / "a.txt")
    problem(add(allowed), 403, "outside")
    assert not [info for info in bot.articles() if "outside" in info.origin]
    problem(client(bot, WRITABLE).post("/v1/articles", json={"path": str(allowed)}), 403, "outside")


def test_a_name_that_was_bound_anew_is_not_answered(bot, http, caplog):
    for host in (
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil",
        "",
        "a@127.0.0.1",
        "10.1.2.3",
    ):
        problem(http.get("/v1/status", headers={"Host": host}), 421, "wrong-host")
    assert len(caplog.records) == 6
    for host in ("localhost", "LOCALHOST:8000", "[::1]:8000", "127.0.0.2"):
        assert http.get("/v1/status", headers={"Host": host}).status_code == 200
    assert http.get("/", headers={"Host": "evil.example"}).status_code == 421
    known = client(bot, Settings(host="0.0.0.0", names=("qa.example",)))
    for host in ("qa.example", "10.1.2.3:8000"):
        assert known.get("/v1/status", headers={"Host": host}).status_code == 200
    problem(known.get("/v1/status", headers={"Host": "other.example"}), 421, "wrong-host")


def test_host_names_are_read_as_browsers_send_them():
    assert host_name("[::1]:80") == "::1"
    assert host_name("a.b:80") == host_name("A.b.") == "a.b"
    assert host_name("::1") is host_name("a:b") is host_name("") is host_name(":80") is None


def test_pages_of_other_sites_are_refused_and_get_no_permission(http):
    for origin in ("http://evil.example", "null", "http://127.0.0.1:9", "http://localhost:8000"):
        said = http.post("/v1/ask", json=QUESTION, headers={"Origin": origin})
        problem(said, 403, "wrong-origin")
        assert not [name for name in said.headers if name.startswith("access-control")]
    assert http.post("/v1/ask", json=QUESTION, headers={"Origin": HERE}).status_code == 200
    for site, status in (
        ("cross-site", 403),
        ("same-site", 403),
        ("same-origin", 200),
        ("none", 200),
    ):
        headers = {"Sec-Fetch-Site": site}
        assert http.get("/v1/articles", headers=headers).status_code == status
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert http.options("/v1/ask", headers=asked).status_code == 403
    # A link from another site may lead to the page.
    assert http.get("/?q=who", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_the_token_is_wanted_for_all_that_holds_articles(bot):
    http = client(bot, Settings(token="sesame", writable=True))
    for method, path in (
        ("POST", "/v1/ask"), ("POST", "/v1/ask/stream"), ("POST", "/v1/search"), ("GET", "/v1/show"),
        ("GET", "/v1/articles"), ("POST", "/v1/articles"), ("DELETE", "/v1/articles"),
        ("GET", "/v1/status"), ("GET", "/v1/whatever"),
    ):  # fmt: skip
        response = http.request(method, path)
        problem(response, 401, "token")
        assert response.headers["www-authenticate"] == "Bearer"
        for wrong in (
            "Bearer",
            "Bearer no",
            "Bearer sesame2",
            "Bearer ünï",
            "Basic sesame",
            "sesame",
        ):
            headers = {"Authorization": wrong.encode()}
            problem(http.request(method, path, headers=headers), 401, "token")
    right = {"Authorization": "Bearer sesame"}
    assert http.post("/v1/ask", json=QUESTION, headers=right).status_code == 200
    for path in ("/", "/v1/health", "/v1/openapi.json"):
        assert http.get(path).status_code == 200


def test_bodies_have_a_size(bot):
    http = client(bot, replace(WRITABLE, limits=Limits(body_bytes=1000, upload_bytes=5000)))
    said = problem(http.post("/v1/ask", content=b"x" * 1001), 413, None)
    assert "1,000 bytes" in said

    def parts():
        for _ in range(20):
            yield b"x" * 100

    problem(http.post("/v1/ask", content=parts()), 413, None)
    fits = {"text": "A text. " * 500, "name": "long.txt"}
    assert http.post("/v1/articles", json=fits).status_code == 200
    problem(http.post("/v1/articles", json={**fits, "text": "A text. " * 1000}), 413, None)


def test_no_request_takes_longer_than_it_may(tmp_path):
    go = threading.Event()

    class Slow(ToyReader):
        def read(self, question, passages):
            go.wait(20)
            return super().read(question, passages)

    toy_bot(tmp_path / "lib")
    bot = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=Slow())
    http = client(bot, Settings(limits=Limits(answer_s=0.2)))
    response = http.post("/v1/ask", json=QUESTION)
    problem(response, 503, "too-slow")
    assert response.headers["retry-after"]
    go.set()
    assert http.post("/v1/ask", json=QUESTION).status_code == 200


def test_what_is_asked_wrongly_is_said_part_by_part(http):
    response = http.post("/v1/ask", json={"question": "", "top_k": 0, "what": 1, "since": "soon"})
    problem(response, 422, "invalid")
    assert {item["at"] for item in response.json()["errors"]} == {
        "body.question", "body.top_k", "body.what", "body.since",
    }  # fmt: skip
    for content in (b"{", b"\xff\xfe", b'"\\ud800"', b"[1]"):
        sent = {"Content-Type": "application/json"}
        problem(http.post("/v1/ask", content=content, headers=sent), 422, "invalid")
    said = problem(http.post("/v1/ask", data={"question": "who?"}), 415, None)
    assert "Content-Type: application/json" in said
    problem(
        http.post("/v1/ask", json={**QUESTION, "since": "2023", "until": "2022"}), 400, "request"
    )
    problem(http.post("/v1/ask", json={**QUESTION, "since": "2023-02-31"}), 400, "request")
    problem(http.get("/v1/nothing"), 404, None)
    response = http.put("/v1/ask")
    problem(response, 405, None)
    assert response.headers["allow"] == "POST"


def test_a_library_that_goes_is_said_and_one_that_comes_is_used(tmp_path, bot, http):
    moved = (tmp_path / "lib").rename(tmp_path / "gone")
    problem(http.get("/v1/health"), 503, "missing-library")
    problem(http.post("/v1/ask", json=QUESTION), 503, "missing-library")
    problem(http.post("/v1/ask/stream", json=QUESTION), 503, "missing-library")
    other = Bot.open(tmp_path / "lib", encoder=ToyEncoder(), reader=None, create=True)
    for name in ("a.txt", "b.txt", "c.txt"):  # to the very same version
        other.add_text(f"In {name} the leaders meet in Oslo.", name)
    assert other.status().version == Bot.open(moved).status().version
    hits = http.post("/v1/ask", json=QUESTION).json()["hits"]
    assert len(hits) == 3
    assert all("Oslo" in hit["text"] for hit in hits)


def test_every_response_carries_the_headers_of_defence(http):
    for response in (
        http.get("/"),
        http.get("/v1/status"),
        http.get("/v1/x"),
        http.post("/v1/ask"),
    ):
        headers = response.headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
    assert http.get("/v1/status").headers["cache-control"] == "no-store"


def test_the_page_is_painted_with_nothing_but_its_own_document(http):
    page = http.get("/")
    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    assert "--paper" in style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = page.headers.get_list("content-security-policy")
    assert f"style-src 'sha256-{digest}';" in policy
    assert "script-src 'self';" in policy
    assert 'rel="stylesheet"' not in page.text
    assert "<img" not in page.text


def test_the_page_is_sent_again_only_when_it_changed(http):
    first = http.get("/")
    again = http.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert http.head("/").headers["content-length"] == str(len(first.content))


def test_the_page_weighs_little_and_loads_nothing_from_elsewhere():
    folder = Path(__file__).parent.parent / "qa" / "server" / "page"
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(files) == {"index.html", "style.css", "app.js", "icon.svg"}
    assert sum(map(len, files.values())) < 100_000
    for name, data in files.items():
        assert b"http://" not in data.replace(b"http://www.w3.org/2000/svg", b""), name
        assert b"//cdn" not in data, name


def test_every_operation_is_described_with_true_examples(http):
    found = http.get("/v1/openapi.json").json()
    operations = [item for path in found["paths"].values() for item in path.values()]
    assert all(operation["summary"] for operation in operations)
    replies = [reply for operation in operations for reply in operation["responses"].values()]
    contents = [content for reply in replies for content in reply["content"].values()]
    assert len(contents) > 50
    pairs = [(item["example"], item["schema"]) for item in contents if "schema" in item]
    for operation in operations:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            pairs += [(item["value"], content["schema"]) for item in content["examples"].values()]
    (stream,) = (item for item in contents if "itemSchema" in item)
    of = {"passages": "Hits", "answer": "Answer", "words": "Words"}
    for name, data in events(stream["example"]):
        pairs.append(({"event": name, "data": data}, stream["itemSchema"]))
        pairs.append((json.loads(data), {"$ref": f"#/components/schemas/{of[name]}"}))
    for value, wanted in pairs:
        jsonschema.validate(value, {**wanted, "components": found["components"]})
    assert found["components"]["schemas"]["hit"] == json.loads(
        json.dumps(schema.answer_schema()["$defs"]["hit"]).replace(
            "#/$defs/", "#/components/schemas/"
        )
    )
