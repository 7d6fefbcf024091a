"""The users' mail addresses: from a file, from the Hub's auth state, or made from the name."""

from __future__ import annotations

import csv
import os
import re
import time
from pathlib import Path
from typing import Any

import idna

from ..hubapi import HubApi, HubUnreachable, path
from .channel import ChannelError
from .settings import MailSettings

__all__ = ["Addresses", "HubAddresses"]

_PART = r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff@<>\",;:\\()\[\]]+"
#: A comma or a line end in a name would add a recipient or a header; `=?` would begin an encoded
#: word, which could do the same when decoded.
_ADDRESS = re.compile(rf"(?!.*=\?)({_PART})@({_PART})")
#: Maximum number of bytes of an address, and of its part before the @ (RFC 5321).
MAX_ADDRESS = 254
MAX_LOCAL = 64
#: How long the Hub's answers are cached, in seconds, and for how many users.
KEPT_S = 300.0
MOST_KEPT = 20_000


class HubAddresses:
    """Asks the Hub for a field of a user's auth state; the service needs ``admin:auth_state``.

    Nothing else of the auth state is kept: it may hold the user's credentials for other systems.

    Parameters
    ----------
    api
        The Hub's API.
    field
        The field, such as ``email``; a nested field has a dot, ``oauth_user.email``.
    """

    def __init__(self, api: HubApi, field: str) -> None:
        self._api = api
        self._field = field.split(".")
        self._kept: dict[str, tuple[float, str | None]] = {}

    async def of(self, user: str) -> str | None:
        """Return the field's text, which need not be an address; `None` if there is none.

        Raises
        ------
        ChannelError
            If the Hub does not answer, or does not show auth state to the service.
        """
        kept = self._kept.get(user)
        if kept is not None and time.monotonic() - kept[0] < KEPT_S:
            return kept[1]
        found = await self._ask(user)
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[user] = (time.monotonic(), found)
        return found

    async def _ask(self, user: str) -> str | None:
        try:
            answer = await self._api.request("GET", path("users", user))
        except HubUnreachable:
            raise ChannelError("the Hub, which has the addresses, does not answer") from None
        if answer.status == 404:
            return None
        if not answer.ok or not isinstance(answer.body, dict):
            raise ChannelError(f"the Hub, which has the addresses, answers {answer.status}")
        if "auth_state" not in answer.body:
            raise ChannelError(
                "the Hub does not show auth state: the service needs the scope 'admin:auth_state'"
            )
        value: Any = answer.body["auth_state"]
        for part in self._field:
            value = value.get(part) if isinstance(value, dict) else None
        return value if isinstance(value, str) else None


class Addresses:
    """Finds addresses: first in a file, then at the Hub, then made from the name.

    Parameters
    ----------
    settings
        The settings of the site.
    hub
        Asks the Hub, if the site wants that.
    """

    def __init__(self, settings: MailSettings, hub: HubAddresses | None = None) -> None:
        self._settings = settings
        self._hub = hub
        self._file: tuple[tuple[int, int, int], dict[str, str]] | None = None

    def may_have(self, user: str) -> bool:
        """Tell, without asking the Hub, whether a user may have an address."""
        try:
            return self._hub is not None or self._here(user) is not None
        except ChannelError:
            # The file may be readable again when the message is sent.
            return True

    async def of(self, user: str) -> str | None:
        """Return a user's address; `None` if there is none.

        Raises
        ------
        ChannelError
            If the file cannot be read, or the Hub does not answer.
        """
        listed = self._in_file(user)
        if listed is None and self._hub is not None:
            listed = await self._hub.of(user)
        return _checked(listed) if listed is not None else self._here(user)

    def _here(self, user: str) -> str | None:
        address = self._in_file(user)
        if address is None and self._settings.address is not None:
            address = self._settings.address.replace("{username}", user)
        return _checked(address)

    def _in_file(self, user: str) -> str | None:
        if self._settings.addresses is None:
            return None
        try:
            return self._read(self._settings.addresses).get(user)
        except (OSError, ValueError, csv.Error):
            raise ChannelError("the file of addresses cannot be read") from None

    def _read(self, file: Path) -> dict[str, str]:
        """Read the file only if it has changed: thousands of users are looked up in a row."""
        stat = os.stat(file)
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if self._file is None or self._file[0] != stamp:
            with file.open(newline="", encoding="utf-8") as lines:
                rows = [row for row in csv.reader(lines) if len(row) >= 2 and "@" in row[1]]
            self._file = (stamp, {row[0].strip(): row[1].strip() for row in rows})
        return self._file[1]


def _checked(address: str | None) -> str | None:
    """Return an address with its domain in ASCII, for mail servers; `None` if it is not valid."""
    match = None if address is None else _ADDRESS.fullmatch(address)
    if match is None:
        return None
    local, domain = match.groups()
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode()
        except idna.IDNAError:
            return None
    checked = f"{local}@{domain}"
    fits = len(local.encode()) <= MAX_LOCAL and len(checked.encode()) <= MAX_ADDRESS
    return checked if fits else None
