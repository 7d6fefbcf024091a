"""The directory of templates as the service uses it: looked at again when it changes."""

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

#: Interval in seconds between looks at the files; each look is a `stat` of each.
LOOK_EVERY_S = 1.0

_File = tuple[int, int, int]


class TemplateDirectory:
    """The templates of a directory, whatever keeps it up to date.

    A file that is no good is logged once, and its last good version goes on being used.

    Parameters
    ----------
    directory
        Where.
    clock
        Seconds that only grow; for tests.
    """

    def __init__(self, directory: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._clock = clock
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._files: dict[str, _File] = {}
        self._digests: dict[str, str] = {}
        self._templates: dict[str, Template] = {}
        #: The problem of each template that has one; the directory itself has the name ``""``.
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
        """The names of the templates that are good."""
        self._look()
        return sorted(self._templates)

    @property
    def problems(self) -> dict[str, str]:
        """The problem of each template that has one; the directory itself has the name ``""``."""
        self._look()
        return dict(self._problems)

    def sample(self, name: str) -> dict[str, Any]:
        """Return the data that a template shows itself with; none if there is no such template."""
        self._look()
        template = self._templates.get(name)
        return {} if template is None else dict(template.sample)

    def check(self, name: str, data: dict[str, Any]) -> None:
        """Refuse a template that is not there, or data that do not fit it.

        Parameters
        ----------
        name
            Which template.
        data
            What it is to be filled with.

        Raises
        ------
        Invalid
            It says where.
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
        """Return what a template makes of data.

        Parameters
        ----------
        name
            Which template.
        data
            What it is filled with.

        Returns
        -------
        Rendered
            If the template has gone or changed since they were sent, a summary that says so.
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
                # The templates that were read stay: a checkout may be under way.
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
        # A link to nowhere: reading it says what is wrong.
        return 0, 0, 0
    return status.st_mtime_ns, status.st_size, status.st_ino
