"""Warn the user of a full home directory, at 90 % and 98 %, while there is time to make room.

If the site has turned this on, the home directory is checked every few minutes while a tab is
open: by the user's quota where there is one, else by the size of its file system. Everything that
may hang runs in a daemon thread.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ..exceptions import NotFound, NotifyError
from .source import Source, SourceContext
from .threads import in_thread

#: The sender of the messages.
SENDER = "Home directory"
#: Used space in percent from which a message is shown, and below which it is revoked.
LEVELS = ((90, 88), (98, 96))

#: Bounds of the search for what takes the space: entries, seconds, and entries shown.
MAX_ENTRIES = 20_000
MAX_SECONDS = 3.0
SHOWN = 5
#: Time in seconds that the program `quota` may take: it asks the file server.
QUOTA_TIMEOUT_S = 10.0
BLOCK = 1024


class Usage(NamedTuple):
    """The space of the home directory, used and in total.

    Parameters
    ----------
    used, limit
        Numbers of bytes or files.
    unit
        What the numbers count: ``bytes`` or ``files``.
    """

    used: int
    limit: int
    unit: str = "bytes"

    @property
    def percent(self) -> float:
        """The share that is used, in percent."""
        return 100 * self.used / self.limit if self.limit > 0 else 0.0


class Part(NamedTuple):
    """An entry of the home directory, and its size; a lower bound if the search was cut short."""

    name: str
    size: int
    complete: bool


class HomeSource(Source):
    """Tells the user that the home directory is nearly full, and revokes that message later.

    Parameters
    ----------
    context
        The parts that the source works with.
    home
        The directory.
    measure
        Returns the usage; tests pass their own.
    """

    name = "home"

    def __init__(
        self,
        context: SourceContext,
        home: Path,
        measure: Callable[[Path], Usage | None] | None = None,
    ) -> None:
        self._context = context
        self._home = home
        self._measure = measure or Meter()
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._watching: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Check now, and then at intervals."""
        if self._watching is None:
            self._watching = asyncio.ensure_future(self._watch())

    def sleep(self) -> None:
        """Stop checking."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def stop(self) -> None:
        """Stop checking, without waiting for a file system that hangs."""
        self.sleep()
        if self._looking is not None:
            self._looking.cancel()

    async def _watch(self) -> None:
        interval_s = self._context.timings.home_interval_s
        while True:
            wait_s = self._looked_at + interval_s - time.monotonic()
            if wait_s <= 0:
                # While one check hangs no other begins: threads must not pile up.
                if self._looking is None or self._looking.done():
                    self._looking = asyncio.ensure_future(self._look())
                self._looked_at = time.monotonic()
                wait_s = interval_s
            await asyncio.sleep(wait_s)

    async def _look(self) -> None:
        try:
            usage = await in_thread(lambda: self._measure(self._home))
            if usage is not None:
                await self._tell(usage)
        except NotifyError as error:
            # Storage is busy. The next check tries again.
            self._context.log.debug("The home directory's message was not stored: %s", error)
        except Exception as error:
            self._context.log.debug("The home directory cannot be looked at: %s", error)

    async def _tell(self, usage: Usage) -> None:
        notifications = self._context.storage.notifications
        told = await self._context.submit(
            lambda tx: notifications.active_keys(tx, SENDER), write=False
        )
        level = level_of(usage.percent, {int(key) for key in told if key.isdecimal()})
        key = str(level) if level else None
        for other in told - {key}:
            # Another server of the same home directory may have revoked the message already.
            with suppress(NotFound):
                await self._context.revoke(other, SENDER)
        if key is None or key in told:
            # The level was reported already. Reporting each new value would only nag.
            return
        # Importing the models costs memory, so that waits until there is a message.
        from ..models import IngestMessage

        parts = await in_thread(lambda: largest(self._home)) if usage.unit == "bytes" else []
        message = IngestMessage.model_validate(
            {
                "message": summary_of(usage),
                "body": body_of(parts, usage),
                "type": "error" if level == LEVELS[-1][0] else "warning",
                "banner": level == LEVELS[-1][0],
                "key": key,
                "source": SENDER,
            }
        )
        await self._context.receive(message, SENDER)


def level_of(percent: float, told: set[int]) -> int:
    """Return the highest level that holds; a reported one holds until the use is clearly lower."""
    found = [
        above for above, below in LEVELS if percent >= above or (above in told and percent >= below)
    ]
    return max(found, default=0)


class Meter:
    """Measures how full a home directory is, by the user's quota or else by its file system.

    Where there are quotas, the fill level of the whole file system says nothing about the user.
    """

    def __init__(self) -> None:
        self._has_quota = False

    def __call__(self, home: Path) -> Usage | None:
        """Return the usage of the fullest limit; None if there is no limit, or none is known."""
        found = quotas(home)
        if found is None and self._has_quota:
            # The file server is slow now. Measuring the whole file system instead would show or
            # revoke a message wrongly.
            return None
        self._has_quota = bool(found)
        return max(found or file_system(home), key=lambda usage: usage.percent, default=None)


def file_system(home: Path) -> Iterator[Usage]:
    """Return how full the file system is, as `df` does: without what is reserved for root."""
    state = os.statvfs(home)
    used = state.f_blocks - state.f_bfree
    if used + state.f_bavail > 0:
        yield Usage(used * state.f_frsize, (used + state.f_bavail) * state.f_frsize)
    files = state.f_files - state.f_ffree
    if state.f_files > 0 and files + state.f_favail > 0:
        yield Usage(files, files + state.f_favail, "files")


def quotas(home: Path) -> list[Usage] | None:
    """Return the user's quotas on the home's file system, as the program `quota` reports them.

    None means that the program does not answer in time.
    """
    program = shutil.which("quota")
    if program is None:
        return []
    try:
        answer = subprocess.run(
            [program, "-w", "-p", "-f", _mount_of(home)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=QUOTA_TIMEOUT_S,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    except (OSError, subprocess.SubprocessError):
        return []
    return list(read_quota(answer.stdout.decode(errors="replace")))


def _mount_of(path: Path) -> str:
    path = path.resolve()
    while not os.path.ismount(path):
        path = path.parent
    return str(path)


def read_quota(text: str) -> Iterator[Usage]:
    """Read what `quota -w -p` prints: device, blocks of 1 KiB and files, each with two limits.

    The soft limit counts if there is one, since the grace period runs once it is exceeded. A star
    marks a number above its limit. A limit of 0 means none.
    """
    for line in text.splitlines():
        columns = [column.rstrip("*") for column in line.split()]
        numbers = columns[1:]
        if len(columns) < 8 or not all(number.isdecimal() for number in numbers[:7]):
            continue
        blocks, soft, hard, _, files, soft_files, hard_files = map(int, numbers[:7])
        if soft or hard:
            yield Usage(blocks * BLOCK, (soft or hard) * BLOCK)
        if soft_files or hard_files:
            yield Usage(files, soft_files or hard_files, "files")


def largest(home: Path) -> list[Part]:
    """Return the entries of a directory that take most space, as far as a bounded search goes."""
    try:
        with os.scandir(home) as entries:
            found = sorted(entries, key=lambda entry: entry.name)[:MAX_ENTRIES]
        device = home.stat().st_dev
    except OSError:
        return []
    until = time.monotonic() + MAX_SECONDS
    left = MAX_ENTRIES
    parts = []
    for index, entry in enumerate(found):
        # Each entry gets a share of the remaining bounds: one large folder must not hide the rest.
        share = len(found) - index
        deadline = time.monotonic() + max(0.0, until - time.monotonic()) / share
        size, seen, complete = _size(entry, device, max(1, left // share), deadline)
        left = max(0, left - seen)
        name = f"{entry.name}/" if _is_folder(entry) else entry.name
        parts.append(Part(name, size, complete))
    return sorted(parts, key=lambda part: -part.size)[:SHOWN]


def _size(
    entry: os.DirEntry[str], device: int, most: int, deadline: float
) -> tuple[int, int, bool]:
    """Return an entry's whole size, how many entries were seen, and whether these are all."""
    size = seen = 0
    waiting: list[str] = []
    try:
        state = entry.stat(follow_symlinks=False)
        size += state.st_blocks * 512
        if _is_folder(entry) and state.st_dev == device:
            waiting.append(entry.path)
    except OSError:
        return 0, 1, True
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for below in entries:
                    seen += 1
                    if seen >= most or time.monotonic() >= deadline:
                        return size, seen, False
                    if seen % 200 == 0:
                        # Let the other threads run.
                        time.sleep(0.001)
                    state = below.stat(follow_symlinks=False)
                    # Each name of a file with several hard links counts for its share of the size.
                    size += state.st_blocks * 512 // max(1, _names(state, below))
                    if _is_folder(below) and state.st_dev == device:
                        waiting.append(below.path)
        except OSError:
            # The folder has just been removed, or may not be read.
            continue
    return size, seen + 1, True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _names(state: os.stat_result, entry: os.DirEntry[str]) -> int:
    return 1 if _is_folder(entry) else state.st_nlink


