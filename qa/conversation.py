"""Earlier turns, and a new question as it is understood after them (pure)."""

from dataclasses import dataclass
from enum import Enum

from qa.model import Answer, Carried

# Of what was asked before, the latest questions up to so many characters are looked at.
MEMORY = 600


class Leans(Enum):
    """How much a question leans on what came before it."""

    NOT = "not"
    PARTLY = "partly"
    WHOLLY = "wholly"


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was asked, how it was understood, and the persons of what was found."""

    question: str
    understood_as: str
    persons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was asked before, oldest first; a value, so threads may share it.

    Example:
        >>> from qa.understanding import understand
        >>> conversation = Conversation()
        >>> understand("Who is visiting Russia?", conversation).text
        'Who is visiting Russia?'
        >>> conversation = Conversation((Turn("Who wrote it?", "Who wrote it?", ("Ada Lind",)),))
        >>> understand("Where was she born?", conversation).text
        'Where was Ada Lind born?'
    """

    turns: tuple[Turn, ...] = ()

    def after(self, answer: Answer) -> "Conversation":
        """The conversation with an answer's question as its latest turn."""
        from qa.persons import persons

        turn = Turn(answer.question, answer.understood_as, tuple(persons(answer)))
        return Conversation((*self.turns, turn))

    def __bool__(self) -> bool:
        return bool(self.turns)


@dataclass(frozen=True, slots=True)
class Understood:
    """A question as it is understood.

    `searched` is the question with names in place of he, she and the like, `text` that with the
    topics it leaves unsaid; `carried` are both. `context` are the earlier questions that say
    what the conversation is about, "" if there are none.
    """

    searched: str
    text: str
    carried: tuple[Carried, ...] = ()
    context: str = ""
    leans: Leans = Leans.NOT

    @classmethod
    def alone(cls, question: str) -> "Understood":
        """A question that comes after no other."""
        text = " ".join(question.split())
        return cls(text, text)


NOTHING_BEFORE = Conversation()
