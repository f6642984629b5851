r"""Ask your own articles: the passages that answer, best first, each with a checkable citation.

>>> from qa import Bot
>>> bot = Bot.open("my-library", create=True)
>>> bot.add_text("A summit\n\nThe leaders will meet in Geneva.", "summit.txt").added
1
>>> bot.ask("Where will they meet?").hits[0].passage.text
'The leaders will meet in Geneva.'
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qa.bot import Bot
    from qa.conversation import Conversation
    from qa.errors import QaError
    from qa.model import Answer, Article, Carried, Citation, Filters, Hit, Passage, Span

__all__ = [
    "Answer",
    "Article",
    "Bot",
    "Carried",
    "Citation",
    "Conversation",
    "Filters",
    "Hit",
    "Passage",
    "QaError",
    "Span",
]

_HOMES = {"Bot": "qa.bot", "Conversation": "qa.conversation", "QaError": "qa.errors"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 -- any of the public names
    """Imports a public name at first use, so that `import qa` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'qa' has no attribute '{name}'")
    value = getattr(importlib.import_module(_HOMES.get(name, "qa.model")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
