"""Conversations whose questions are told anew each time: nothing to keep, and nothing to lose."""

import threading
from collections import OrderedDict
from collections.abc import Sequence

from qa.bot import Bot
from qa.conversation import NOTHING_BEFORE, Conversation
from qa.model import Filters, Mode

# Of a conversation, the latest questions are enough to understand the next.
MOST = 20
_REMEMBERED = 1000

Key = tuple[Mode, Filters, tuple[str, ...]]


class Conversations:
    """What earlier questions came to; those that were not asked here are asked when needed.

    It only saves time: a client may go on with a conversation on a server that never saw it.
    Threads may share it.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._known: OrderedDict[Key, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def before(self, earlier: Sequence[str], mode: Mode, filters: Filters) -> Conversation:
        """The conversation that these questions make.

        Args:
            earlier: the questions, oldest first.
            mode: which candidates are ranked.
            filters: which articles may answer.

        Raises:
            QaError: one of them cannot be asked.
        """
        conversation = NOTHING_BEFORE
        for place, question in enumerate(earlier):
            key = (mode, filters, tuple(earlier[: place + 1]))
            known = self._get(key)
            if known is None:
                answer = self._bot.ask(
                    question, mode=mode, filters=filters, conversation=conversation
                )
                known = conversation.after(answer)
                self._keep(key, known)
            conversation = known
        return conversation

    def keep(
        self, earlier: Sequence[str], mode: Mode, filters: Filters, conversation: Conversation
    ) -> None:
        """Remembers what these questions came to."""
        self._keep((mode, filters, tuple(earlier)), conversation)

    def _get(self, key: Key) -> Conversation | None:
        with self._lock:
            found = self._known.get(key)
            if found is not None:
                self._known.move_to_end(key)
            return found

    def _keep(self, key: Key, conversation: Conversation) -> None:
        with self._lock:
            self._known[key] = conversation
            self._known.move_to_end(key)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
