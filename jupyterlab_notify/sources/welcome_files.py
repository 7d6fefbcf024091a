"""Welcome messages from files: Markdown with YAML front matter, in Jupyter's data folders.

A thread reads them when a tab opens, and again while one is open. A container image ships a welcome
message by copying a file to ``share/jupyter/notify/welcome/``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from heapq import nsmallest
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..visible import is_blank
from .images import IMAGE_TYPES, place_images
from .source import Source, SourceContext
from .threads import in_thread

if TYPE_CHECKING:
    from ..storage.shapes import WelcomeContent

#: The folder below each folder of Jupyter's data path.
FOLDER = Path("notify") / "welcome"
#: The maximum size of a file and of an image, in bytes.
MAX_FILE = 256 * 1024
MAX_IMAGE = 16 * 1024 * 1024
#: The maximum length of the front matter, in characters, since YAML parses long numbers slowly.
MAX_FRONT_MATTER = 8 * 1024
#: Number of brackets in the front matter: YAML's time grows with the square of the open brackets.
MAX_BRACKETS = 200
#: Number of a folder's messages that are shown, of its files that are read to find them, of their
#: names that are listed, and of names of any kind that are looked at. More must be a mistake.
MAX_FILES = 200
MAX_READ = 1000
MAX_NAMES = 10_000
MAX_ENTRIES = 200_000
#: The largest value of ``max_views``.
MAX_VIEWS = 2**31


class BadFile(Exception):
    """A file is not a valid welcome message; the message says why."""


class WelcomeFilesSource(Source):
    """Reads the welcome files while a tab is open, and passes them to storage.

    Parameters
    ----------
    context
        The parts that the source works with.
    make_files
        Makes the reader; called in a thread when the files are first needed.
    """

    name = "welcome_files"

    def __init__(self, context: SourceContext, make_files: Callable[[], WelcomeFiles]) -> None:
        self._context = context
        self._make_files = make_files
        self._files: WelcomeFiles | None = None
        self._reading: asyncio.Task[None] | None = None
        self._read_at = float("-inf")
        self._watching: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Read the files now, and then at intervals."""
        if self._watching is None:
            self._watching = asyncio.ensure_future(self._watch())

    def sleep(self) -> None:
        """Stop reading them."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def stop(self) -> None:
        """Stop reading them, without waiting for a folder that hangs."""
        self.sleep()

    def status(self, outbox: int) -> dict[str, Any]:
        """Return which welcome files are left out, if any are."""
        notices = {} if self._files is None else self._files.notices
        return {"problem": " ".join(notices.values()) or None}

    async def _watch(self) -> None:
        interval_s = self._context.timings.files_interval_s
        while True:
            wait_s = self._read_at + interval_s - time.monotonic()
            if wait_s <= 0:
                await self.refresh_welcome()
                # A folder that hangs is tried again at the same interval.
                wait_s = interval_s
            await asyncio.sleep(wait_s)

    async def refresh_welcome(self) -> None:
        """Read the files, without waiting for a folder that hangs."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._read())
        await asyncio.wait({self._reading}, timeout=self._context.timings.files_timeout_s)

    async def _read(self) -> None:
        def scan() -> tuple[WelcomeFiles, list[WelcomeContent]]:
            files = self._files or self._make_files()
            return files, files.scan()

        welcome = self._context.storage.welcome
        try:
            self._files, messages = await in_thread(scan)
            if tuple(messages) != welcome.files:
                await self._context.submit(lambda tx: welcome.set_files(messages), write=False)
        except Exception as error:
            self._context.log.debug("Reading the welcome files failed: %s", error)
        self._read_at = time.monotonic()

    async def find_image(self, path: str) -> tuple[bytes, str] | None:
        """Return an image from a welcome folder, and its media type."""
        await self.refresh_welcome()
        if (files := self._files) is None:
            return None
        return await in_thread(lambda: files.find_image(path))


