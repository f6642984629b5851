"""The one way into a library that users, command line, chat and servers share."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa import locations
from qa.errors import MismatchedLibrary, QuestionError, UnknownArticle
from qa.library import ArticleInfo, Library, Snapshot
from qa.library.names import storable
from qa.model import (
    DEFAULT_READER,
    EVERYTHING,
    Agreement,
    Answer,
    Citation,
    Filters,
    Hit,
    Mode,
    Shown,
)
from qa.twins import twin

# What a question needs is imported with the first one, so that importing the bot costs little.
if TYPE_CHECKING:
    from embeddings.encoder import Encoder
    from qa.calibration import Calibration, Example, Graded
    from qa.conversation import Conversation, Understood
    from qa.indexing import Added, Progress
    from qa.places import Place
    from qa.reader import Reads
    from qa.retriever import Query
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


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search found, in which version, and the calibration that was kept there."""

    hits: list[Hit]
    understood: "Understood"
    version: int
    took_ms: Mapping[str, float]
    calibration: str | None


class Bot:
    r"""Answers questions from a library of articles; threads may share one.

    A method whose name begins with another `a` (`aask`) is awaited, and blocks no running loop.

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
        self,
        library: Library,
        load: "Callable[[], Encoder]",
        reader: "Reads | str | Path | None" = DEFAULT_READER,
    ) -> None:
        self._library = library
        self._load = load
        self._reader = reader
        self._encoder: Encoder | None = None
        self._loading, self._loading_reader = threading.Lock(), threading.Lock()

    @classmethod
    def open(
        cls,
        path: str | Path | None = None,
        *,
        model: str | None = None,
        encoder: "Encoder | None" = None,
        reader: "Reads | str | Path | None" = DEFAULT_READER,
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
        if encoder is not None:
            given = encoder
            bot = cls(Library(folder), lambda: given, reader)
        else:
            bot = cls(Library(folder), lambda: _encoder(bot._model(model)), reader)
        if create and not bot.exists():
            made = bot._load()
            Library.create(folder, made.name, made.fingerprint, made.dimensions)
        bot._library = Library.open(folder)
        if model is not None or encoder is not None:
            bot.encoder()
        if reader != DEFAULT_READER:
            bot.reader()
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

    def reader(self) -> "Reads | None":
        """What reads the best passages, loaded at first use; None if nothing does.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._loading_reader:
            if isinstance(self._reader, str | Path):
                from qa import readers

                self._reader = readers.load(self._reader)
            return self._reader

    def ask(  # noqa: PLR0913 -- the options of one verb, by keyword
        self,
        question: str,
        *,
        top_k: int = TOP_K,
        mode: Mode = "hybrid",
        filters: Filters = EVERYTHING,
        min_confidence: float | None = None,
        conversation: "Conversation | None" = None,
        found: "Callable[[Sequence[Hit]], None] | None" = None,
    ) -> Answer:
        """The passages that answer a question, best first, and whether they do.

        Args:
            question: what is asked.
            top_k: how many passages at most.
            mode: which candidates are ranked; those of hybrid mode are read.
            filters: which articles may answer.
            min_confidence: below it the status is "unanswered"; None takes the calibrated one.
            conversation: what was asked before, so that "and when?" is understood; it goes on with
                `conversation.after(answer)`.
            found: is told the passages as they were found, before they are read.

        Raises:
            QuestionError: the question is empty or too long, or `top_k` is less than 1.
            ModelError: the reader cannot be loaded.
        """
        answer, calibration = self._ask(question, top_k, mode, filters, conversation, found)
        sure, least = answer.confidence, self._threshold(mode)
        if calibration is not None:
            sure, least = calibration.of(sure), calibration.threshold
        if min_confidence is not None:
            least = min_confidence
        answers = bool(answer.hits) and sure >= least
        return replace(answer, confidence=sure, status="answered" if answers else "unanswered")

    def _ask(  # noqa: PLR0913, PLR0917 -- as `ask`
        self,
        question: str,
        top_k: int,
        mode: Mode,
        filters: Filters = EVERYTHING,
        conversation: "Conversation | None" = None,
        tell: "Callable[[Sequence[Hit]], None] | None" = None,
    ) -> "tuple[Answer, Calibration | None]":
        """An answer with the confidence that ships, and the library's calibration of it."""
        _check_top_k(top_k)
        from concurrent.futures import ThreadPoolExecutor

        from qa import calibration, confidence, joining, lexical

        reads = self._reads(mode)
        wanted = max(top_k, joining.READ) if reads else top_k
        with ThreadPoolExecutor(1) as pool:
            # The first question need not wait for the reader before it searches.
            loading = pool.submit(self.reader) if reads else None
            found = self._search(question, wanted, mode, filters, conversation)
            reader = loading.result() if loading else None
        hits, took_ms, said = found.hits, found.took_ms, found.understood
        if tell is not None:
            tell(hits[:top_k])
        if reader and hits:
            began = time.perf_counter()
            hits = joining.read(reader, said.text, hits, top_k)
            took_ms = {**took_ms, "read": (time.perf_counter() - began) * 1e3}
        shown = tuple(hits[:top_k])
        answer = Answer(
            question=question,
            understood_as=said.text,
            carried=said.carried,
            status="unanswered",
            confidence=(joining if reader else confidence).of(hits, mode),
            hits=shown,
            unmentioned=tuple(lexical.unmentioned(said.searched, hits)),
            agreement=_agreement(shown, said.text) if reader else (),
            library_version=found.version,
            took_ms=took_ms,
        )
        return answer, calibration.from_json(found.calibration) if found.calibration else None

    def _threshold(self, mode: Mode) -> float:
        from qa import confidence, joining

        return joining.threshold(mode) if self._reads(mode) else confidence.threshold(mode)

    def _reads(self, mode: Mode) -> bool:
        return mode == "hybrid" and self._reader is not None

    def calibrate(
        self,
        questions: "Sequence[Example]",
        *,
        refused: float | None = None,
        progress: "Callable[[int, int], None] | None" = None,
    ) -> "tuple[Calibration, list[Graded]]":
        """Fits the confidence to questions of the user's own, and keeps it in the library.

        It holds for hybrid mode and for the reader that this bot has. Gives the calibration, and
        the answers by the confidence that ships.

        Args:
            questions: with what tells a right answer.
            refused: the share of answerable questions that may be called unanswered; None takes
                one in twenty.
            progress: is told how many are asked, and of how many.

        Raises:
            QaError: too few of the answers were right, or too few wrong; nothing is changed.
        """
        from qa.calibration import REFUSED, fit, graded, to_json

        found = []
        for place, example in enumerate(questions, start=1):
            found.append(graded(example, self._ask(example.question, 1, "hybrid")[0]))
            if progress is not None:
                progress(place, len(questions))
        made = fit(found, REFUSED if refused is None else refused)
        with self._library.writing() as writer:
            writer.keep(self._calibration_name("hybrid"), to_json(made))
        return made, found

    def forget_calibration(self) -> bool:
        """Goes back to the confidence that ships; says whether there was another."""
        with self._library.writing() as writer:
            return writer.keep(self._calibration_name("hybrid"), None)

    def _calibration_name(self, mode: Mode) -> str:
        reads = self._reader if mode == "hybrid" else None
        # The name of the default one is known before it is loaded.
        name = reads if isinstance(reads, str | Path) else reads.name if reads else "none"
        return f"calibration {mode} {name}"

    def search(
        self,
        question: str,
        *,
        top_k: int = TOP_K,
        mode: Mode = "hybrid",
        filters: Filters = EVERYTHING,
        conversation: "Conversation | None" = None,
    ) -> list[Hit]:
        """The passages nearest to a question, best first, whether or not they answer.

        Raises:
            QuestionError: as in `ask`.
        """
        _check_top_k(top_k)
        return self._search(question, top_k, mode, filters, conversation).hits

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

    def remove(self, *what: str | ArticleInfo) -> int:
        """Removes articles by path, folder, URL, source or id, or as listed; gives how many went.

        Raises:
            UnknownArticle: one of them is not in the library; then nothing is removed.
        """
        chosen: dict[str, list[str]] = {}
        with self._library.snapshot() as snapshot:
            articles = snapshot.articles()
        for name in what:
            if isinstance(name, ArticleInfo):
                found = [name]
            else:
                path = storable(Path(name).expanduser().resolve())
                found = [info for info in articles if _is_named(info, storable(name), path)]
            if not found:
                raise UnknownArticle(
                    f"No article '{name}' in the library. See what there is.", command="qa list"
                )
            for info in found:
                chosen.setdefault(info.origin, []).append(info.id)
        with self._library.writing() as writer:
            return writer.remove(chosen)

    def reindex(
        self, *, model: str | None = None, progress: "Callable[[int, int], None] | None" = None
    ) -> int:
        """Encodes all passages anew, with another model if one is named; gives how many."""
        from qa import indexing

        loaded = _encoder(self._model(model))
        count = indexing.reencode(self._library, loaded, progress or (lambda _done, _total: None))
        with self._loading:
            self._encoder = loaded
        return count

    def articles(self, filters: Filters = EVERYTHING) -> list[ArticleInfo]:
        """The articles of the library, by source."""
        with self._library.snapshot() as snapshot:
            return snapshot.articles(filters)

    def show(self, place: "Citation | Place | str") -> Shown:
        """An article with its passages, and the one that is cited.

        Args:
            place: a citation, or a place, or as text: SOURCE or ID, and :LINE or #START-END.

        Raises:
            UnknownArticle: there is no such article.
            QaError: there are several.
        """
        from qa.places import Place, locate

        if isinstance(place, Citation):
            wanted = Place.of(place)
        else:
            wanted = Place.parse(place) if isinstance(place, str) else place
        with self._library.snapshot() as snapshot:
            articles = snapshot.articles()
            if isinstance(place, Citation):
                # Two files may bring the same id and source: the one that says what is cited.
                of = snapshot.cited(place.article_id, place.source)
                exact = [origin for origin, article in of.items() if place.stands_in(article)]
                articles = [info for info in articles if info.origin in exact[:1]] or articles
            info = locate(wanted, articles)
            article = snapshot.cited(info.id, info.source)[info.origin]
            passages = tuple(snapshot.passages_of(info.id, info.origin))
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

    aask = twin(ask)
    asearch = twin(search)
    aadd = twin(add)
    aadd_text = twin(add_text)
    aremove = twin(remove)
    areindex = twin(reindex)
    aarticles = twin(articles)
    ashow = twin(show)
    astatus = twin(status)

    def _search(
        self,
        question: str,
        top_k: int,
        mode: Mode,
        filters: Filters,
        conversation: "Conversation | None",
    ) -> _Found:
        from qa.conversation import Understood

        understood = Understood.alone(_checked(question))
        if conversation:
            # Most questions are the first of theirs: they need no rules.
            from qa.understanding import understand

            understood = understand(question, conversation)
        try:
            return self._searched(understood, top_k, mode, filters)
        except MismatchedLibrary:
            # Another process encoded the library anew, or put another one in its place.
            with self._loading:
                self._encoder = None
            return self._searched(understood, top_k, mode, filters)

    def _searched(
        self, understood: "Understood", top_k: int, mode: Mode, filters: Filters
    ) -> _Found:
        from qa import retriever

        began = time.perf_counter()
        encoder = None if mode == "lexical" else self.encoder()
        encoding = time.perf_counter() - began

        def query_of(text: str) -> "Query":
            nonlocal encoding
            started = time.perf_counter()
            vector = encoder.encode_query(text) if encoder else None
            encoding += time.perf_counter() - started
            return retriever.Query.of(text, vector, mode, filters)

        with self._library.snapshot() as snapshot:
            if encoder:
                # Another process may have encoded the library anew since the encoder was loaded.
                _check(snapshot, encoder, self._library.folder)
            hits = retriever.rank_understood(self._library, snapshot, understood, query_of, top_k)
            version = snapshot.version
            kept = snapshot.kept(self._calibration_name(mode))
        searching = time.perf_counter() - began - encoding
        took_ms = {"encode": encoding * 1e3, "search": searching * 1e3}
        return _Found(hits, understood, version, took_ms, kept)

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


