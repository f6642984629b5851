"""Models that a user names: from a folder or the hub, in silence, without running their code."""

import contextlib
import logging
import os
import textwrap
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from .errors import EncoderError

Model = TypeVar("Model")

# Asking an unreachable hub file by file, with its own retries, takes more than a minute.
_REACH_SECONDS = 10


def load(name: str, get: Callable[[str, bool], Model]) -> Model:
    """The model at a path or of a hub name; the disk is tried before the network.

    Args:
        name: a folder, or a hub name.
        get: loads it by the folder's full path or the hub name, from the disk alone if told so.

    Raises:
        EncoderError: it cannot be had.
    """
    with _quiet():
        if Path(name).is_dir():
            # The same folder, from wherever the name is read again.
            return _from_folder(str(Path(name).resolve()), get)
        return _from_hub(name, get)


def _from_folder(folder: str, get: Callable[[str, bool], Model]) -> Model:
    try:
        return get(folder, True)
    except EncoderError:
        raise
    except Exception as error:  # loaders raise what they like for a damaged file
        raise EncoderError(
            f"The folder {folder} holds no whole model ({_why(error)}). "
            "Give a folder that the model's own save has written, or a model's hub name."
        ) from error


def _from_hub(name: str, get: Callable[[str, bool], Model]) -> Model:
    if name.startswith((".", "/", "~")):
        raise EncoderError(f"There is no folder '{name}'. Give a model's folder or its hub name.")
    try:
        return get(name, True)
    except EncoderError:
        raise
    except Exception as missing:  # as above
        if os.environ.get("HF_HUB_OFFLINE", "0").lower() not in {"0", "", "false"}:
            raise _not_had(name, "HF_HUB_OFFLINE is set and no copy is on disk") from missing
    try:
        _reach_hub()
        return get(name, False)
    except EncoderError:
        raise
    except Exception as error:  # as above, and what networks raise
        raise _not_had(name, _why(error)) from error


def _reach_hub() -> None:
    from huggingface_hub import constants, get_session

    get_session().head(constants.ENDPOINT, timeout=_REACH_SECONDS)


def _not_had(name: str, why: str) -> EncoderError:
    return EncoderError(
        f"The model {name} cannot be had ({why}). "
        "Give the path of a model's folder, or connect to the network to download it."
    )


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {textwrap.shorten(str(error), 160, placeholder=' …')}"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps loading bars and warnings of the libraries from the user, and leaves them as found."""
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging as model_logging

    levels = hub_logging.get_verbosity(), model_logging.get_verbosity()
    sentence_logging = logging.getLogger("sentence_transformers")
    sentence_level = sentence_logging.level
    bars = model_logging.is_progress_bar_enabled()
    hub_logging.set_verbosity(logging.ERROR)
    model_logging.set_verbosity(logging.ERROR)
    sentence_logging.setLevel(logging.ERROR)
    model_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        hub_logging.set_verbosity(levels[0])
        model_logging.set_verbosity(levels[1])
        sentence_logging.setLevel(sentence_level)
        if bars:
            model_logging.enable_progress_bar()
