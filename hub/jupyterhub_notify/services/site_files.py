"""Tells which of the site's own files are no good: broadcasts, templates, rules.

Each part that reads such files keeps what was wrong with them when it looked last, and goes on
with what is good; here an administrator sees it without the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

__all__ = ["FileProblem", "Names", "Problems", "SiteFiles"]

#: Returns the problem of each file that has one; what holds them all has the name ``""``.
Problems = Callable[[], Mapping[str, str]]
#: What one of the files is called, and what holds them all.
Names = tuple[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileProblem:
    """A file that is no good.

    Parameters
    ----------
    kind
        What it is: *broadcast*.
    file
        Its path in its folder; empty if it is the folder itself, or the only file of its kind.
    problem
        What is wrong, and where in it.
    """

    kind: str
    file: str
    problem: str

    @property
    def sentence(self) -> str:
        """Which file it is, and what is wrong."""
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
        """Return what is no good now, by kind and name."""
        return [
            FileProblem(kind=one if file else whole, file=file, problem=problem)
            for (one, whole), of in self._sources
            for file, problem in sorted(of().items())
        ]