class WelcomeFiles:
    """The welcome files of this server.

    Parameters
    ----------
    folders
        Jupyter's data path. Of two files with the same ``id``, the one in the earlier folder
        counts.
    aspect
        The aspect to show; messages of another aspect are for another part of the platform.
    image_url
        The URL under which ``find_image``'s paths are served, with a slash at the end.
    log
        The server's log.
    """

    def __init__(
        self, folders: Sequence[str], *, aspect: str, image_url: str, log: logging.Logger
    ) -> None:
        self._folders = [Path(folder) / FOLDER for folder in folders]
        self._aspect = aspect
        self._image_url = image_url
        self._log = log
        #: A sentence about each folder that holds more files than are read.
        self.notices: dict[Path, str] = {}
        #: Each file's fingerprint when it was last read, and its message if it is valid.
        self._read: dict[Path, tuple[tuple[int, int, int], WelcomeContent | None]] = {}

    def scan(self) -> list[WelcomeContent]:
        """Read new and changed files, and return all messages; never raises."""
        notices: dict[Path, str] = {}
        found: dict[str, WelcomeContent] = {}
        read: dict[Path, tuple[tuple[int, int, int], WelcomeContent | None]] = {}
        for number, folder in enumerate(self._folders):
            paths = self._files(folder)
            shown = tried = 0
            for path in paths[:MAX_READ]:
                if shown == MAX_FILES:
                    break
                tried += 1
                read[path] = self._read_message(path, number)
                message = read[path][1]
                if message is not None and message["aspect"] == self._aspect:
                    shown += 1
                    found.setdefault(message["id"], message)
            if left_out := len(paths) - tried:
                notices[folder] = (
                    f"The folder {printable(folder)} holds more welcome messages than are read: "
                    f"{shown} of the first {tried} files by name are shown, and {left_out} are "
                    "left out."
                )
        self._read = read
        for folder, notice in notices.items():
            if self.notices.get(folder) != notice:
                self._log.warning("%s", notice)
        self.notices = notices
        return list(found.values())

    def _read_message(
        self, path: Path, number: int
    ) -> tuple[tuple[int, int, int], WelcomeContent | None]:
        """Return a file's fingerprint, and its message if it is valid; log once why it is not."""
        known = self._read.get(path)
        # A file that cannot be read is tried again each time.
        mark, reason = (0, 0, 0), ""
        try:
            status = path.stat()
            fresh = (status.st_mtime_ns, status.st_size, status.st_ino)
            if known is not None and known[0] == fresh:
                return known
            message = self._message(path, number, status)
            return fresh, message
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            if known is not None and known[0] == mark:
                return known
        except BadFile as error:
            mark, reason = fresh, str(error)
        except Exception as error:
            # A file may make its parser raise anything.
            mark, reason = fresh, f"it cannot be parsed ({type(error).__name__})"
        self._log.warning("The welcome message %s is left out: %s.", printable(path), reason)
        return mark, None

    def _files(self, folder: Path) -> list[Path]:
        """Return the files of a folder by name."""
        try:
            with os.scandir(folder) as entries:
                # Other files beside them, such as images, take no place of theirs.
                names = nsmallest(
                    MAX_NAMES,
                    (
                        entry.name
                        for entry in islice(entries, MAX_ENTRIES)
                        if entry.name.endswith(".md") and not entry.name.startswith(".")
                    ),
                )
        except OSError:
            return []
        return [folder / name for name in names]

    def _message(self, path: Path, number: int, status: os.stat_result) -> WelcomeContent:
        if not stat.S_ISREG(status.st_mode):
            raise BadFile("it is not a file")
        try:
            text = _read_file(path, MAX_FILE).decode("utf-8-sig")
        except UnicodeDecodeError:
            raise BadFile("it is not UTF-8") from None
        lines = text.splitlines()
        if not lines or lines[0].rstrip() != "---":
            raise BadFile("its first line is not '---', so it has no front matter")
        end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), None)
        if end is None:
            raise BadFile("its front matter does not end with a line '---'")
        front = "\n".join(lines[1:end])
        if len(front) > MAX_FRONT_MATTER:
            raise BadFile(f"its front matter is longer than {MAX_FRONT_MATTER} characters")
        fields = {
            name: _join_surrogates(name, value) if isinstance(value, str) else value
            for name, value in _front_matter(front).items()
        }
        id_ = fields.get("id")
        if isinstance(id_, int) and not isinstance(id_, bool):
            id_ = str(id_)
        if not isinstance(id_, str) or not 0 < len(id_) <= 200:
            raise BadFile("its 'id' is missing, or not a text of at most 200 characters")
        title = fields.get("title")
        if not isinstance(title, str) or is_blank(title) or len(title) > 200:
            raise BadFile("its 'title' is missing, or not a text of at most 200 characters")
        aspect = fields.get("aspect", self._aspect)
        if not isinstance(aspect, str) or len(aspect) > 200:
            raise BadFile("its 'aspect' is not a text of at most 200 characters")
        most = fields.get("max_views")
        if most is not None and (
            isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= MAX_VIEWS
        ):
            raise BadFile(f"its 'max_views' is not a whole number from 1 to {MAX_VIEWS}")
        dismissable = fields.get("dismissable", True)
        if not isinstance(dismissable, bool):
            raise BadFile("its 'dismissable' is neither true nor false")
        body = "\n".join(lines[end + 1 :]).strip()
        if is_blank(body):
            raise BadFile("it has no text below its front matter")
        changed = datetime.fromtimestamp(int(status.st_mtime), timezone.utc)
        return {
            "id": f"file:{id_}",
            "aspect": aspect,
            "title": title.strip(),
            "summary": None,
            "body": place_images(body, f"{self._image_url}{number}/"),
            "dismissable": dismissable,
            "max_views": most,
            "updated": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def find_image(self, name: str) -> tuple[bytes, str] | None:
        """Return an image's bytes and media type; None if it must not be served.

        Parameters
        ----------
        name
            The number of a folder, a slash, and the image's path in that folder.
        """
        number, _, inside = name.partition("/")
        parts = inside.split("/")
        media_type = IMAGE_TYPES.get(os.path.splitext(inside)[1].lower())
        if (
            media_type is None
            or not (number.isascii() and number.isdigit())
            or len(number) > 4
            or int(number) >= len(self._folders)
            or "\\" in inside
            or "\0" in inside
            or any(not part or part.startswith(".") for part in parts)
        ):
            return None
        folder = self._folders[int(number)]
        try:
            # A link is resolved first: its target must lie inside the folder, too.
            real = (folder / inside).resolve(strict=True)
            if not real.is_relative_to(folder.resolve(strict=True)) or not real.is_file():
                return None
            if IMAGE_TYPES.get(real.suffix.lower()) is None:
                return None
            return _read_file(real, MAX_IMAGE), media_type
        except (BadFile, OSError, ValueError, RuntimeError):
            return None


def _read_file(path: Path, most: int) -> bytes:
    """Return the content of a file, without ever waiting for it to have some.

    What was a file a moment ago may be a pipe by now, and some files below ``/proc`` end only when
    the machine does.

    Raises
    ------
    BadFile
        If there is no regular file, or it is larger than ``most`` bytes.
    OSError
        If it cannot be read.
    """

    def opener(name: str, flags: int) -> int:
        # Windows has neither such files nor the flag.
        return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))

    with open(path, "rb", opener=opener) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise BadFile("it is not a file")
        # One byte more than may be, since it may grow while it is read.
        content = file.read(most + 1)
    if content is None:
        raise BadFile("it has no content yet")
    if len(content) > most:
        raise BadFile(f"it is larger than {most // 1024} KiB")
    return content


