"""Notice that another program has changed the database or its log behind SQLite's back.

SQLite finds commits in the write-ahead log (``-wal``) by an index of it (``-shm``), which its
processes map into memory. Nothing tells them that the log itself was emptied, shortened or
overwritten: they go on committing after the damage, and the next process, which rebuilds the index
from the log, stops reading there. A shortened index is worse: the system ends a process that reads
behind the end of a mapped file (SIGBUS).

https://www.sqlite.org/walformat.html describes both files.
"""

from __future__ import annotations

import os
import struct
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The size of the log's header, and of the header of each of its frames, which holds one page.
LOG_HEADER = 32
FRAME_HEADER = 24
#: The size of the index's header: two copies of the same, and what is known of checkpoints.
INDEX_HEADER = 136
_COPY = 48
#: The bytes of the index that a process locks while it writes the log, and while it copies the log
#: into the database.
_WRITE_LOCK, _COPY_LOCK = 120, 121
_WORD = 0xFFFFFFFF
#: Number of looks at files that other servers write to all the time.
MAX_LOOKS = 5

#: A file's size, and the time of its last change.
_Stamp = tuple[int, int]


class _Index(NamedTuple):
    """The part of the index's header that tells what the log must hold.

    Parameters
    ----------
    raw
        What changes whenever SQLite has written the log or copied from it into the database.
    page
        The size of a page.
    frames
        The number of frames that count.
    checksum
        The checksum of all of them, as the last of them holds it.
    salt
        The value that the log's header and each of its frames hold.
    copied
        The number of frames that are in the database already.
    pages
        The number of the database's pages.
    """

    raw: bytes
    page: int
    frames: int
    checksum: bytes
    salt: bytes
    copied: int
    pages: int

    def offset(self, number: int) -> int:
        """Return where a frame begins, or would begin, in the log; the first is number 1."""
        return LOG_HEADER + (number - 1) * (FRAME_HEADER + self.page)


