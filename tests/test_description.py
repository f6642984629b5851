"""The API against its own description: schemathesis looks for requests that break it."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS
from serving import HERE, toy_bot

from qa.server.app import create_app
from qa.server.settings import Settings

OPERATIONS = [
    ("/v1/ask", "post"),
    ("/v1/ask/stream", "post"),
    ("/v1/search", "post"),
    ("/v1/show", "get"),
    ("/v1/articles", "get"),
    ("/v1/articles", "post"),
    ("/v1/articles", "delete"),
    ("/v1/status", "get"),
    ("/v1/health", "get"),
]
ASKING_NOTHING = OPERATIONS[-2:]
# What no schema can say: no word in a question, no such day, days in the wrong order, a text that
# is no article, a path that is not allowed, an `after` that was never a `next`.
MEANINGLESS = {"question", "request", "unreadable", "outside", "invalid"}


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    bot = toy_bot(tmp_path_factory.mktemp("described") / "lib")
    app = create_app(bot, Settings(writable=True))
    config = schemathesis.Config.from_dict({"base-url": HERE})
    return schemathesis.openapi.from_asgi(
        "/v1/openapi.json", app, config=config, headers={"Host": "127.0.0.1"}
    )


def test_these_are_all_operations(described):
    found = {(result.ok().path, result.ok().method) for result in described.get_all_operations()}
    assert found == set(OPERATIONS)


def check(operation, mode, examples, judge):
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    def called(case):
        # Whether what fits the description is carried out is judged here, with what it cannot say.
        response = case.call_and_validate(
            headers={"Host": "127.0.0.1"},
            excluded_checks=[CHECKS.get_one("positive_data_acceptance")],
        )
        judge(response)

    called()


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_requests_that_fit_the_description_are_carried_out_or_mean_nothing(described, path, method):
    def judge(response):
        if response.status_code not in {200, 404}:
            found = response.json()
            assert found["type"].removeprefix("urn:qa:problem:") in MEANINGLESS
            assert "errors" not in found  # those name parts that do not fit

    check(described[path][method], GenerationMode.POSITIVE, 20, judge)


@pytest.mark.parametrize(
    ("path", "method"), [item for item in OPERATIONS if item not in ASKING_NOTHING]
)
def test_requests_that_do_not_fit_the_description_are_refused_as_it_says(described, path, method):
    def judge(response):
        # Where what does not fit is lost in writing it as a query, the rest may be carried out;
        # schemathesis knows when.
        assert response.status_code < 500

    check(described[path][method], GenerationMode.NEGATIVE, 20, judge)