def _front_matter(text: str) -> dict[Any, Any]:
    # Imported late, since most servers have no welcome files. It comes with Jupyter Server.
    import yaml

    if text.count("[") + text.count("{") > MAX_BRACKETS:
        raise BadFile(f"its front matter holds more than {MAX_BRACKETS} brackets")
    try:
        # Ten lines of aliases can stand for more than any memory holds.
        if any(isinstance(one, yaml.AliasEvent) for one in yaml.parse(text, yaml.SafeLoader)):
            raise BadFile("its front matter holds an alias")
        fields = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark is not None else ""
        raise BadFile(f"its front matter is not YAML{where}") from None
    except RecursionError:
        raise BadFile("its front matter is nested too deeply") from None
    except BadFile:
        raise
    except Exception:
        # YAML's parser lets the errors of converting a date or a number through, whatever they are.
        raise BadFile(
            "its front matter holds a date, a number or a character that does not exist"
        ) from None
    if not isinstance(fields, dict):
        raise BadFile("its front matter is not a list of names and values")
    return fields


def _join_surrogates(name: Any, text: str) -> str:
    r"""Join the surrogate pairs that YAML leaves from JSON's escapes: ``"\ud83c\udf89"``."""
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise BadFile(
            f"its {str(name)[:80]!r} holds half of a surrogate pair, which is not text"
        ) from None


def printable(text: object) -> str:
    """Return a text for the log, since a file's name may hold control characters or be no text."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
