"""Markdown files that begin with YAML between two lines of dashes: templates and broadcasts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

__all__ = ["MAX_FILE", "FrontMatterError", "files_of", "read_file", "split"]

MAX_FILE = 256 * 1024
MAX_FILES = 2000
#: Characters and brackets that front matter may have: the YAML parser is slow, and its time grows
#: with the square of the number of open brackets.
MAX_FRONT_MATTER = 32 * 1024
MAX_BRACKETS = 500

_FENCE = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)


class FrontMatterError(ValueError):
    """A file that cannot be read; the message says why, and where in it."""


class _Loader(yaml.SafeLoader):
    """Loads YAML as a file's author means it: times stay text, so that nothing is lost."""


# Semaphore's loader reads an unquoted time as a date, and loses the time of day.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in found if tag != "tag:yaml.org,2002:timestamp"]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def files_of(directory: Path) -> list[Path]:
    """List the Markdown files of a directory and of its folders.

    Parameters
    ----------
    directory
        The directory.

    Returns
    -------
    list of Path
        In the order of their names; without hidden files, such as Git's own, and README files.

    Raises
    ------
    OSError
        If the directory cannot be read.
    """
    if not directory.is_dir():
        raise NotADirectoryError(f"{directory} is no directory")
    found = [
        path
        for path in sorted(directory.rglob("*.md"))
        if path.stem.upper() != "README"
        and not any(part.startswith(".") for part in path.relative_to(directory).parts)
    ]
    return found[:MAX_FILES]


def read_file(path: Path) -> str:
    """Read a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    FrontMatterError
        If it cannot be read, is too large, or is not UTF-8.
    """
    if not path.is_file():
        # Reading a pipe waits for ever if nobody writes, and a device may have no end.
        raise FrontMatterError("it is not a file")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise FrontMatterError(f"it cannot be read: {error.strerror}") from None
    if len(content) > MAX_FILE:
        raise FrontMatterError(f"it is larger than {MAX_FILE // 1024} KiB")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise FrontMatterError(f"it is no UTF-8: byte {error.start}") from None


def split(text: str) -> tuple[dict[str, Any], str]:
    """Split a file into its front matter and its text.

    Parameters
    ----------
    text
        The file's content.

    Returns
    -------
    tuple
        The front matter, and the text after it.

    Raises
    ------
    FrontMatterError
        If there is no front matter, or if it is no YAML mapping.
    """
    match = _FENCE.match(text)
    if match is None:
        raise FrontMatterError("it does not begin with front matter between two lines ---")
    if len(match[1]) > MAX_FRONT_MATTER:
        raise FrontMatterError(f"its front matter has more than {MAX_FRONT_MATTER} characters")
    if match[1].count("[") + match[1].count("{") > MAX_BRACKETS:
        raise FrontMatterError(f"its front matter holds more than {MAX_BRACKETS} brackets")
    if re.search(r"(^|[\s\[{:,-])[&*][\w-]", match[1]):
        _refuse_aliases(match[1])
    try:
        data = yaml.load(match[1], Loader=_Loader)
    except Exception as error:
        # Values with tags, such as `!!bool maybe`, make PyYAML raise errors of any type.
        raise FrontMatterError(_yaml_message(error)) from None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise FrontMatterError("its front matter is no mapping of names to values")
    return data, text[match.end() :].strip("\n")


def _refuse_aliases(text: str) -> None:
    """Refuse aliases: a few lines of them can expand to gigabytes."""
    try:
        aliased = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text))
    except (yaml.YAMLError, RecursionError):
        return
    if aliased:
        raise FrontMatterError("its front matter uses YAML aliases, which are not allowed")


def _yaml_message(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or "it cannot be understood"
    # YAML counts from 0, and does not see the first line of dashes.
    place = "" if mark is None else f", line {mark.line + 2}"
    return f"its front matter is no YAML{place}: {problem}"
