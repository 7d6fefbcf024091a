"""Whom an alert is about: a label that names the user, or one that a user's name is part of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..services.directory import UserDirectory

__all__ = [
    "DEFAULT_PATTERNS",
    "DirectoryUsers",
    "KnownUsers",
    "LabelPattern",
    "UserFinder",
    "unescape",
]

#: What a Kubernetes label that the Spawner wrote a name into looks like: -40 for an @.
_ESCAPED = re.compile(r"(?:-[0-9a-f]{2})+")


class KnownUsers(Protocol):
    """Knows who is a user."""

    async def unknown(self, names: Sequence[str]) -> set[str]:
        """Return those of the names that no user has; none if that cannot be told."""


class DirectoryUsers:
    """Asks the site's directory, such as the Hub.

    Parameters
    ----------
    directory
        Knows the users of a site.
    """

    def __init__(self, directory: UserDirectory) -> None:
        self._directory = directory

    async def unknown(self, names: Sequence[str]) -> set[str]:
        """Return those of the names that no user has; none if the directory cannot be asked."""
        users = await self._directory.users()
        return set() if users is None else set(names) - {user.name for user in users}


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


#: What kube-state-metrics says of a pod; a pod and a home volume of Zero to JupyterHub. A named
#: server's has its name after two dashes.
DEFAULT_PATTERNS = (
    LabelPattern("annotation_hub_jupyter_org_username", re.compile(r"(?P<user>.+)"), escaped=False),
    LabelPattern("label_hub_jupyter_org_username", re.compile(r"(?P<user>.+)")),
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

    def candidates(self, labels: Mapping[str, str]) -> list[str]:
        """Find whom labels may be about.

        Parameters
        ----------
        labels
            An alert's.

        Returns
        -------
        list of str
            None, one, or two where a name can be read in two ways: the likelier is the first.
        """
        for name in self._labels:
            if labels.get(name):
                return [labels[name]]
        for pattern in self._patterns:
            match = pattern.pattern.fullmatch(labels.get(pattern.label, "")[:500])
            if match is not None and match["user"]:
                name = match["user"]
                read = unescape(name) if pattern.escaped else name
                return [read] if read == name else [read, name]
        return []


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