def _encoder(name: str | None) -> "Encoder":
    from qa.retriever import load_encoder

    return load_encoder(name)


def _agreement(hits: Sequence[Hit], question: str) -> tuple[Agreement, ...]:
    from qa.agreement import agree

    return agree(hits, question)


def _check(snapshot: Snapshot, encoder: "Encoder", folder: Path) -> None:
    if snapshot.fingerprint != encoder.fingerprint:
        raise MismatchedLibrary(
            f"The library at {folder} was encoded by {snapshot.encoder}, not by {encoder.name} as "
            f"loaded now. Open it with its own model, or encode it again.",
            command=f"qa reindex --model {encoder.name}",
        )


def _check_top_k(top_k: int) -> None:
    if top_k < 1:
        raise QuestionError(f"top_k is {top_k}; ask for at least 1 passage.")


def _checked(question: str) -> str:
    # Lone surrogates come from arguments that are no UTF-8; no encoder takes them.
    text = " ".join(question.encode("utf-8", "replace").decode().split())
    if not any(char.isalnum() for char in text):
        raise QuestionError(
            "The question is empty. Ask something.", command='qa ask "where will they meet?"'
        )
    if len(text) > LONGEST_QUESTION:
        raise QuestionError(
            f"The question has {len(text):,} characters; at most {LONGEST_QUESTION:,} are searched."
            " Shorten it, or add the text as an article.",
            command="qa add -",
        )
    return text


def _is_named(info: ArticleInfo, name: str, path: str) -> bool:
    return name in {info.id, info.source, info.origin} or (
        info.origin == path or info.origin.startswith(path.rstrip("/") + "/")
    )
