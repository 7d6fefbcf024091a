"""What another program can do to a database in use, its log and the log's index, in place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

#: The size of the log's header, of a frame's header, and of a frame.
LOG_HEADER, FRAME_HEADER, FRAME = 32, 24, 24 + 4096

Damage = Callable[[Path], None]


def _log(database: Path) -> Path:
    return Path(f"{database}-wal")


def _index(database: Path) -> Path:
    return Path(f"{database}-shm")


def _overwrite(path: Path, offset: int, size: int) -> None:
    with path.open("r+b", buffering=0) as file:
        file.seek(offset)
        file.write(os.urandom(size))


def _shorten(path: Path, keep: float = 0, less: int = 0) -> None:
    os.truncate(path, int(path.stat().st_size * keep) - less)


def _frame(number: int) -> int:
    return LOG_HEADER + number * FRAME


def _size(path: Path) -> int:
    return path.stat().st_size


#: Damages after which the server must say that there was one.
DAMAGES: dict[str, Damage] = {
    "the log emptied": lambda path: _shorten(_log(path)),
    "the log cut in half": lambda path: _shorten(_log(path), 0.5),
    "the log a byte shorter": lambda path: _shorten(_log(path), 1, 1),
    "the log cut within its header": lambda path: os.truncate(_log(path), LOG_HEADER - 1),
    "the log's header overwritten": lambda path: _overwrite(_log(path), 0, LOG_HEADER),
    "the log's first page overwritten": lambda path: _overwrite(_log(path), 100, 200),
    "a page of the log overwritten": lambda path: _overwrite(_log(path), _frame(1) + 100, 200),
    "a header in the log overwritten": lambda path: _overwrite(_log(path), _frame(1), FRAME_HEADER),
    "all of the log overwritten": lambda path: _overwrite(_log(path), 0, _size(_log(path))),
    "the index emptied": lambda path: _shorten(_index(path)),
    "the index cut in half": lambda path: _shorten(_index(path), 0.5),
    "the index a byte shorter": lambda path: _shorten(_index(path), 1, 1),
    "log and index emptied": lambda path: [_shorten(_log(path)), _shorten(_index(path))].clear(),
    "the file emptied": _shorten,
    "the file cut in half": lambda path: _shorten(path, 0.5),
    "the file a byte shorter": lambda path: _shorten(path, 1, 1),
    "the file's header overwritten": lambda path: _overwrite(path, 0, 100),
    "a page of the file overwritten": lambda path: _overwrite(
        path, _size(path) // 8192 * 4096, 4096
    ),
    "all of the file overwritten": lambda path: _overwrite(path, 0, _size(path)),
}
#: What does no harm.
HARMLESS: dict[str, Damage] = {
    "the log touched": lambda path: os.utime(_log(path)),
    "more behind the log's end": lambda path: _overwrite(_log(path), _size(_log(path)), 5000),
    "the index's header overwritten": lambda path: _overwrite(_index(path), 0, 136),
    "more behind the index's end": lambda path: _overwrite(_index(path), _size(_index(path)), 5000),
}
