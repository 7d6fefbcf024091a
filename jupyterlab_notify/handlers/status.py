"""``…/status``: the health of this server's notifications, for administrators and checks."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from .._version import __version__
from .base import BodyHandler, with_errors


class StatusHandler(BodyHandler):
    """The status of storage, tabs and the central service."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self) -> None:
        """Answer with ``models.Status``."""
        self.answer(await self.manager.status(__version__))
