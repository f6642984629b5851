"""Haystack: a retriever component whose documents are passages, each cited in its meta."""

from typing import Any

from qa.bot import TOP_K, Bot
from qa.earlier import Conversations
from qa.integrations import cited, missing
from qa.model import DEFAULT_READER, Answer, Filters, Mode
from qa.schema import filters_from_dict
from qa.twins import twin

try:
    from haystack import Document, component, default_from_dict, default_to_dict
except ImportError as error:
    raise missing("haystack", error) from error


@component
class QaRetriever:
    """Retrieves the passages of a library that answer.

    It is made of plain values, so that a pipeline with it can be saved; the library is opened by
    `warm_up`, or by the first question.

    Args:
        library: the library's folder; None takes the one that `qa` would use here.
        top_k: how many passages at most.
        mode: which candidates are ranked; those of hybrid mode are read.
        filters: which articles may answer, as `qa.schema.filters_from_dict` takes them.
        min_confidence: below it the status is "unanswered"; None takes the calibrated one.
        abstain: retrieve nothing, instead of the nearest passages, where nothing answers.
        model: as in `Bot.open`.
        reader: as in `Bot.open`, by name.

    Raises:
        QaError: the filters mean nothing.
    """

    def __init__(  # noqa: PLR0913 -- Haystack saves what the constructor takes, by name
        self,
        library: str | None = None,
        *,
        top_k: int = TOP_K,
        mode: Mode = "hybrid",
        filters: dict[str, Any] | None = None,
        min_confidence: float | None = None,
        abstain: bool = False,
        model: str | None = None,
        reader: str | None = DEFAULT_READER,
    ) -> None:
        filters_from_dict(filters or {})
        self.library = library
        self.top_k = top_k
        self.mode: Mode = mode
        self.filters = filters
        self.min_confidence = min_confidence
        self.abstain = abstain
        self.model = model
        self.reader = reader
        self._bot: Bot | None = None
        self._talks: Conversations | None = None

    def to_dict(self) -> dict[str, Any]:
        """The component as plain values."""
        return default_to_dict(
            self,
            library=self.library,
            top_k=self.top_k,
            mode=self.mode,
            filters=self.filters,
            min_confidence=self.min_confidence,
            abstain=self.abstain,
            model=self.model,
            reader=self.reader,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "QaRetriever":
        """The component that `to_dict` wrote."""
        return default_from_dict(cls, data)

    def warm_up(self) -> None:
        """Opens the library.

        Raises:
            LibraryError, ModelError: it cannot be used, or its model cannot be loaded.
        """
        self.bot()

    def bot(self) -> Bot:
        """The bot of the library, opened at first use; raises as `warm_up` does."""
        if self._bot is None:
            self._bot = Bot.open(self.library, model=self.model, reader=self.reader)
        return self._bot

    @component.output_types(documents=list[Document], status=str, confidence=float)
    def run(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        earlier: list[str] | None = None,
    ) -> dict[str, Any]:
        """The passages that answer, best first, and whether they do.

        Args:
            query: what is asked.
            filters: other ones than the component's.
            top_k: another number than the component's.
            earlier: the questions before this one, oldest first, so that "and when?" is understood.

        Raises:
            QaError: the question cannot be searched for, or the filters mean nothing.
        """
        return self._output(self._answer(query, filters, top_k, earlier))

    @component.output_types(documents=list[Document], status=str, confidence=float)
    async def run_async(
        self,
        query: str,
        filters: dict[str, Any] | None = None,
        top_k: int | None = None,
        earlier: list[str] | None = None,
    ) -> dict[str, Any]:
        """`run`, in a thread of its own, so that the running loop goes on."""
        return self._output(await self._aanswer(query, filters, top_k, earlier))

    def _answer(
        self,
        query: str,
        filters: dict[str, Any] | None,
        top_k: int | None,
        earlier: list[str] | None,
    ) -> Answer:
        bot, within = self.bot(), self._filters(filters)
        if self._talks is None:
            self._talks = Conversations(bot)
        return bot.ask(
            query,
            top_k=self.top_k if top_k is None else top_k,
            mode=self.mode,
            filters=within,
            min_confidence=self.min_confidence,
            conversation=self._talks.before(earlier or (), self.mode, within),
        )

    _aanswer = twin(_answer)

    def _filters(self, given: dict[str, Any] | None) -> Filters:
        return filters_from_dict((self.filters if given is None else given) or {})

    def _output(self, answer: Answer) -> dict[str, Any]:
        documents = [
            Document(id=hit.id, content=hit.text, score=hit.score, meta=hit.metadata)
            for hit in cited(answer, abstain=self.abstain)
        ]
        return {
            "documents": documents,
            "status": answer.status,
            "confidence": answer.confidence,
        }