class LogWatch:
    """Watches a database with a write-ahead log, its log and the index of the log.

    It must be closed after SQLite has closed the database: a process that closes any descriptor of
    a file loses all its locks on it.

    Parameters
    ----------
    file, log, index
        The paths of the three files.

    Raises
    ------
    OSError
        If one of them cannot be opened.
    ImportError
        On a system that locks files in another way (Windows).
    """

    def __init__(self, file: str, log: str, index: str) -> None:
        from fcntl import lockf

        self._lockf = lockf
        self._file = file
        self._log = os.open(log, os.O_RDWR)
        try:
            self._index = os.open(index, os.O_RDWR)
        except OSError:
            os.close(self._log)
            raise
        #: True if this process has written since it last looked.
        self.wrote = True
        #: The size that the index has reached; SQLite never shortens it while it is in use.
        self._index_size = 0
        # As of the last look: the database's and the log's size and time, the index's header, the
        # log's header, and the last frame that counted.
        self._stamps: tuple[_Stamp, ...] = ((0, 0), (0, 0))
        self._header = self._early = b""
        self._known: _Index | None = None
        self._log_header = b""

    def close(self) -> None:
        """Close both files, after SQLite has closed the database."""
        os.close(self._log)
        os.close(self._index)

    def prepare(self) -> None:
        """Prepare a look after a write of ours, before the files' status is asked for.

        What SQLite writes after this may be in the status already, but what is in the index's
        header now surely is.
        """
        self._early = os.pread(self._index, INDEX_HEADER, 0)

    def find_damage(
        self, file: os.stat_result, log: os.stat_result, index: os.stat_result
    ) -> str | None:
        """Return what another program did to the files whose status this is, or None.

        As long as nobody has written anything, this asks the system for nothing.
        """
        if index.st_size < self._index_size:
            return "its -shm was shortened"
        # Without a function, since this runs twice for each message.
        stamps = (file.st_size, file.st_mtime_ns), (log.st_size, log.st_mtime_ns)
        if stamps == self._stamps and not self.wrote:
            return None
        header = self._early if self.wrote else b""
        for _ in range(MAX_LOOKS):
            if not header:
                header = os.pread(self._index, INDEX_HEADER, 0)
                stamps = _stamp(os.stat(self._file)), _stamp(os.fstat(self._log))
            now = _parse(header)
            if now is None or (not self.wrote and self._is_busy(now, stamps)):
                # The next look tells. If the header is damaged, SQLite rebuilds the index.
                return None
            damage = self._compare(now, stamps)
            if damage is None:
                self._stamps, self._header, self._known = stamps, header, now
                self._index_size, self.wrote, self._early = index.st_size, False, b""
                return None
            if os.pread(self._index, INDEX_HEADER, 0) == header:
                return damage
            # Another server has written in the meantime.
            header = b""
        return None

    def _is_unexplained(self, now: _Index) -> bool:
        """Return whether SQLite has not written since the last look, as far as the index says."""
        return self._known is not None and now.raw == self._known.raw

    def _is_busy(self, now: _Index, stamps: tuple[_Stamp, ...]) -> bool:
        """Return whether another server is just writing to a file that has changed."""
        if not self._is_unexplained(now):
            return False
        for stamp, known, lock in zip(stamps, self._stamps, (_COPY_LOCK, _WRITE_LOCK), strict=True):
            if stamp != known:
                with self._locked(lock, 0) as is_free:
                    if not is_free:
                        return True
        return False

    def _compare(self, now: _Index, stamps: tuple[_Stamp, ...]) -> str | None:
        (file_size, _), (log_size, _) = stamps
        if not self.wrote and self._is_unexplained(now):
            if stamps[0] != self._stamps[0]:
                return "it was written to"
            return None if self._count_sound(now) == now.frames else "its -wal was changed"
        if not now.frames:
            return None
        if now.copied == now.frames and file_size < now.pages * now.page:
            return "it was shortened"
        if log_size < LOG_HEADER + now.frames * (FRAME_HEADER + now.page):
            return "its -wal was shortened"
        header = os.pread(self._log, LOG_HEADER, 0)
        if header != self._log_header:
            if not _is_log_header(header, now):
                return "its -wal was changed"
            self._log_header = header
        known, ends = self._known, [now]
        # This shows whether the log was shortened while this process wrote to it.
        if known is not None and known.salt == now.salt and 0 < known.frames < now.frames:
            ends.append(known)
        for end in ends:
            frame = os.pread(self._log, FRAME_HEADER, end.offset(end.frames))
            if frame[8:] != end.salt + end.checksum:
                return "its -wal was changed"
        return None

    def _count_sound(self, now: _Index) -> int:
        """Return how many frames the next process would find: those before the first damage."""
        header = os.pread(self._log, LOG_HEADER, 0)
        if not _is_log_header(header, now):
            return 0
        big = bool(header[3] & 1)
        sums = struct.unpack(">II", header[24:])
        for number in range(1, now.frames + 1):
            frame = os.pread(self._log, FRAME_HEADER + now.page, now.offset(number))
            if len(frame) < FRAME_HEADER + now.page or frame[8:16] != now.salt:
                return number - 1
            sums = _checksum(frame[:8] + frame[FRAME_HEADER:], sums, big=big)
            if frame[16:24] != struct.pack(">II", *sums):
                return number - 1
        return now.frames

    def secure_index(self) -> None:
        """Give a shortened index its size back, so that SQLite can touch it.

        It gets the header that it had, by which SQLite trusts the pages that it still holds.
        """
        if os.fstat(self._index).st_size < self._index_size:
            with self._locked(_WRITE_LOCK, 0):
                os.ftruncate(self._index, self._index_size)
                os.pwrite(self._index, self._header, 0)

    def begin_anew(self, timeout_s: float) -> None:
        """Make SQLite rebuild the index from the log, as the next process would.

        Parameters
        ----------
        timeout_s
            How long to wait for another process that writes the log.
        """
        now = _parse(os.pread(self._index, INDEX_HEADER, 0)) or self._known
        with self._locked(_WRITE_LOCK, timeout_s):
            if now is not None and self._count_sound(now) < now.copied:
                # The database is newer than what is left of the log, which would set single pages
                # of it back.
                os.ftruncate(self._log, 0)
            if os.fstat(self._index).st_size < self._index_size:
                os.ftruncate(self._index, self._index_size)
            os.pwrite(self._index, bytes(2 * _COPY), 0)
        self.wrote = True

    @contextmanager
    def _locked(self, lock: int, timeout_s: float) -> Iterator[bool]:
        """Hold a lock of SQLite's, unless another process does for longer than the timeout.

        This process must not be in a transaction.
        """
        from fcntl import LOCK_EX, LOCK_NB, LOCK_UN

        end = time.monotonic() + timeout_s
        held = False
        while not held:
            try:
                self._lockf(self._index, LOCK_EX | LOCK_NB, 1, lock)
                held = True
            except OSError:
                if time.monotonic() >= end:
                    break
                time.sleep(0.01)
        try:
            yield held
        finally:
            if held:
                self._lockf(self._index, LOCK_UN, 1, lock)


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_size, status.st_mtime_ns


def _parse(header: bytes) -> _Index | None:
    """Return what an index's header says; None if it is not valid at present."""
    if len(header) < INDEX_HEADER or header[:_COPY] != header[_COPY : 2 * _COPY] or not header[12]:
        return None
    # All but the salt is in the machine's byte order.
    page, frames, pages, first, second, copied = struct.unpack("=HIIII64xI", header[14:100])
    return _Index(
        header[:_COPY] + header[96:100] + header[128:132],
        65536 if page == 1 else page,
        frames,
        struct.pack(">II", first, second),
        header[32:40],
        copied,
        pages,
    )


def _is_log_header(header: bytes, now: _Index) -> bool:
    """Return whether a log's header is undamaged and belongs to the present frames."""
    if len(header) < LOG_HEADER or header[16:24] != now.salt:
        return False
    sums = _checksum(header[:24], (0, 0), big=bool(header[3] & 1))
    return header[24:] == struct.pack(">II", *sums)


def _checksum(data: bytes, sums: tuple[int, ...], *, big: bool) -> tuple[int, int]:
    """Return SQLite's checksum of some words, continued from the checksum before them."""
    one, other = sums
    words = memoryview(data).cast("I")
    if big != (sys.byteorder == "big"):
        words = memoryview(struct.pack(f">{len(words)}I", *words)).cast("I")
    pairs = iter(words)
    for first, second in zip(pairs, pairs, strict=True):
        one = (one + first + other) & _WORD
        other = (other + second + one) & _WORD
    return one, other
