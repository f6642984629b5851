"""What every test file may use."""

import os

from embeddings.threads import settle

settle()
# Haystack reports what pipelines run, and leaves a file in the home for it, unless told not to.
os.environ["HAYSTACK_TELEMETRY_ENABLED"] = "false"

import pytest  # noqa: E402 -- NumPy reads the number of threads when it is imported
from hypothesis import settings  # noqa: E402
from installed import Command, build, unpack  # noqa: E402
from toy import ToyEncoder  # noqa: E402

settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture
def toy():
    return ToyEncoder()


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def packages(wheel, tmp_path_factory):
    return unpack(wheel, tmp_path_factory.mktemp("packages"))


@pytest.fixture
def qa(packages, tmp_path):
    """The command `qa` in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Command(packages, folder)
