"""The repositories that every server needs once something is stored or requested."""

from __future__ import annotations

from .notifications import NotificationRepository
from .outbox import OutboxRepository
from .quiet import QuietRepository
from .replies import ReplyRepository
from .welcome import WelcomeRepository


class Repositories:
    """The repositories, connected with each other.

    Parameters
    ----------
    central
        The tag of the central service that this server polls; empty if there is none.
    """

    def __init__(self, central: str) -> None:
        self.outbox = OutboxRepository(central)
        self.welcome = WelcomeRepository(self.outbox)
        self.quiet = QuietRepository()
        self.notifications = NotificationRepository(self.outbox, self.welcome, self.quiet)
        self.replies = ReplyRepository(self.outbox)
