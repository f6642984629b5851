"""What all skins over the bot promise together."""

import subprocess
import sys
import zipfile
from importlib.metadata import requires

import pytest
from packaging.metadata import parse_email
from packaging.requirements import Requirement

EXTRAS = {"haystack": "haystack", "langchain": "langchain_core", "llamaindex": "llama_index"}


def brought(requirements, extra=None):
    """The names that installing brings, with an extra or without one."""
    return {
        wanted.name
        for wanted in map(Requirement, requirements)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra or ""})
    }


def test_installing_the_package_brings_nothing_of_the_extras(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
        metadata, _ = parse_email(archive.read(name))
    named = metadata["requires_dist"]
    plain = brought(named)
    assert {"faiss-cpu", "sentence-transformers", "typer", "prompt-toolkit"} <= plain
    extras = {
        "bench": {"matplotlib"},
        "eval": {"ir-measures"},
        "haystack": {"haystack-ai"},
        "langchain": {"langchain-core"},
        "llamaindex": {"llama-index-core"},
        "mcp": {"mcp"},
        "serve": {"fastapi", "uvicorn"},
    }
    assert extras.keys() | {"dev"} == set(metadata["provides_extra"])
    for extra, packages in extras.items():
        assert brought(named, extra) == plain | packages
        assert not plain & packages
    # Nor does anything that the package needs bring them in its turn.
    assert not reached(plain) & set().union(*extras.values(), {"starlette"})


def reached(names):
    """All that installing these brings here, with what they need in their turn."""
    found, waiting = set(), set(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= brought(requires(name) or [])
    return found


@pytest.mark.parametrize(("extra", "package"), EXTRAS.items())
def test_a_skin_without_its_extra_says_what_to_install(extra, package, qa):
    hidden = f"import sys; sys.modules['{package}'] = None; import qa.integrations.{extra}"
    done = subprocess.run(
        [sys.executable, "-c", hidden],
        cwd=qa.folder, env=qa.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: qa.integrations.{extra} needs {package}. "
        f"Install it: pip install 'article-qa[{extra}]'"
    )
