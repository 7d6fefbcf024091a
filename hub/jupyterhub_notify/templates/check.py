"""Tries every template with its sample, for ``jupyterhub-notify templates check``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..frontmatter import FrontMatterError, files_of, read_file
from .template import DataError, Filled, Template, TemplateError

__all__ = ["Finding", "check_directory"]


@dataclass(frozen=True)
class Finding:
    """The result of checking one template.

    Parameters
    ----------
    name
        The template's name.
    error
        What is wrong with the template; `None` if it is good.
    filled
        The template filled with its sample.
    type
        The type that the template gives.
    """

    name: str
    error: str | None = None
    filled: Filled | None = None
    type: str | None = None


def check_directory(directory: Path) -> list[Finding]:
    """Read every template and fill it with its sample.

    Parameters
    ----------
    directory
        The directory.

    Returns
    -------
    list of Finding
        The result for each file.

    Raises
    ------
    OSError
        If the directory cannot be read.
    """
    return [_check(directory, path) for path in files_of(directory)]


def _check(directory: Path, path: Path) -> Finding:
    name = path.relative_to(directory).with_suffix("").as_posix()
    try:
        template = Template(name, read_file(path))
        template.check(template.sample)
        return Finding(name, filled=template.fill(template.sample), type=template.type)
    except (FrontMatterError, TemplateError) as error:
        return Finding(name, error=str(error))
    except DataError as error:
        place = "/".join(map(str, error.path))
        return Finding(name, error=f"sample{place and f', at {place}'}: {error}")
