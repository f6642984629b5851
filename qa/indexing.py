"""From paths to a library: read, split, encode, commit; incremental, and safe to interrupt."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from qa import noise, passages, reading
from qa.errors import FieldError, ReadError
from qa.library import Library
from qa.library.names import storable
from qa.library.writer import Entry, Finished, Writer, bytes_digest, digest
from qa.model import Article
from qa.passages import Slice
from qa.sources import Source

if TYPE_CHECKING:
    from embeddings.encoder import Encoder

# Passages are cut to this many tokens of the encoder; docs/quality.md has the measurement.
PASSAGE_TOKENS = 128
# What an interruption can cost: this many passages are encoded and committed together.
_BATCH = 512
# A title that leaves less room than this is cut off by the encoder, not the passage.
_FEWEST_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an `add` has come: bytes read, encoded and committed, and what came of them."""

    bytes_done: int
    bytes_total: int
    articles: int
    passages: int


@dataclass(frozen=True, slots=True)
class Added:
    """What an `add` did, in articles; `failed` says what could not be read."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    failed: tuple[ReadError, ...] = ()
    passed_over: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Draft:
    """An article that has been split and waits for its vectors; `texts` are found by hash."""

    origin: str
    article: Article
    slices: Sequence[Slice]
    encoded: Sequence[bytes]
    texts: Mapping[bytes, str]


class Indexing:
    """One run of adding to a library; the numbers of the run are its only state."""

    def __init__(
        self, library: Library, encoder: "Encoder", progress: Callable[[Progress], None]
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._progress = progress
        self._added = self._changed = self._unchanged = self._removed = self._passages = 0
        self._failed: list[ReadError] = []
        self._drafts: list[_Draft] = []
        self._finished: list[Finished] = []
        self._total_bytes = self._read_bytes = self._done_bytes = 0

    def run(self, sources: Sequence[Source], roots: Sequence[Path] = ()) -> Added:
        """Brings the library in step with the sources; origins below `roots` but gone are removed.

        Unchanged sources cost a read and a hash, unchanged passages keep their vectors. What is
        committed stays when the run is interrupted; running it again goes on from there.
        """
        began = time.monotonic()
        with self._library.writing() as writer:
            known = writer.origins()
            self._total_bytes = sum(source.size for source in sources)
            before = 0
            for source in sources:
                self._read(writer, source, known.get(source.origin))
                before += source.size
                self._read_bytes = before
            self._flush(writer)
            gone = _gone(known, {source.origin for source in sources}, roots)
            if gone:
                articles = {origin: list(writer.digests(origin)) for origin in gone}
                self._removed += writer.remove(articles)
            self._tell(0, 1)
        return Added(
            added=self._added,
            changed=self._changed,
            unchanged=self._unchanged,
            removed=self._removed,
            passages=self._passages,
            failed=tuple(self._failed),
            seconds=time.monotonic() - began,
        )

    @property
    def _articles(self) -> int:
        return self._added + self._changed + self._unchanged

    def _read(self, writer: Writer, source: Source, known: str | None) -> None:
        try:
            data = source.load()
        except ReadError as error:
            self._failed.append(error)
            return
        sha256 = bytes_digest(data)
        digests = writer.digests(source.origin)
        if sha256 == known:
            self._unchanged += len(digests)
            return
        ids = set()
        failures = len(self._failed)
        for article in self._articles_of(source, data):
            ids.add(article.id)
            self._read_bytes += len(article.text)
            if digests.get(article.id) == digest(article):
                self._unchanged += 1
            else:
                self._changed += article.id in digests
                self._added += article.id not in digests
                self._drafts.append(_draft(source.origin, article, self._encoder))
                if _size(self._drafts) >= _BATCH:
                    self._flush(writer)
        broken = any(not isinstance(error, FieldError) for error in self._failed[failures:])
        if broken and (not ids or ids >= digests.keys()):
            return  # nothing of it was read, so that what it held stays; or nothing of it is gone
        known_as = None if broken else sha256
        self._finished.append(Finished(source.origin, known_as, frozenset(ids)))

    def _articles_of(self, source: Source, data: bytes) -> Iterator[Article]:
        """The articles of a source; those that cannot be read are noted."""
        try:
            for item in reading.read_bytes(data, source.name, source.source, source.origin):
                if isinstance(item, ReadError):
                    self._failed.append(item)
                else:
                    yield item
        except ReadError as error:
            self._failed.append(error)

    def _flush(self, writer: Writer) -> None:
        """Encodes and commits what waits, and ends the sources that were read to their end."""
        drafts, finished = self._drafts, self._finished
        self._drafts, self._finished = [], []
        if not drafts and not finished:
            return
        known = writer.known_vectors([key for draft in drafts for key in draft.texts])
        total = _size(drafts)
        encoded = 0

        def advance(count: int) -> None:
            nonlocal encoded
            encoded += count
            self._tell(encoded, total)

        self._removed += writer.commit(_entries(drafts, self._encoder, known, advance), finished)
        self._passages += total
        self._done_bytes = self._read_bytes

    def _tell(self, encoded: int, total: int) -> None:
        """Reports progress: of what waits since the last commit, `encoded` of `total` is done."""
        waiting = min(self._read_bytes, self._total_bytes) - self._done_bytes
        done = self._done_bytes + waiting * encoded // max(1, total)
        passages = self._passages + encoded
        self._progress(Progress(done, self._total_bytes, self._articles, passages))


def reencode(library: Library, encoder: "Encoder", progress: Callable[[int, int], None]) -> int:
    """Splits and encodes all articles of a library anew; gives how many passages there are.

    It is one transaction: until it ends, and if it does not, the library stays as it was.
    """
    with library.writing() as writer, library.snapshot() as snapshot:
        total = snapshot.counts()[0]
        meta: dict[str, str | int] = {
            "encoder": encoder.name,
            "fingerprint": encoder.fingerprint,
            "dimensions": encoder.dimensions,
        }
        articles = snapshot.everything()
        writer.commit(_reencoded(articles, encoder, lambda done: progress(done, total)), meta=meta)
    with library.snapshot() as snapshot:
        return snapshot.counts()[1]


def _reencoded(
    articles: Iterable[tuple[str, Article]], encoder: "Encoder", progress: Callable[[int], None]
) -> Iterator[Entry]:
    drafts: list[_Draft] = []
    for done, (origin, article) in enumerate(articles):
        drafts.append(_draft(origin, article, encoder))
        if _size(drafts) >= _BATCH:
            yield from _entries(drafts, encoder, {})
            drafts = []
            progress(done)
    yield from _entries(drafts, encoder, {})


def _gone(known: Iterable[str], found: set[str], roots: Sequence[Path]) -> list[str]:
    """Origins that lie below a folder that was added and are no longer there."""
    folders = tuple(f"{storable(root).rstrip('/')}/" for root in roots)
    return [origin for origin in known if origin not in found and origin.startswith(folders)]


def _draft(origin: str, article: Article, encoder: "Encoder") -> _Draft:
    title = passages.for_encoder(article.title, "")
    # The title and two special tokens go before a passage.
    left = encoder.max_tokens - 2 - len(encoder.token_offsets([title])[0])
    limit = max(_FEWEST_TOKENS, min(PASSAGE_TOKENS, left))
    slices = passages.split(article, noise.mark(article), encoder.token_offsets, limit)
    texts = [
        passages.for_encoder(article.title, article.text[piece.start : piece.end])
        for piece in slices
    ]
    keys = [hashlib.sha256(text.encode()).digest() for text in texts]
    return _Draft(origin, article, slices, keys, dict(zip(keys, texts, strict=True)))


def _size(drafts: Iterable[_Draft]) -> int:
    return sum(len(draft.slices) for draft in drafts)


def _entries(
    drafts: Sequence[_Draft],
    encoder: "Encoder",
    known: Mapping[bytes, bytes],
    progress: Callable[[int], None] | None = None,
) -> Iterator[Entry]:
    """The drafts with their vectors: those known by the hash of the text, the others encoded."""
    vectors = dict(known)
    texts = {key: text for draft in drafts for key, text in draft.texts.items()}
    missing = [key for key in texts if key not in vectors]
    if missing:
        encoded = encoder.encode_documents([texts[key] for key in missing], progress)
        vectors.update(
            (key, row.tobytes()) for key, row in zip(missing, encoded.astype("<f2"), strict=True)
        )
    for draft in drafts:
        found = [vectors[key] for key in draft.encoded]
        yield Entry(draft.origin, draft.article, draft.slices, draft.encoded, found)
