"""Vectors to nearest rows, by FAISS: the one file that imports it."""

import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .encoder import Vectors
from .errors import IndexFileError

if TYPE_CHECKING:
    import faiss

Ids = NDArray[np.int64]

# At the end of a file: magic, CRC-32 and length of what stands before it.
_FOOTER = struct.Struct("<8sIQ")
_MAGIC = b"qavec\x00\x01\n"
_READ = 1 << 20
# FAISS's name of an IndexIDMap2, the first four bytes of a file that holds one.
_HEAD = b"IxM2"


class VectorIndex:
    """Unit vectors as fp16 with an id each; scores are inner products, higher is nearer."""

    def __init__(self, index: "faiss.IndexIDMap2") -> None:
        self._index = index

    @classmethod
    def build(cls, ids: Ids, vectors: Vectors) -> "VectorIndex":
        """An index of vectors, shape (len(ids), dimensions)."""
        import faiss

        flat = faiss.IndexScalarQuantizer(
            vectors.shape[1], faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        )
        index = faiss.IndexIDMap2(flat)
        if len(ids):
            index.add_with_ids(np.ascontiguousarray(vectors, np.float32), ids)
        return cls(index)

    def save(self, path: Path) -> None:
        """Writes the file whole or not at all, and so that it outlasts a power cut."""
        import faiss

        data = faiss.serialize_index(self._index).tobytes()
        # The same folder: renaming to another file system would copy, and could be torn.
        temporary = path.with_name(path.name + ".tmp")
        with temporary.open("wb") as file:
            file.write(data)
            file.write(_FOOTER.pack(_MAGIC, zlib.crc32(data), len(data)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @classmethod
    def open(cls, path: Path) -> "VectorIndex":
        """The index in a file, mapped: opening reads next to nothing.

        Raises:
            IndexFileError: it is no index of ours, or not all of it. Its bytes are not checksummed;
                `verify` does that.
        """
        _crc(path)
        import faiss

        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise IndexFileError(f"{path} cannot be read by FAISS.") from error
        if not isinstance(index, faiss.IndexIDMap2):
            raise IndexFileError(f"{path} holds another kind of index.")
        return cls(index)

    @staticmethod
    def verify(path: Path) -> bool:
        """Whether every byte of the file is as it was written."""
        try:
            expected, length = _crc(path)
            found = 0
            with path.open("rb") as file:
                while length:
                    part = file.read(min(_READ, length))
                    found = zlib.crc32(part, found)
                    length -= len(part)
        except (IndexFileError, OSError):
            return False
        return found == expected

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
        """
        import faiss

        k = min(k, len(self))
        if k < 1:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        selectors = _selectors(allowed, without)
        params = faiss.SearchParameters()
        if selectors:
            params.sel = selectors[-1]
        scores, ids = self._index.search(
            np.ascontiguousarray(query[None, :], np.float32), k, params=params
        )
        found = ids[0] >= 0
        order = np.lexsort((ids[0][found], -scores[0][found]))
        return ids[0][found][order], scores[0][found][order]


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


def _crc(path: Path) -> tuple[int, int]:
    """The checksum and length that the footer names, the length and the head being right."""
    with path.open("rb") as file:
        head = file.read(len(_HEAD))
        size = file.seek(0, os.SEEK_END)
        if size < _FOOTER.size:
            raise IndexFileError(f"{path} is not all there.")
        file.seek(-_FOOTER.size, os.SEEK_END)
        magic, crc, length = _FOOTER.unpack(file.read())
    if magic != _MAGIC or head != _HEAD or length != size - _FOOTER.size:
        raise IndexFileError(f"{path} is damaged.")
    return crc, length
