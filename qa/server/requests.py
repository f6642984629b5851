"""What the endpoints are asked: checked, and described for OpenAPI, by pydantic."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from qa import earlier as before
from qa.bot import LONGEST_QUESTION, TOP_K
from qa.model import Filters
from qa.schema import filters_from_dict

_DAY = r"^[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"

Sources = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=500)]],
    Field(max_length=50, description="Only sources with one of these in their name; * matches."),
]
Since = Annotated[
    str | None, Field(pattern=_DAY, description="Not before YYYY[-MM[-DD]].", examples=["2023-09"])
]
Until = Annotated[
    str | None, Field(pattern=_DAY, description="Not after YYYY[-MM[-DD]].", examples=["2023"])
]
Name = Annotated[str, Field(min_length=1, max_length=1000)]


def _number(value: object) -> object:
    """A JSON number; pydantic would take "5" for 5, and true for 1."""
    if isinstance(value, str | bool):
        raise ValueError("Input should be a number")  # noqa: TRY004 -- what pydantic reports
    return value


Number = BeforeValidator(_number)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Searching(_Strict):
    """A question, and which articles may answer it."""

    question: Annotated[
        str,
        Field(
            min_length=1,
            max_length=LONGEST_QUESTION,
            description="What is asked.",
            examples=["where will they meet?"],
        ),
    ]
    top_k: Annotated[int, Field(ge=1, le=100, description="How many passages at most."), Number] = (
        TOP_K
    )
    mode: Annotated[
        Literal["hybrid", "dense", "lexical"], Field(description="Which candidates are ranked.")
    ] = "hybrid"
    sources: Sources = []
    since: Since = None
    until: Until = None
    earlier: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION)]],
        Field(
            max_length=before.MOST,
            description="What was asked before, oldest first, so that “and when?” is understood.",
            examples=[["Who is visiting Russia?"]],
        ),
    ] = []

    def asked(self) -> dict[str, Any]:
        """What `Bot.search` is given beside the question."""
        filters = self.model_dump(include={"sources", "since", "until"})
        return {"top_k": self.top_k, "mode": self.mode, "filters": filters_from_dict(filters)}


class Asking(Searching):
    """A question, which articles may answer it, and how sure they must be."""

    min_confidence: Annotated[
        Annotated[float, Field(ge=0, le=1), Number] | None,
        Field(description="Below it nothing answers; null for the fitted one."),
    ] = None

    def asked(self) -> dict[str, Any]:
        """What `Bot.ask` is given beside the question."""
        return {**super().asked(), "min_confidence": self.min_confidence}


class Listing(_Strict):
    """Which articles are listed, and from where on."""

    limit: Annotated[int, Field(ge=1, le=1000, description="How many at most.")] = 100
    after: Annotated[
        str | None,
        Field(max_length=4000, description="The `next` of the page before, to go on from there."),
    ] = None
    source: Sources = []
    since: Since = None
    until: Until = None

    def filters(self) -> Filters:
        """The filters that were asked for."""
        found = {"sources": self.source, "since": self.since, "until": self.until}
        return filters_from_dict(found)


class Showing(_Strict):
    """Which article is shown, and which passage of it."""

    citation: Annotated[
        Name,
        Field(description="SOURCE or ID, and :LINE or #START-END.", examples=["news/summit.txt:3"]),
    ]
    source: Annotated[
        Name | None, Field(description="Its source, where several articles share an id.")
    ] = None


class AddingText(_Strict):
    """The text of an article, or of one a line when it is JSONL."""

    text: Annotated[str, Field(min_length=1, description="What a file would hold.")]
    name: Annotated[
        Name,
        Field(
            description="Names the article for good, and its format by its suffix.",
            examples=["summit.txt"],
        ),
    ]


class AddingPath(_Strict):
    """A file or folder of the server's, below one of the folders that it was started with."""

    path: Annotated[Name, Field(description="Its absolute path.")]


class Removing(_Strict):
    """The articles of an id, or the one of an id and a source."""

    article_id: Annotated[Name, Field(description="Its id, as it is listed.")]
    source: Annotated[
        Name | None, Field(description="Its source, where several articles share an id.")
    ] = None
