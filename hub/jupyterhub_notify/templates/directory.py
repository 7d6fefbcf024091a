"""The directory of templates as the service uses it: files are read again when they change."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from ..errors import Invalid
from ..frontmatter import FrontMatterError, files_of, read_file
from ..services.content import Rendered
from .template import DataError, Template, TemplateError

__all__ = ["TemplateDirectory"]

#: Interval in seconds between looks at the files; a look costs a `stat` for each file.
LOOK_EVERY_S = 1.0

_File = tuple[int, int, int]


class TemplateDirectory:
    """The templates of a directory, however the site keeps it up to date.

    A file that is not valid is logged once, and its last good version stays in use.

    Parameters
    ----------
    directory
        The directory.
    clock
        Returns seconds of a monotonic clock; for tests.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._files: dict[str, _File] = {}
        self._digests: dict[str, str] = {}
        self._templates: dict[str, Template] = {}
        #: The problem of each bad template; the directory itself has the name ``""``.
        self._problems: dict[str, str] = {}
        self._revision = ""
        self._log = structlog.get_logger("jupyterhub_notify.templates")

    @property
    def revision(self) -> str:
        """A text that changes whenever a template does, and is the same on every replica."""
        self._look()
        return self._revision

    @property
    def names(self) -> list[str]:
        """The names of the good templates."""
        self._look()
        return sorted(self._templates)

    @property
    def problems(self) -> dict[str, str]:
        """The problem of each bad template; the directory itself has the name ``""``."""
        self._look()
        return dict(self._problems)

    def sample(self, name: str) -> dict[str, Any]:
        """Return a template's sample data; none if there is no such template."""
        self._look()
        template = self._templates.get(name)
        return {} if template is None else dict(template.sample)

    def check(self, name: str, data: dict[str, Any]) -> None:
        """Refuse an unknown template, or data that do not fit it.

        Parameters
        ----------
        name
            The template's name.
        data
            The data to fill it with.

        Raises
        ------
        Invalid
            If the template is unknown or the data do not fit; the error says where.
        """
        self._look()
        template = self._templates.get(name)
        if template is None:
            raise Invalid(f"There is no template {name[:80]!r}", ["body", "template"])
        try:
            template.check(data)
        except DataError as error:
            raise Invalid(f"The data do not fit: {error}", ["body", "data", *error.path]) from None

    def render(self, name: str, data: dict[str, Any]) -> Rendered:
        """Return a template filled with data.

        Parameters
        ----------
        name
            The template's name.
        data
            The data to fill it with.

        Returns
        -------
        Rendered
            The filled template; or, if the template has disappeared or has changed since the data
            were sent, a summary that says so.
        """
        self._look()
        template = self._templates.get(name)
        if template is None:
            return Rendered(summary=f"The template {name} is missing", body=None)
        try:
            filled = template.fill(data)
        except DataError:
            return Rendered(summary=f"The template {name} no longer fits this message", body=None)
        return Rendered(
            summary=filled.summary,
            body=filled.body,
            type=template.type,
            banner=template.banner,
            dismissable=template.dismissable,
        )

    def _look(self) -> None:
        with self._lock:
            if self._clock() - self._looked < LOOK_EVERY_S:
                return
            self._looked = self._clock()
            try:
                found = {path: _state(path) for path in files_of(self._directory)}
            except OSError as error:
                # The templates read before stay in use: a checkout may be under way.
                reason = error.strerror or "there is no directory of this name"
                self._complain("", f"the directory cannot be read: {reason}")
                return
            self._problems.pop("", None)
            self._read(found)

    def _read(self, found: dict[Path, _File]) -> None:
        files = {self._name(path): (path, state) for path, state in found.items()}
        for name in set(self._files) - set(files):
            del self._files[name]
            self._templates.pop(name, None)
            self._digests.pop(name, None)
            self._problems.pop(name, None)
        for name, (path, state) in files.items():
            if self._files.get(name) == state:
                continue
            self._files[name] = state
            try:
                text = read_file(path)
                self._templates[name] = Template(name, text)
                self._digests[name] = hashlib.sha256(text.encode()).hexdigest()
            except (FrontMatterError, TemplateError) as error:
                self._complain(name, str(error))
            else:
                self._problems.pop(name, None)
        content = repr(sorted(self._digests.items())).encode()
        self._revision = hashlib.sha256(content).hexdigest()[:16]

    def _name(self, path: Path) -> str:
        return path.relative_to(self._directory).with_suffix("").as_posix()

    def _complain(self, name: str, message: str) -> None:
        if self._problems.get(name) != message:
            self._problems[name] = message
            self._log.error("A template is no good", template=name, error=message)


def _state(path: Path) -> _File:
    try:
        status = path.stat()
    except OSError:
        # Such as a broken link; reading it reports what is wrong.
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino
