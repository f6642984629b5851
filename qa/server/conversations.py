"""Conversations whose questions the client tells: nothing to keep, and nothing to lose."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from qa.conversation import NOTHING_BEFORE, Conversation
from qa.model import Answer, Filters, Mode

_REMEMBERED = 1000

Ask = Callable[[str, Conversation], Answer]
Key = tuple[Mode, Filters, tuple[str, ...]]


class Conversations:
    """What earlier questions came to; those that were not asked here are asked when needed.

    It only saves time: a client may go on with a conversation on a server that never saw it.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[Key, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def before(
        self, earlier: Sequence[str], mode: Mode, filters: Filters, ask: Ask
    ) -> Conversation:
        """The conversation that these questions make.

        Args:
            earlier: the questions, oldest first.
            mode: which candidates are ranked.
            filters: which articles may answer.
            ask: answers one of them after those before it.
        """
        conversation = NOTHING_BEFORE
        for place, question in enumerate(earlier):
            key = (mode, filters, tuple(earlier[: place + 1]))
            known = self._get(key)
            if known is None:
                known = conversation.after(ask(question, conversation))
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
