"""Ask a folder of articles: python docs/example.py FOLDER QUESTION."""

import sys
from pathlib import Path

from qa import Answer, Bot, QaError


def told(answer: Answer) -> str:
    """The words that answer and where they stand, or that nothing does."""
    if answer.status == "unanswered":
        return "Nothing here answers that."
    hit = answer.hits[0]
    said = hit.span.text if hit.span else hit.passage.text
    return f"{said} ({hit.citation.source}, line {hit.citation.line})"


try:
    bot = Bot.open(Path("example-library"), create=True)
    bot.add(sys.argv[1])
    print(told(bot.ask(sys.argv[2])))
except QaError as error:
    sys.exit(f"example: {error}")
