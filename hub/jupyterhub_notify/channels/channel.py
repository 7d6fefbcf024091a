"""The interface of a channel, and what it is given."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Channel", "ChannelError", "Letter", "Message", "NoAddress"]


class ChannelError(Exception):
    """A message could not be sent. The text has no secret and nothing of a message.

    Parameters
    ----------
    reason
        What went wrong.
    permanent
        Whether trying again is of no use.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class NoAddress(ChannelError):
    """Raised where a user has no address; nothing is wrong with the channel."""

    def __init__(self) -> None:
        super().__init__("there is no address of this user", permanent=True)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One notification.

    Parameters
    ----------
    id
        What the queue calls it.
    type
        Its type.
    summary
        One line of plain text.
    body
        Plain text, or nothing.
    html
        Summary and body as safe HTML.
    """

    id: str
    type: str
    summary: str
    body: str | None
    html: str


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter to one user: one message, or a digest of several.

    Parameters
    ----------
    user
        Whom to.
    messages
        At least one.
    key
        The same whenever the same is sent again.
    unsubscribe
        The address that turns the channel off, or nothing if the service's is not known.
    inbox
        Where the messages are read.
    """

    user: str
    messages: Sequence[Message]
    key: str
    unsubscribe: str | None = None
    inbox: str | None = None

    @property
    def title(self) -> str:
        """One line that says what it is about, whatever a message says."""
        if len(self.messages) == 1:
            return _one_line(self.messages[0].summary)
        return f"{len(self.messages)} messages that you have not read"

    @property
    def text(self) -> str:
        """All of it as plain text."""
        parts = []
        for message in self.messages:
            if len(self.messages) > 1:
                parts.append(f"* {message.summary}")
            if message.body:
                parts.append(message.body)
        if not parts:
            parts.append(self.messages[0].summary)
        if self.inbox:
            parts.append(f"Your messages: {self.inbox}")
        if self.unsubscribe:
            parts.append(f"No more of these: {self.unsubscribe}")
        return "\n\n".join(parts) + "\n"


def _one_line(text: str) -> str:
    """Return text in one line; a second would be another header of a mail."""
    return " ".join(
        "".join(
            " " if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") else character
            for character in text
        ).split()
    )


class Channel(Protocol):
    """One way to reach users."""

    @property
    def name(self) -> str:
        """The channel's name, in settings and on the page."""

    def may_reach(self, user: str) -> bool:
        """Tell at once whether it may have an address of this user."""

    async def reaches(self, user: str) -> bool:
        """Tell whether it has one; whoever knows may be asked."""

    async def send(self, letter: Letter) -> None:
        """Send; raise `ChannelError` if it cannot be."""
