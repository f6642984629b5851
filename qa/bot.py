"""The one way into a library that users, command line, chat and servers share."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa import confidence, joining, locations, retriever
from qa.errors import MismatchedLibrary, QaError, QuestionError
from qa.library import ArticleInfo, Library, Snapshot
from qa.model import EVERYTHING, Agreement, Answer, Citation, Filters, Hit, Mode, Shown
from qa.places import Place, locate

if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from qa.indexing import Added, Progress
    from qa.reader import Reads
    from qa.sources import Source

LONGEST_QUESTION = 2000
TOP_K = 5


@dataclass(frozen=True, slots=True)
class Status:
    """What a library holds; `bytes` is its size on disk."""

    path: Path
    articles: int
    passages: int
    model: str
    version: int
    bytes: int


class Bot:
    r"""Answers questions from a library of articles; threads may share one for asking.

    Example:
        >>> bot = Bot.open("library", create=True)
        >>> bot.add_text("A summit\n\nThe leaders will meet in Geneva.", "summit.txt").added
        1
        >>> answer = bot.ask("Where will they meet?")
        >>> answer.hits[0].passage.text
        'The leaders will meet in Geneva.'
        >>> answer.hits[0].citation.line
        3
    """

    def __init__(
        self, library: Library, load: "Callable[[], Encoder]", reader: "Reads | None" = None
    ) -> None:
        self._library = library
        self._load = load
        self._reader = reader
        self._encoder: Encoder | None = None
        self._loading = threading.Lock()

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        model: str | None = None,
        encoder: "Encoder | None" = None,
        reader: "Reads | str | Path | None" = None,
        create: bool = False,
    ) -> "Bot":
        """The bot of the library at `path`, or of the one that `qa` would use here.

        Args:
            path: the library's folder.
            model: path or hub name of a sentence-transformers model; None takes the library's own.
            encoder: an encoder of your own instead of a model.
            reader: reads the best passages and marks the words that answer: "default" for the one
                that comes with qa, the file of another, or the folder or hub name of a
                CrossEncoder or question answering model; None answers without reading.
            create: make an empty library if there is none.

        Raises:
            MissingLibrary, DamagedLibrary, MismatchedLibrary: the library cannot be used.
            ModelError: the model cannot be loaded.
        """
        folder = locations.library(path)
        reading = _reader(reader) if isinstance(reader, str | Path) else reader
        if encoder is not None:
            given = encoder
            bot = cls(Library(folder), lambda: given, reading)
        else:
            bot = cls(Library(folder), lambda: retriever.load_encoder(bot._model(model)), reading)
        if create and not bot.exists():
            made = bot._load()
            Library.create(folder, made.name, made.fingerprint, made.dimensions)
        bot._library = Library.open(folder)
        if model is not None or encoder is not None:
            bot.encoder()
        return bot

    def exists(self) -> bool:
        """Whether the library was made."""
        return self._library.exists()

    def encoder(self) -> "Encoder":
        """The encoder of the library, loaded at first use.

        Raises:
            ModelError: it cannot be loaded.
            MismatchedLibrary: the library's vectors come from another model.
        """
        with self._loading:
            if self._encoder is None:
                loaded = self._load()
                with self._library.snapshot() as snapshot:
                    _check(snapshot, loaded, self._library.folder)
                self._encoder = loaded
        return self._encoder

    def ask(
        self,
        question: str,
        *,
        top_k: int = TOP_K,
        mode: Mode = "hybrid",
        filters: Filters = EVERYTHING,
        min_confidence: float | None = None,
    ) -> Answer:
        """The passages that answer a question, best first, and whether they do.

        Args:
            question: what is asked.
            top_k: how many passages at most.
            mode: which candidates are ranked.
            filters: which articles may answer.
            min_confidence: below it the status is "unanswered"; None takes the calibrated one.

        Raises:
            QuestionError: the question is empty or too long.
            QaError: the bot reads, and the mode is not hybrid, which reading is joined to.
        """
        reader = self._reader
        if reader and mode != "hybrid":
            raise QaError(f"Reading goes with hybrid mode, not {mode}: leave out the reader.")
        wanted = max(top_k, joining.READ) if reader else top_k
        hits, query, version, took_ms = self._search(question, wanted, mode, filters)
        if reader:
            began = time.perf_counter()
            readings = reader.read(query.text, [hit.passage for hit in hits[: joining.READ]])
            hits = joining.joined(hits, readings)
            took_ms = {**took_ms, "read": (time.perf_counter() - began) * 1e3}
        judge = joining if reader else confidence
        sure = judge.of(hits, mode)
        least = judge.threshold(mode) if min_confidence is None else min_confidence
        shown = tuple(hits[:top_k])
        return Answer(
            question=question,
            understood_as=query.text,
            status="answered" if hits and sure >= least else "unanswered",
            confidence=sure,
            hits=shown,
            agreement=_agreement(shown, query.text) if reader else (),
            library_version=version,
            took_ms=took_ms,
        )

    def search(
        self,
        question: str,
        *,
        top_k: int = TOP_K,
        mode: Mode = "hybrid",
        filters: Filters = EVERYTHING,
    ) -> list[Hit]:
        """The passages nearest to a question, best first, whether or not they answer."""
        return self._search(question, top_k, mode, filters)[0]

    def add(
        self, *places: str | Path, progress: "Callable[[Progress], None] | None" = None
    ) -> "Added":
        """Brings the library in step with folders, files and web pages; unchanged ones cost little.

        Raises:
            NoArticles: a path does not exist or holds nothing to read.
            ReadError: a page cannot be had, or a folder cannot be read.
            LockedError: another process is writing.
        """
        from qa import sources

        urls = [place for place in map(str, places) if place.startswith(("http://", "https://"))]
        paths = [Path(place).expanduser() for place in places if str(place) not in urls]
        files, roots, passed_over = sources.found_below(paths)
        added = self._index([*files, *map(sources.page, urls)], roots, progress)
        return replace(added, passed_over=passed_over)

    def add_text(self, data: bytes | str, name: str | None = None) -> "Added":
        """Adds what is in memory: one article, or one a line when it is JSONL.

        Args:
            data: the text, or the bytes of a file in any format that can be read.
            name: names the article for good, and its format by its suffix; found out if None.
        """
        from qa import sources

        content = data.encode() if isinstance(data, str) else data
        return self._index([sources.piped(content, name)], [], None)

    def remove(self, *what: str) -> int:
        """Removes articles by path, folder, URL, source or id; gives how many went.

        Raises:
            QaError: one of them is not in the library; then nothing is removed.
        """
        chosen: dict[str, list[str]] = {}
        with self._library.snapshot() as snapshot:
            articles = snapshot.articles()
        for name in what:
            path = str(Path(name).expanduser().resolve())
            found = [info for info in articles if _is_named(info, name, path)]
            if not found:
                raise QaError(f"No article '{name}' in the library. See what there is: qa list")
            for info in found:
                chosen.setdefault(info.origin, []).append(info.id)
        with self._library.writing() as writer:
            return writer.remove(chosen)

    def reindex(
        self, *, model: str | None = None, progress: "Callable[[int, int], None] | None" = None
    ) -> int:
        """Encodes all passages anew, with another model if one is named; gives how many."""
        from qa import indexing

        loaded = retriever.load_encoder(self._model(model))
        count = indexing.reencode(self._library, loaded, progress or (lambda _done, _total: None))
        with self._loading:
            self._encoder = loaded
        return count

    def articles(self, filters: Filters = EVERYTHING) -> list[ArticleInfo]:
        """The articles of the library, by source."""
        with self._library.snapshot() as snapshot:
            return snapshot.articles(filters)

    def show(self, place: Citation | str) -> Shown:
        """An article with its passages, and the one that is cited.

        Args:
            place: a citation, or as text: SOURCE or ID, and :LINE or #START-END after it.

        Raises:
            QaError: there is no such article, or several.
        """
        wanted = Place.of(place) if isinstance(place, Citation) else Place.parse(place)
        with self._library.snapshot() as snapshot:
            info = locate(wanted, snapshot.articles())
            (article,) = snapshot.article(info.id, info.source)[:1]
            passages = tuple(snapshot.passages_of(info.id, info.source))
        return Shown(article, passages, wanted.among(passages), info.origin)

    def status(self) -> Status:
        """What the library holds."""
        folder = self._library.folder
        with self._library.snapshot() as snapshot:
            articles, passages = snapshot.counts()
            return Status(
                path=folder,
                articles=articles,
                passages=passages,
                model=snapshot.encoder,
                version=snapshot.version,
                bytes=self._library.size(),
            )

    def _search(
        self, question: str, top_k: int, mode: Mode, filters: Filters
    ) -> tuple[list[Hit], retriever.Query, int, Mapping[str, float]]:
        text = _checked(question)
        began = time.perf_counter()
        vector = None if mode == "lexical" else self.encoder().encode_query(text)
        query = retriever.Query.of(text, vector, mode, filters)
        encoded = time.perf_counter()
        with self._library.snapshot() as snapshot:
            hits = retriever.rank(self._library, snapshot, query, top_k)
            version = snapshot.version
        ended = time.perf_counter()
        took_ms = {"encode": (encoded - began) * 1e3, "search": (ended - encoded) * 1e3}
        return hits, query, version, took_ms

    def _index(
        self,
        sources: "list[Source]",
        roots: list[Path],
        progress: "Callable[[Progress], None] | None",
    ) -> "Added":
        from qa.indexing import Indexing

        run = Indexing(self._library, self.encoder(), progress or (lambda _: None))
        return run.run(sources, roots)

    def _model(self, named: str | None) -> str | None:
        """The model to load: the one named, else the library's, else the default."""
        if named is not None or not self.exists():
            return named
        with self._library.snapshot() as snapshot:
            return snapshot.encoder


