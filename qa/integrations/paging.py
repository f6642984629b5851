"""The articles a page at a time: each page says where the next one begins."""

import base64
import json
from collections.abc import Sequence

from qa.errors import QaError
from qa.library import ArticleInfo

PAGE = 100


def page(
    infos: Sequence[ArticleInfo], limit: int, cursor: str | None
) -> tuple[list[ArticleInfo], str | None]:
    """The articles after a cursor, at most `limit`, and the cursor of those after them.

    Raises:
        QaError: the cursor is none of ours.
    """
    after = _position(cursor) if cursor else ("", "")
    rest = [info for info in infos if (info.source, info.id) > after]
    here = rest[:limit]
    return here, _cursor(here[-1]) if len(rest) > limit else None


def _cursor(info: ArticleInfo) -> str:
    return base64.urlsafe_b64encode(json.dumps([info.source, info.id]).encode()).decode()


def _position(cursor: str) -> tuple[str, str]:
    try:
        source, article_id = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, TypeError) as error:
        raise QaError("This cursor came from no list. Leave it out to start anew.") from error
    return str(source), str(article_id)
