"""``…/channels``: how important messages that stay unread reach the user another way.

The central service keeps it; this server asks on the user's behalf, with the user's token.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..exceptions import NotFound
from ..validation import validate
from .base import BodyHandler, with_errors

#: The answer where no central service has channels.
NONE: dict[str, Any] = {
    "channels": [],
    "digest": "none",
    "quietFrom": None,
    "quietUntil": None,
    "timezone": "UTC",
}


class ChannelsHandler(BodyHandler):
    """The central service's channels, and what the user has chosen of them."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self) -> None:
        """Answer with ``models.Channels``."""
        self.answer(await self.manager.channels() or NONE)

    @web.authenticated
    @authorized
    @with_errors
    async def patch(self) -> None:
        """Change what is chosen; answer with ``models.Channels``."""
        from .. import models

        change: models.ChannelsChange = validate(models.ChannelsChange, self.json())
        found = await self.manager.channels(change)
        if found is None:
            raise NotFound("This server has no central service with other channels.")
        self.answer(found)
