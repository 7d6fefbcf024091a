"""The user whom an alert is about: named by a label, or by part of a label."""

from __future__ import annotations

import asyncio
import hashlib
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
    "is_hashed",
    "is_name",
    "unescape",
]

#: Escaped characters in a name that KubeSpawner wrote into a label, such as -40 for an @.
_ESCAPED = re.compile(r"(?:-[0-9a-f]{2})+")
#: A name that Kubernetes does not allow, as KubeSpawner 7 and later write it: what is left of the
#: user's name and of a named server's, and eight digits of the SHA-256.
_HASHED = re.compile(r"(?P<user>[a-z0-9-]+?)(?:--[a-z0-9-]+?)?---(?P<digest>[0-9a-f]{8})")
MAX_NAME = 255
#: Maximum number of characters that are left of a user's name if a named server's follows.
_BESIDE_A_SERVER = 17


class KnownUsers(Protocol):
    """Knows the users' names."""

    async def unknown(self, names: Sequence[str]) -> set[str]:
        """Return the names that no user has; none if the users are not known."""

    async def hashed(self, slugs: Sequence[str]) -> dict[str, str]:
        """Return the users whom hashed names stand for; leave out names that cannot be resolved."""


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
        """Return the names that no user has; none if the directory cannot be asked."""
        users = await self._directory.users()
        return set() if users is None else set(names) - {user.name for user in users}

    async def hashed(self, slugs: Sequence[str]) -> dict[str, str]:
        """Return the users whom KubeSpawner's hashed names stand for."""
        users = await self._directory.users()
        if not users or not slugs:
            return {}
        # In a thread: ten thousand users take some ten milliseconds.
        return await asyncio.to_thread(_read_hashed, slugs, [user.name for user in users])


def _read_hashed(slugs: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    by_digest = {hashlib.sha256(name.encode()).hexdigest()[:8]: name for name in names}
    found = {}
    for slug in slugs:
        match = _HASHED.fullmatch(slug)
        if match is None:
            continue
        name = by_digest.get(match["digest"])
        if name is None and slug.count("--") > 1:
            # The digest of a named server is made of both names, and the server's name is not
            # known. So take the user whose name has this beginning, if there is only one.
            fitting = [one for one in names if _stripped(one) == match["user"]]
            name = fitting[0] if len(fitting) == 1 else None
        if name is not None:
            found[slug] = name
    return found


def _stripped(name: str) -> str:
    """Return what KubeSpawner leaves of a user's name if a named server's follows."""
    text = re.sub("[^a-z0-9]+", "-", name.lower()).lstrip("-")[:_BESIDE_A_SERVER].rstrip("-")
    if text and not text[0].isalpha():
        text = f"x-{text[: _BESIDE_A_SERVER - 2]}"
    return text or "x"


@dataclass(frozen=True)
class LabelPattern:
    """A label that has a user's name in it.

    Parameters
    ----------
    label
        The label.
    pattern
        Matches the whole value; its group ``user`` is the name.
    escaped
        Whether the name is written as KubeSpawner writes it, ``carol-40example-2eorg`` or
        ``carol-example-org---b39a0782``.
    """

    label: str
    pattern: re.Pattern[str]
    escaped: bool = True


#: The labels that kube-state-metrics gives a pod, and the names of a pod and a home volume in Zero
#: to JupyterHub. A named server's name follows after two dashes.
DEFAULT_PATTERNS = (
    LabelPattern("annotation_hub_jupyter_org_username", re.compile(r"(?P<user>.+)"), escaped=False),
    LabelPattern("label_hub_jupyter_org_username", re.compile(r"(?P<user>.+)")),
    LabelPattern("pod", re.compile(r"jupyter-(?P<user>.+?)(?:--.*)?")),
    LabelPattern("persistentvolumeclaim", re.compile(r"claim-(?P<user>.+?)(?:--.*)?")),
    LabelPattern("namespace", re.compile(r"jupyter-(?P<user>.+?)(?:--.*)?")),
)


class UserFinder:
    """Finds the user whom labels are about.

    Parameters
    ----------
    labels
        Labels whose whole value is a user's name; the first that an alert has is used.
    patterns
        Labels whose value contains a name; tried if an alert has none of ``labels``.
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
        """Find the users whom labels may be about.

        Parameters
        ----------
        labels
            The labels of an alert.

        Returns
        -------
        list of str
            No name, one name, or two if the label can be read in two ways, the likelier first.
        """
        for name in self._labels:
            if labels.get(name):
                return [labels[name]]
        for pattern in self._patterns:
            match = pattern.pattern.fullmatch(labels.get(pattern.label, "")[:500])
            if match is not None and match["user"]:
                name = match["user"]
                slug = labels[pattern.label][match.start("user") : 500]
                if pattern.escaped and is_hashed(slug):
                    return [slug]
                read = unescape(name) if pattern.escaped else name
                return [read] if read == name else [read, name]
        return []


def is_name(text: str) -> bool:
    """Return whether a label's value can be the name of a user."""
    return 0 < len(text) <= MAX_NAME and text.isprintable()


def is_hashed(name: str) -> bool:
    """Return whether KubeSpawner has hashed a name: then only a directory can resolve it."""
    return _HASHED.fullmatch(name) is not None


def unescape(name: str) -> str:
    """Read a name that KubeSpawner has escaped for Kubernetes.

    Parameters
    ----------
    name
        A name in which the bytes of other characters than letters and digits are written as a
        dash and two hexadecimal digits, such as ``-40`` for ``@``.

    Returns
    -------
    str
        The name; unchanged if it is not escaped.
    """

    def decode(match: re.Match[str]) -> str:
        try:
            return bytes.fromhex(match[0].replace("-", "")).decode()
        except UnicodeDecodeError:
            return match[0]

    return _ESCAPED.sub(decode, name)
