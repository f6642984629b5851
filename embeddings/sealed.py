"""Files that appear whole or not at all, and can tell whether they still are what was written."""

import json
import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from struct import Struct
from typing import Any, BinaryIO

from .errors import IndexFileError

Write = Callable[[bytes | memoryview], object]
Stretch = tuple[int, int]

_READ = 1 << 20
# At the very end: the CRC-32 and the length of the JSON before it, and a magic.
_TAIL = Struct("<II8s")
_CURE = "Delete it and build it again."


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file says of itself.

    `bulk` are the stretches whose damage changes scores and nothing else: opening does not read
    them. All other bytes, the frame, are checked at opening, because readers believe them.
    """

    about: Mapping[str, Any]
    bulk: Sequence[Stretch] = field(default=())


def save(path: Path, magic: bytes, fill: Callable[[Write, BinaryIO], Contents]) -> None:
    """Writes what `fill` writes, whole or not at all, and so that it outlasts a power cut.

    Raises:
        OSError: it cannot be written; what stood at the path still does.
    """
    # The same folder: renaming to another file system would copy, and could be torn.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("w+b") as file:
            _write(file, magic, fill)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(folder: Path) -> None:
    """Makes the names of files in a folder outlast a power cut.

    Raises:
        OSError: the folder cannot be read.
    """
    # Windows opens no folders, and keeps names itself.
    if hasattr(os, "O_DIRECTORY"):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _write(file: BinaryIO, magic: bytes, fill: Callable[[Write, BinaryIO], Contents]) -> None:
    crc = 0

    def write(part: bytes | memoryview) -> None:
        nonlocal crc
        crc = zlib.crc32(part, crc)
        file.write(part)

    contents = fill(write, file)
    length = file.seek(0, os.SEEK_END)
    seal = {
        "crc": crc,
        "frame": _frame_crc(file, contents.bulk, length),
        "bulk": contents.bulk,
        "length": length,
        **contents.about,
    }
    file.seek(length)
    packed = json.dumps(seal).encode()
    file.write(packed + _TAIL.pack(zlib.crc32(packed), len(packed), magic))


def check(path: Path, magic: bytes) -> dict[str, Any]:
    """What the file says of itself, when it is of that kind, all there, and its frame is sound.

    Raises:
        IndexFileError: it is not.
    """
    try:
        with path.open("rb") as file:
            seal = _seal(file, path, magic)
            sound = _frame_crc(file, seal["bulk"], seal["length"]) == seal["frame"]
    except OSError as error:
        raise IndexFileError(f"{path} cannot be read ({error.strerror}). {_CURE}") from error
    if not sound:
        raise IndexFileError(f"{path} is damaged. {_CURE}")
    return seal


def verify(path: Path, magic: bytes) -> bool:
    """Whether every byte of the file is as it was written."""
    try:
        with path.open("rb") as file:
            seal = _seal(file, path, magic)
            return bool(_crc(file, [(0, seal["length"])]) == seal["crc"])
    except (IndexFileError, OSError):
        return False


def _seal(file: BinaryIO, path: Path, magic: bytes) -> dict[str, Any]:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _TAIL.size))
    tail = file.read(_TAIL.size)
    if len(tail) < _TAIL.size:
        raise IndexFileError(f"{path} is not all there. {_CURE}")
    crc, length, found = _TAIL.unpack(tail)
    start = size - _TAIL.size - length
    if found != magic or start < 0:
        raise IndexFileError(f"{path} is damaged, or no index of this version. {_CURE}")
    file.seek(start)
    packed = file.read(length)
    if zlib.crc32(packed) != crc:
        raise IndexFileError(f"{path} is damaged. {_CURE}")
    seal: dict[str, Any] = json.loads(packed)
    if seal["length"] != start:
        raise IndexFileError(f"{path} is not all there. {_CURE}")
    return seal


def _frame_crc(file: BinaryIO, bulk: Sequence[Stretch], length: int) -> int:
    starts = [0, *(stop for _, stop in bulk)]
    stops = [*(start for start, _ in bulk), length]
    return _crc(file, list(zip(starts, stops, strict=True)))


def _crc(file: BinaryIO, stretches: Sequence[Stretch]) -> int:
    crc = 0
    for part in _parts(file, stretches):
        crc = zlib.crc32(part, crc)
    return crc


def _parts(file: BinaryIO, stretches: Sequence[Stretch]) -> Iterator[bytes]:
    for start, stop in stretches:
        file.seek(start)
        left = stop - start
        while part := file.read(min(_READ, left)):
            yield part
            left -= len(part)
