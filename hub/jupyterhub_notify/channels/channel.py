"""The interface of a channel, and the messages that it sends."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Channel", "ChannelError", "Letter", "Message", "NoAddress"]


class ChannelError(Exception):
    """A message could not be sent. The reason holds no secret and no part of the message.

    Parameters
    ----------
    reason
        What went wrong.
    permanent
        Whether another try is useless.
    """

    def __init__(self, reason: str, *, permanent: bool = False) -> None:
        super().__init__(reason)
        self.permanent = permanent


class NoAddress(ChannelError):
    """The user has no address; nothing is wrong with the channel."""

    def __init__(self) -> None:
        super().__init__("there is no address of this user", permanent=True)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One notification.

    Parameters
    ----------
    id
        The identifier in the queue.
    type
        The type.
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
        The recipient.
    messages
        One or more messages.
    key
        The same for every try of the same letter.
    unsubscribe
        The address that turns the channel off; `None` if the service's address is not known.
    inbox
        The address of the page that shows the messages.
    """

    user: str
    messages: Sequence[Message]
    key: str
    unsubscribe: str | None = None
    inbox: str | None = None

    @property
    def title(self) -> str:
        """One line that says what the letter is about, whatever a summary contains."""
        if len(self.messages) == 1:
            return _one_line(self.messages[0].summary)
        return f"{len(self.messages)} messages that you have not read"

    @property
    def text(self) -> str:
        """The whole letter as plain text."""
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
    """Return a text as one line: in a mail a second line could be another header."""
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
        """Tell, without asking another service, whether the channel may reach this user."""

    async def reaches(self, user: str) -> bool:
        """Tell whether the channel can reach this user; it may ask the Hub, for example."""

    async def send(self, letter: Letter) -> None:
        """Send a letter; raise `ChannelError` if that fails."""
