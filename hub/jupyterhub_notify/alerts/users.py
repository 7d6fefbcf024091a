"""Whom an alert is about: a label that names the user, or one that a user's name is part of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["DEFAULT_PATTERNS", "AnyUser", "KnownUsers", "LabelPattern", "UserFinder", "unescape"]

#: What a Kubernetes label that the Spawner wrote a name into looks like: -40 for an @.
_ESCAPED = re.compile(r"(?:-[0-9a-f]{2})+")


class KnownUsers(Protocol):
    """Knows who is a user."""

    async def unknown(self, names: Sequence[str]) -> set[str]:
        """Return those of the names that no user has; none if that cannot be told."""


class AnyUser:
    """Where nobody can be asked: every name may be a user's."""

    async def unknown(self, names: Sequence[str]) -> set[str]:
        """Return none."""
        return set()


@dataclass(frozen=True)
class LabelPattern:
    """A label that has a user's name in it.

    Parameters
    ----------
    label
        The label.
    pattern
        What its whole value looks like; the group ``user`` is the name.
    escaped
        Whether the name is written as KubeSpawner writes it, ``carol-40example-2eorg``.
    """

    label: str
    pattern: re.Pattern[str]
    escaped: bool = True


#: A pod and a home volume of Zero to JupyterHub; a named server's has its name after two dashes.
DEFAULT_PATTERNS = (
    LabelPattern("pod", re.compile(r"jupyter-(?P<user>.+?)(?:--.*)?")),
    LabelPattern("persistentvolumeclaim", re.compile(r"claim-(?P<user>.+?)(?:--.*)?")),
    LabelPattern("namespace", re.compile(r"jupyter-(?P<user>.+?)(?:--.*)?")),
)


class UserFinder:
    """Finds whom labels are about.

    Parameters
    ----------
    labels
        Those that are a user's name, the first that is there wins.
    patterns
        Those that a name is part of, tried where none of ``labels`` is there.
    """

    def __init__(
        self,
        *,
        labels: Sequence[str] = ("username",),
        patterns: Sequence[LabelPattern] = DEFAULT_PATTERNS,
    ) -> None:
        self._labels = labels
        self._patterns = patterns

    def find(self, labels: Mapping[str, str]) -> str | None:
        """Find the user.

        Parameters
        ----------
        labels
            An alert's, or a series'.

        Returns
        -------
        str or None
            The name; ``None`` if no label has one.
        """
        for name in self._labels:
            if labels.get(name):
                return labels[name]
        for pattern in self._patterns:
            match = pattern.pattern.fullmatch(labels.get(pattern.label, "")[:500])
            if match is not None and match["user"]:
                return unescape(match["user"]) if pattern.escaped else match["user"]
        return None


def unescape(name: str) -> str:
    """Read a name as KubeSpawner writes it into names of Kubernetes.

    Parameters
    ----------
    name
        With what is no letter or digit as a dash and its bytes, such as ``-40`` for ``@``.

    Returns
    -------
    str
        The name; as it is where it is not written so.
    """

    def decode(match: re.Match[str]) -> str:
        try:
            return bytes.fromhex(match[0].replace("-", "")).decode()
        except UnicodeDecodeError:
            return match[0]

    return _ESCAPED.sub(decode, name)
