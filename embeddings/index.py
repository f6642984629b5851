"""Vectors to nearest rows, by FAISS: the one file that imports it."""

import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .encoder import Vectors
from .errors import IndexFileError

if TYPE_CHECKING:
    import faiss

Ids = NDArray[np.int64]

_MAGIC = b"vecs\x00\x02\r\n"
# At the end of a file, after FAISS's bytes: magic, their CRC-32, the CRC-32 of their frame, how
# many rows and bytes they are, and the CRC-32 of this footer up to here.
_FOOTER = struct.Struct("<8sIIQQ")
_SEAL = struct.Struct("<I")
_READ = 1 << 20
# FAISS believes the sizes and kinds that it reads, and hangs when they are wrong. They stand in its
# first bytes and just before its table of ids. Both stretches are checked at opening, and the ids.
_HEAD = 4096
_JOINT = 64
_CURE = "Delete it and build it again."


class _Footer(NamedTuple):
    magic: bytes
    crc: int
    frame_crc: int
    rows: int
    length: int


class VectorIndex:
    """Unit vectors as fp16 with an id each; scores are inner products, higher is nearer."""

    def __init__(self, index: "faiss.IndexIDMap") -> None:
        self._index = index

    @classmethod
    def build(cls, ids: Ids, vectors: Vectors) -> "VectorIndex":
        """An index of vectors, shape (len(ids), dimensions), under ids of 0 and more.

        Raises:
            ValueError: there are not as many ids as vectors.
        """
        import faiss

        if vectors.ndim != 2 or len(ids) != len(vectors):  # noqa: PLR2004 -- rows and columns
            raise ValueError(f"{len(ids)} ids for vectors of shape {vectors.shape}.")
        flat = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        # IndexIDMap2 would also find rows by id: a table that takes ten times as long to open.
        index = faiss.IndexIDMap(flat)
        if len(ids):
            index.add_with_ids(
                np.ascontiguousarray(vectors, np.float32), np.ascontiguousarray(ids, np.int64)
            )
        return cls(index)

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all, and so that it outlasts a power cut.

        Raises:
            OSError: it cannot be written; what stood at the path still does.
        """
        # The same folder: renaming to another file system would copy, and could be torn.
        temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("w+b") as file:
                self._write(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _write(self, file: BinaryIO) -> None:
        import faiss

        crc = 0

        def write(part: bytes) -> None:
            nonlocal crc
            crc = zlib.crc32(part, crc)
            file.write(part)

        # FAISS's own file writer does not tell when the disk is full.
        to = faiss.PyCallbackIOWriter(write)  # type: ignore[attr-defined]  # its stubs lack it
        faiss.write_index(self._index, to)
        length = file.tell()
        frame_crc = _frame_crc(file, len(self), length)
        file.seek(length)
        footer = _FOOTER.pack(_MAGIC, crc, frame_crc, len(self), length)
        file.write(footer + _SEAL.pack(zlib.crc32(footer)))

    @classmethod
    def open(cls, path: Path) -> "VectorIndex":
        """The index in a file, mapped: opening reads next to nothing.

        Raises:
            IndexFileError: it is no index of ours, or not all of it. The vectors are not
                checksummed; `verify` does that.
        """
        try:
            with path.open("rb") as file:
                footer = _footer(file, path)
                sound = _frame_crc(file, footer.rows, footer.length) == footer.frame_crc
        except OSError as error:
            raise IndexFileError(f"{path} cannot be read ({error.strerror}). {_CURE}") from error
        if not sound:
            raise IndexFileError(f"{path} is damaged. {_CURE}")
        import faiss

        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise IndexFileError(f"{path} cannot be read by FAISS. {_CURE}") from error
        if not isinstance(index, faiss.IndexIDMap):
            raise IndexFileError(f"{path} holds another kind of index. {_CURE}")
        return cls(index)

    @staticmethod
    def verify(path: Path) -> bool:
        """Whether every byte of the file is as it was written."""
        found = 0
        try:
            with path.open("rb") as file:
                footer = _footer(file, path)
                file.seek(0)
                left = footer.length
                while part := file.read(min(_READ, left)):
                    found = zlib.crc32(part, found)
                    left -= len(part)
        except (IndexFileError, OSError):
            return False
        return found == footer.crc

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def ids(self) -> Ids:
        """The ids, in the order of the rows."""
        import faiss

        found: Ids = faiss.vector_to_array(self._index.id_map)
        return found

    def search(
        self, query: Vectors, k: int, allowed: Ids | None = None, without: Ids | None = None
    ) -> tuple[Ids, Vectors]:
        """The nearest rows as ids and scores, best first, ties by id.

        Args:
            query: a vector, shape (dimensions,).
            k: how many at most.
            allowed: only these ids; None is all.
            without: not these ids.

        Raises:
            ValueError: the query has another shape.
        """
        if query.shape != (self.dimensions,):
            raise ValueError(f"A query of shape {query.shape} for {self.dimensions} dimensions.")
        k = min(k, len(self))
        if k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        chosen = _selectors(allowed, without)
        asked = k + 1
        ids, scores = self._nearest(query, asked, chosen)
        # Which of equal rows FAISS keeps depends on where they stand: with equals on both sides of
        # the last place, all of them are needed to keep those of the least ids.
        while len(ids) == asked and scores[k - 1] == scores[-1]:
            asked *= 2
            ids, scores = self._nearest(query, asked, chosen)
        order = np.lexsort((ids, -scores))[:k]
        return ids[order], scores[order]

    def _nearest(self, query: Vectors, k: int, chosen: list[Any]) -> tuple[Ids, Vectors]:
        import faiss

        params = faiss.SearchParameters()
        if chosen:
            params.sel = chosen[-1]
        rows = np.ascontiguousarray(query[None, :], np.float32)
        scores, ids = self._index.search(rows, min(k, len(self)), params=params)
        found = ids[0] >= 0
        return ids[0][found], scores[0][found]


def _selectors(allowed: Ids | None, without: Ids | None) -> list[Any]:
    """FAISS's selectors, the last being the one to use; FAISS does not keep the others alive."""
    import faiss

    made: list[Any] = []
    if allowed is not None:
        made.append(faiss.IDSelectorBatch(allowed))
    if without is not None:
        made += [batch := faiss.IDSelectorBatch(without), faiss.IDSelectorNot(batch)]
    if allowed is not None and without is not None:
        made.append(faiss.IDSelectorAnd(made[0], made[-1]))
    return made


def _footer(file: BinaryIO, path: Path) -> _Footer:
    """The footer of a file, which is sound and fits the file's size."""
    whole = _FOOTER.size + _SEAL.size
    size = file.seek(0, os.SEEK_END)
    if size < whole:
        raise IndexFileError(f"{path} is not all there. {_CURE}")
    file.seek(size - whole)
    packed = file.read(_FOOTER.size)
    (seal,) = _SEAL.unpack(file.read(_SEAL.size))
    footer = _Footer(*_FOOTER.unpack(packed))
    if footer.magic != _MAGIC or seal != zlib.crc32(packed) or footer.length != size - whole:
        raise IndexFileError(f"{path} is damaged, or no index of this version. {_CURE}")
    return footer


def _frame_crc(file: BinaryIO, rows: int, length: int) -> int:
    """The checksum of all but the vectors: what FAISS's bytes say of themselves, and the ids."""
    file.seek(0)
    head = file.read(min(_HEAD, length))
    ids = length - rows * np.dtype(np.int64).itemsize
    file.seek(max(0, ids - _JOINT))
    return zlib.crc32(file.read(length - file.tell()), zlib.crc32(head))
