"""What every test file may use."""

import os

import pytest
from hypothesis import settings
from toy import ToyEncoder

settings.register_profile("dev", deadline=None, max_examples=50)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


@pytest.fixture
def toy():
    return ToyEncoder()