def _reader(name: str | Path) -> "Reads":
    from qa import readers

    return readers.load(name)


def _agreement(hits: Sequence[Hit], question: str) -> tuple[Agreement, ...]:
    from qa.agreement import agree

    return agree(hits, question)


def _check(snapshot: Snapshot, encoder: "Encoder", folder: Path) -> None:
    if snapshot.fingerprint != encoder.fingerprint:
        raise MismatchedLibrary(
            f"The library at {folder} was encoded by {snapshot.encoder}, not by {encoder.name} as "
            f"loaded now. Ask without --model, or encode it again: qa reindex --model "
            f"{encoder.name}"
        )


def _checked(question: str) -> str:
    # Lone surrogates come from arguments that are no UTF-8; no encoder takes them.
    text = " ".join(question.encode("utf-8", "replace").decode().split())
    if not any(char.isalnum() for char in text):
        raise QuestionError('The question is empty. Ask something: qa ask "where will they meet?"')
    if len(text) > LONGEST_QUESTION:
        raise QuestionError(
            f"The question has {len(text):,} characters; at most {LONGEST_QUESTION:,} are searched."
            " Shorten it, or add the text as an article: qa add -"
        )
    return text


def _is_named(info: ArticleInfo, name: str, path: str) -> bool:
    return name in {info.id, info.source, info.origin} or (
        info.origin == path or info.origin.startswith(path.rstrip("/") + "/")
    )
