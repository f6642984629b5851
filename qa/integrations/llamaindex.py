"""LlamaIndex: a retriever whose nodes are passages, each cited in its metadata."""

from qa.bot import TOP_K, Bot
from qa.integrations import Cited, cited, missing
from qa.model import EVERYTHING, Answer, Filters, Mode

try:
    from llama_index.core.callbacks import CallbackManager
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import (
        NodeRelationship,
        NodeWithScore,
        QueryBundle,
        RelatedNodeInfo,
        TextNode,
    )
except ImportError as error:
    raise missing("llamaindex", error) from error

# What of the metadata a language model is told beside the passage.
_TOLD = frozenset({"title", "source", "date"})


class QaRetriever(BaseRetriever):
    """Retrieves the passages of a bot that answer.

    Args:
        bot: answers.
        similarity_top_k: how many passages at most.
        mode: which candidates are ranked; those of hybrid mode are read.
        filters: which articles may answer.
        min_confidence: below it the status is "unanswered"; None takes the calibrated one.
        abstain: retrieve nothing, instead of the nearest passages, where nothing answers.
        callback_manager: LlamaIndex's own.
    """

    def __init__(  # noqa: PLR0913 -- one for each thing that can be chosen
        self,
        bot: Bot,
        *,
        similarity_top_k: int = TOP_K,
        mode: Mode = "hybrid",
        filters: Filters = EVERYTHING,
        min_confidence: float | None = None,
        abstain: bool = False,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        super().__init__(callback_manager=callback_manager)
        self.bot = bot
        self.similarity_top_k = similarity_top_k
        self.mode: Mode = mode
        self.filters = filters
        self.min_confidence = min_confidence
        self.abstain = abstain

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        answer = self.bot.ask(
            query_bundle.query_str,
            top_k=self.similarity_top_k,
            mode=self.mode,
            filters=self.filters,
            min_confidence=self.min_confidence,
        )
        return self._nodes(answer)

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        answer = await self.bot.aask(
            query_bundle.query_str,
            top_k=self.similarity_top_k,
            mode=self.mode,
            filters=self.filters,
            min_confidence=self.min_confidence,
        )
        return self._nodes(answer)

    def _nodes(self, answer: Answer) -> list[NodeWithScore]:
        return [
            NodeWithScore(node=_node(hit), score=hit.score)
            for hit in cited(answer, abstain=self.abstain)
        ]


def _node(hit: Cited) -> TextNode:
    untold = [name for name in hit.metadata if name not in _TOLD]
    return TextNode(
        id_=hit.id,
        text=hit.text,
        start_char_idx=hit.metadata["start"],
        end_char_idx=hit.metadata["end"],
        metadata=hit.metadata,
        excluded_llm_metadata_keys=untold,
        excluded_embed_metadata_keys=untold,
        relationships={
            NodeRelationship.SOURCE: RelatedNodeInfo(node_id=hit.metadata["article_id"])
        },
    )
