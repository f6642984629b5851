"""What can go wrong, as one tree.

    QaError                 exit 2: usage or configuration
    ├── ReadError           one article cannot be read; the others are
    │   └── FieldError      an article is read, but a field of it means nothing
    ├── NoArticles          a path holds nothing to read
    ├── UnknownArticle      the library has no such article
    ├── QuestionError       an empty question, or one too long
    ├── ModelError          a model cannot be loaded, or is not the one it should be
    ├── LockedError         another process is writing to the library
    └── LibraryError        exit 3: missing, damaged, of another model or format
        ├── MissingLibrary
        ├── DamagedLibrary
        └── MismatchedLibrary

Every message says what, where and what to do next, in one line. Where that is a command of the
command line, it is given apart: those who serve others say `said`, which is true for their readers.
"""


class QaError(Exception):
    """Something the user can mend; its text is shown as it is, without a traceback.

    Args:
        said: what is wrong, where, and what to do next.
        command: what does that on the command line; it ends the text, and is not in `said`.
    """

    exit_code = 2

    def __init__(self, said: str, *, command: str = "") -> None:
        super().__init__(f"{said.removesuffix('.')}: {command}" if command else said)
        self.said = said


class ReadError(QaError):
    """An article cannot be read."""


class FieldError(ReadError):
    """A field of an article means nothing; the article is read without it."""


class NoArticles(QaError):  # noqa: N818 -- reads as what it says
    """A path was given that holds nothing to read."""


class UnknownArticle(QaError):  # noqa: N818 -- reads as what it says
    """An article was named that the library does not have."""


class QuestionError(QaError):
    """A question cannot be searched for."""


class ModelError(QaError):
    """A model cannot be loaded, or its weights are not the expected ones."""


class LockedError(QaError):
    """Another process holds the writers' lock of the library."""


class LibraryError(QaError):
    """A library cannot be used as it is."""

    exit_code = 3


class MissingLibrary(LibraryError):  # noqa: N818 -- reads as what it says
    """There is no library at the path."""


class DamagedLibrary(LibraryError):  # noqa: N818 -- reads as what it says
    """The library's truth, not only a cache, cannot be read."""


class MismatchedLibrary(LibraryError):  # noqa: N818 -- reads as what it says
    """The library was written by another model or a newer format."""
