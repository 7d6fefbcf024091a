"""A channel for all services that Apprise knows: chats, push services, webhooks."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

from .channel import ChannelError, Letter
from .settings import AppriseSettings

__all__ = ["AppriseChannel"]

TIMEOUT_S = 30
THREADS = 4

# Apprise's own log lines may quote a URL, which holds secrets: the sender logs the failure.
logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)

_TYPES = {"error": "failure", "warning": "warning", "success": "success"}


class AppriseChannel:
    """Sends to one Apprise URL.

    Parameters
    ----------
    settings
        Its name and URL.
    """

    def __init__(self, settings: AppriseSettings) -> None:
        self._settings = settings
        self.name = settings.name
        # Each channel has its own threads, so that a service that hangs holds up only its channel.
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"apprise-{self.name}")

    def may_reach(self, user: str) -> bool:
        """Return true for every user: the URL is the site's, with the user's name filled in."""
        return True

    async def reaches(self, user: str) -> bool:
        """Return true for every user."""
        return True

    async def send(self, letter: Letter) -> None:
        """Send one message."""
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._notify, letter)
        try:
            sent = await asyncio.wait_for(work, TIMEOUT_S)
        except asyncio.TimeoutError:
            raise ChannelError("the service does not answer") from None
        if not sent:
            raise ChannelError("the service refuses it or cannot be reached")

    def _notify(self, letter: Letter) -> bool:
        # Imported late: it takes a second, and only sites with such a channel should wait for it.
        import apprise

        client = apprise.Apprise()
        if not client.add(self._settings.url.replace("{username}", quote(letter.user, safe=""))):
            raise ChannelError("its URL is none that Apprise knows", permanent=True)
        kind = _TYPES.get(letter.messages[0].type, "info")
        return bool(
            client.notify(
                title=letter.title, body=letter.text, notify_type=apprise.NotifyType(kind)
            )
        )
