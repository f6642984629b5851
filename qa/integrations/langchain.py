"""LangChain: a retriever whose documents are passages, each cited in its metadata."""

from collections.abc import Sequence
from typing import Annotated

from qa.bot import TOP_K, Bot
from qa.earlier import Conversations
from qa.integrations import cited, missing
from qa.model import EVERYTHING, Answer, Filters, Mode
from qa.twins import twin

try:
    from langchain_core.callbacks import (
        AsyncCallbackManagerForRetrieverRun,
        CallbackManagerForRetrieverRun,
    )
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
    from pydantic import Field, PrivateAttr
except ImportError as error:
    raise missing("langchain", error) from error


class QaRetriever(BaseRetriever):
    """Retrieves the passages of a bot that answer.

    `invoke` takes the questions before, oldest first, as `earlier=`, so that "and when?" is
    understood.

    Args:
        bot: answers.
        k: how many passages at most; `invoke` takes another as `k=`.
        mode: which candidates are ranked; those of hybrid mode are read.
        filters: which articles may answer; `invoke` takes others as `filters=`.
        min_confidence: below it the status is "unanswered"; None takes the calibrated one.
        abstain: retrieve nothing, instead of the nearest passages, where nothing answers.
    """

    bot: Bot
    k: Annotated[int, Field(ge=1)] = TOP_K
    mode: Mode = "hybrid"
    filters: Filters = EVERYTHING
    min_confidence: float | None = None
    abstain: bool = False

    _talks: Conversations = PrivateAttr()

    def model_post_init(self, _context: object, /) -> None:
        """Remembers what earlier questions came to, while this retriever lives."""
        self._talks = Conversations(self.bot)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 -- LangChain's signature
        k: int | None = None,
        filters: Filters | None = None,
        earlier: Sequence[str] = (),
    ) -> list[Document]:
        return self._documents(self._answer(query, k, filters, earlier))

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,  # noqa: ARG002 -- as above
        k: int | None = None,
        filters: Filters | None = None,
        earlier: Sequence[str] = (),
    ) -> list[Document]:
        return self._documents(await self._aanswer(query, k, filters, earlier))

    def _answer(
        self, query: str, k: int | None, filters: Filters | None, earlier: Sequence[str]
    ) -> Answer:
        within = self.filters if filters is None else filters
        return self.bot.ask(
            query,
            top_k=self.k if k is None else k,
            mode=self.mode,
            filters=within,
            min_confidence=self.min_confidence,
            conversation=self._talks.before(earlier, self.mode, within),
        )

    _aanswer = twin(_answer)

    def _documents(self, answer: Answer) -> list[Document]:
        return [
            Document(id=hit.id, page_content=hit.text, metadata=hit.metadata)
            for hit in cited(answer, abstain=self.abstain)
        ]
