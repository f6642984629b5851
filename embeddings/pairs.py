"""Models of others that read a question with a text: cross-encoders and question answering."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import hub
from .bert import Floats
from .encoder import Offsets
from .errors import EncoderError

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_BATCH = 4
# What question answering models are trained on; longer texts are read in windows, which share
# enough tokens that a span cut by the end of one is whole in the next.
_WINDOW = 384


@dataclass(frozen=True, slots=True)
class Window:
    """Logits of a stretch of a text: its tokens as first and as last of the answer.

    `offsets` are their `[start, end)` characters in the text, `null` is the logit of no answer.
    """

    offsets: Offsets
    first: Floats
    last: Floats
    null: float


class PairScorer:
    """A CrossEncoder of sentence-transformers with one label; threads take turns."""

    def __init__(self, name: str, model: "CrossEncoder") -> None:
        self.name = name
        self._model = model
        self._turn = threading.Lock()

    def logits(self, question: str, texts: Sequence[str]) -> list[float]:
        """How well each text goes with the question; what is too long loses its end."""
        from torch.nn import Identity

        if not texts:
            return []
        with self._turn:
            # A CrossEncoder may end in a sigmoid or not, as its files say: the logit is asked for.
            found = self._model.predict(
                [(question, text) for text in texts],
                batch_size=_BATCH,
                show_progress_bar=False,
                activation_fn=Identity(),
            )
        return [float(logit) for logit in found]


class SpanScorer:
    """An extractive question answering model of transformers; threads take turns."""

    def __init__(self, name: str, model: Any, tokenizer: Any) -> None:  # noqa: ANN401 -- of any kind
        if not getattr(tokenizer, "is_fast", False):
            raise EncoderError(f"{name} has no fast tokenizer, which offsets need. Name another.")
        if tokenizer.pad_token is None:
            raise EncoderError(f"{name} has no padding token, which batches need. Name another.")
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._turn = threading.Lock()
        longest = getattr(model.config, "max_position_embeddings", None) or _WINDOW
        self._window = min(_WINDOW, tokenizer.model_max_length, longest)

    def windows(self, question: str, texts: Sequence[str]) -> list[list[Window]]:
        """The logits of each text, in windows from its beginning to its end."""
        found: list[list[Window]] = [[] for _ in texts]
        if not texts:
            return found
        with self._turn:
            encoded = self._encoded(question, texts)
            first, last = self._run(encoded)
        for row, text in enumerate(encoded["overflow_to_sample_mapping"].tolist()):
            own = [place for place, side in enumerate(encoded.sequence_ids(row)) if side == 1]
            ids = encoded["input_ids"][row].tolist()
            # "Not here" is the mark that a pair begins with, or its first token where none is.
            mark = self._tokenizer.cls_token_id
            null = ids.index(mark) if mark in ids else 0
            offsets = [tuple(encoded["offset_mapping"][row][place].tolist()) for place in own]
            score = float(first[row, null] + last[row, null])
            found[text].append(Window(offsets, first[row, own], last[row, own], score))
        return found

    def _encoded(self, question: str, texts: Sequence[str]) -> Any:  # noqa: ANN401 -- transformers'
        """The windows as tensors, the question cut so that it leaves them most of their room."""
        asked = self._tokenizer(
            question,
            add_special_tokens=False,
            truncation=True,
            max_length=min(64, self._window // 3),
            return_offsets_mapping=True,
        )["offset_mapping"]
        return self._tokenizer(
            [question[: asked[-1][1] if asked else 0]] * len(texts),
            list(texts),
            truncation="only_second",
            max_length=self._window,
            stride=self._window // 4,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
            padding=True,
            padding_side="right",
            return_tensors="pt",
        )

    def _run(self, encoded: Any) -> tuple[Floats, Floats]:  # noqa: ANN401 -- transformers'
        """The logits of all windows, those of like length run together."""
        import torch

        names = [name for name in self._tokenizer.model_input_names if name in encoded]
        sizes = encoded["attention_mask"].sum(1)
        shape = tuple(encoded["input_ids"].shape)
        first, last = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        with torch.inference_mode():
            for rows in sizes.argsort(stable=True).split(_BATCH):
                longest = int(sizes[rows].max())
                out = self._model(**{name: encoded[name][rows, :longest] for name in names})
                first[rows.numpy(), :longest] = out.start_logits.numpy()
                last[rows.numpy(), :longest] = out.end_logits.numpy()
        return first, last


def load(name: str) -> PairScorer | SpanScorer:
    """The model at a path or of a hub name, of the kind that its configuration names.

    Raises:
        EncoderError: it cannot be had, is of another kind, or was not trained for it.
    """
    return hub.load(name, _load)


def _load(name: str, on_disk: bool) -> PairScorer | SpanScorer:  # noqa: FBT001 -- as hub calls it
    from transformers import CONFIG_MAPPING, PretrainedConfig

    config, _ = PretrainedConfig.get_config_dict(name, local_files_only=on_disk)
    if not config:
        raise FileNotFoundError("there is no config.json")
    if "auto_map" in config and config.get("model_type") not in CONFIG_MAPPING:
        raise EncoderError(
            f"The model {name} brings code of its own, which is not run. "
            "Give one of a kind that transformers knows."
        )
    kinds = config.get("architectures") or ["nothing"]
    if kinds[0].endswith("ForQuestionAnswering"):
        return _span_scorer(name, on_disk)
    if kinds[0].endswith("ForSequenceClassification"):
        return _pair_scorer(name, on_disk)
    raise EncoderError(
        f"The model {name} is made for {kinds[0]}, not for reading. Give a CrossEncoder "
        "(…ForSequenceClassification) or a question answering model (…ForQuestionAnswering)."
    )


def _span_scorer(name: str, on_disk: bool) -> SpanScorer:  # noqa: FBT001 -- as above
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    model = _trained(AutoModelForQuestionAnswering, name, on_disk)
    tokenizer = AutoTokenizer.from_pretrained(
        name, local_files_only=on_disk, trust_remote_code=False
    )
    # Half precision overflows on a CPU, and is slow there.
    return SpanScorer(name, model.float().eval(), tokenizer)


def _pair_scorer(name: str, on_disk: bool) -> PairScorer:  # noqa: FBT001 -- as above
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity
    from transformers import AutoModelForSequenceClassification

    # CrossEncoder does not say which weights it made up: loaded once more, the model does.
    labels = _trained(AutoModelForSequenceClassification, name, on_disk).config.num_labels
    if labels != 1:
        raise EncoderError(
            f"The model {name} has {labels} labels, and one is needed: how well a text answers. "
            "Give a CrossEncoder with one label."
        )
    model = CrossEncoder(
        name, local_files_only=on_disk, trust_remote_code=False, activation_fn=Identity()
    )
    return PairScorer(name, model.float().eval())


def _trained(kind: Any, name: str, on_disk: bool) -> Any:  # noqa: ANN401, FBT001 -- transformers'
    model, info = kind.from_pretrained(
        name, local_files_only=on_disk, trust_remote_code=False, output_loading_info=True
    )
    if info["missing_keys"]:
        raise EncoderError(
            f"The model {name} was not trained to read: its file has no weights for "
            f"{min(info['missing_keys'])}. Give one that was."
        )
    return model
