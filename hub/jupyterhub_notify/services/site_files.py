"""Collects the problems of the site's own files: broadcasts, templates, rules.

Each part that reads such files remembers the problems of its last look, and goes on with the good
files. Here an administrator sees the problems without the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["FileProblem", "Names", "Problems", "SiteFiles"]

#: Returns the problem of each bad file; the name ``""`` stands for the folder or the only file.
Problems = Callable[[], Mapping[str, str]]
#: What to call one of the files, and what to call the folder or the only file.
Names = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileProblem:
    """A problem of a file.

    Parameters
    ----------
    kind
        The kind of file, such as *broadcast*.
    file
        The file's path in its folder; empty for the folder itself, or the only file of its kind.
    problem
        What is wrong, and where in the file.
    """

    kind: str
    file: str
    problem: str

    @property
    def sentence(self) -> str:
        """A sentence that names the file and its problem."""
        where = f" {self.file}" if self.file else ""
        return f"The {self.kind}{where}: {self.problem}"


class SiteFiles:
    """Collects the problems of all files.

    Parameters
    ----------
    sources
        The problems of each kind of file.
    """

    def __init__(self, *, sources: Sequence[tuple[Names, Problems]]) -> None:
        self._sources = sources

    def problems(self) -> list[FileProblem]:
        """Return the present problems, by kind and name."""
        return [
            FileProblem(kind=one if file else whole, file=file, problem=problem)
            for (one, whole), of in self._sources
            for file, problem in sorted(of().items())
        ]
