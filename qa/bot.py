"""The one way into a library that users, command line, chat and servers share."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from qa import locations
from qa.errors import MismatchedLibrary, QuestionError
from qa.library import ArticleInfo, Library
from qa.model import DEFAULT_READER, EVERYTHING, Answer, Citation, Filters, Hit, Mode, Shown
from qa.twins import twin

# What a question needs is imported with the first one, so that importing the bot costs little.
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from embeddings.encoder import Encoder
    from qa.asking import Asked, Found
    from qa.calibration import Calibration, Example, Graded
    from qa.conversation import Conversation
    from qa.indexing import Added, Progress
    from qa.places import Place
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
        from qa.retriever import check_encoder

        with self._loading:
            if self._encoder is None:
                loaded = self._load()
                with self._library.snapshot() as snapshot:
                    check_encoder(snapshot, loaded, self._library.folder)
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
        from qa import asking

        asked = self._asked(question, top_k, mode, filters, conversation)
        searched, reader = self._search_and_load(asked)
        if found is not None:
            found(searched.hits[:top_k])
        answer = asking.answer(asked, searched, reader)
        return asking.judged(asked, searched, answer, min_confidence)

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
        from qa import asking
        from qa.calibration import REFUSED, fit, graded, kept_as, to_json

        found = []
        for place, example in enumerate(questions, start=1):
            asked = self._asked(example.question, 1)
            answer = asking.answer(asked, *self._search_and_load(asked))
            found.append(graded(example, answer))
            if progress is not None:
                progress(place, len(questions))
        made = fit(found, REFUSED if refused is None else refused)
        with self._library.writing() as writer:
            writer.keep(kept_as("hybrid", self._reads("hybrid")), to_json(made))
        return made, found

    def forget_calibration(self) -> bool:
        """Goes back to the confidence that ships; says whether there was another."""
        from qa.calibration import kept_as

        with self._library.writing() as writer:
            return writer.keep(kept_as("hybrid", self._reads("hybrid")), None)

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
        asked = self._asked(question, top_k, mode, filters, conversation)
        return self._search(replace(asked, reader=None)).hits

    def add(
        self, *places: str | Path, progress: "Callable[[Progress], None] | None" = None
    ) -> "Added":
        """Brings the library in step with folders, files and web pages; unchanged ones cost little.

        Raises:
            NoArticles: a path does not exist or holds nothing to read.
            ReadError: a folder cannot be read.
            LockedError: another process is writing.
        """
        from qa import sources

        paths, urls = sources.apart(places)
        files, roots, passed_over = sources.found_below(paths)
        pages, failed = sources.pages(urls)
        added = self._index([*files, *pages], roots, progress)
        return replace(added, passed_over=passed_over, failed=(*added.failed, *failed))

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
            QaError: one of them is empty, or is a source or id in several files; neither then.
        """
        from qa.places import named

        with self._library.snapshot() as snapshot:
            articles = snapshot.articles()
        chosen: dict[str, list[str]] = {}
        for each in what:
            for info in [each] if isinstance(each, ArticleInfo) else named(each, articles):
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

    def origin(self, citation: Citation) -> str | None:
        """The absolute path or the address that a cited article was read from, while it is here."""
        with self._library.snapshot() as snapshot:
            return snapshot.origin_of(citation)

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

    def _asked(
        self,
        question: str,
        top_k: int,
        mode: Mode = "hybrid",
        filters: Filters = EVERYTHING,
        conversation: "Conversation | None" = None,
    ) -> "Asked":
        from qa import asking

        # Lone surrogates come from arguments that are no UTF-8; no encoder and no file takes them.
        text = question.encode("utf-8", "replace").decode()
        understood = asking.understood(_checked(text, top_k), conversation)
        return asking.Asked(text, understood, top_k, mode, filters, self._reads(mode))

    def _reads(self, mode: Mode) -> str | None:
        """The name of what reads in a mode."""
        reader = self._reader if mode == "hybrid" else None
        if isinstance(reader, str | Path):
            return str(reader)  # the name of the default one, known before it is loaded
        return None if reader is None else reader.name

    def _search_and_load(self, asked: "Asked") -> "tuple[Found, Reads | None]":
        """What is found, and what is to read it."""
        if asked.reader is None:
            return self._search(asked), None
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            # The first question need not wait for the reader before it searches.
            loading = pool.submit(self.reader)
            return self._search(asked), loading.result()

    def _search(self, asked: "Asked") -> "Found":
        from qa.asking import search

        try:
            return search(self._library, self.encoder, asked)
        except MismatchedLibrary:
            # Another process encoded the library anew, or put another one in its place.
            with self._loading:
                self._encoder = None
            return search(self._library, self.encoder, asked)

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


def _checked(question: str, top_k: int) -> str:
    if top_k < 1:
        raise QuestionError(f"top_k is {top_k}; ask for at least 1 passage.")
    text = " ".join(question.split())
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
