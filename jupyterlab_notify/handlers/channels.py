"""``…/channels``: other ways, such as mail, for important messages that stay unread.

The central service keeps the user's choice. This server asks for it with the user's token.
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
    """The central service's channels, and the user's choice of them."""

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
        """Change the user's choice; answer with ``models.Channels``."""
        from .. import models

        change: models.ChannelsChange = validate(models.ChannelsChange, self.json())
        found = await self.manager.channels(change)
        if found is None:
            raise NotFound("This server has no central service with other channels.")
        self.answer(found)