def summary_of(usage: Usage) -> str:
    """Return one sentence that says how full the home directory is."""
    percent = min(100, int(usage.percent))
    if usage.unit == "files":
        return f"Your home directory is {percent} % full: {usage.used:,} of {usage.limit:,} files"
    return (
        f"Your home directory is {percent} % full: "
        f"{size_text(usage.used)} of {size_text(usage.limit)}"
    )


def body_of(parts: list[Part], usage: Usage) -> str:
    """Return Markdown that says what to do, and what takes the space."""
    lines = ["When it is full nothing can be saved. Delete what you no longer need."]
    if usage.unit == "files":
        lines.append("Many small files count too, such as those of packages and caches.")
    rows = [part for part in parts if part.size > 0]
    if rows:
        lines += ["", "| Largest | |", "| - | -: |"]
        for part in rows:
            least = "" if part.complete else "more than "
            lines.append(f"| {_code(part.name)} | {least}{size_text(part.size)} |")
    return "\n".join(lines)


def _code(name: str) -> str:
    """Return a file's name as code in a cell of a table, whatever is in it."""
    text = "".join(c if c.isprintable() else "�" for c in name)[:80]
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}".replace("|", "\\|")


def size_text(size: int) -> str:
    """Return a size as people read it: *9.4 GiB*."""
    value, units = float(size), ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1024, units[1:]
    digits = 0 if units[0] == "B" or value >= 100 else 1
    return f"{value:.{digits}f} {units[0]}"
