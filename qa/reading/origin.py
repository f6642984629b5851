"""Where an article came from, and what it is called for good."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Where bytes came from.

    `source` is what the user sees and cites, `location` what never changes: the absolute path, the
    address of a page, or a name made from the text that came through standard input.
    """

    source: str
    location: str

    @property
    def url(self) -> str | None:
        """The address of a page, None for what lies on disk."""
        return self.location if self.location.startswith(("http://", "https://")) else None

    def article_id(self, line: int | None = None) -> str:
        """A short id that stays the same as long as the article stays where it is."""
        place = self.location if line is None else f"{self.location}\n{line}"
        return hashlib.sha256(place.encode("utf-8", "surrogatepass")).hexdigest()[:16]
