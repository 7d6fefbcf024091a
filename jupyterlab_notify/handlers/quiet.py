"""``…/quiet``: do-not-disturb and muted sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..validation import validate
from .base import BodyHandler, with_errors

if TYPE_CHECKING:
    from ..storage.shapes import Quiet

#: The answer if nothing is muted and do-not-disturb was never changed.
NOTHING: Quiet = {"doNotDisturb": None, "until": None, "muted": []}


class QuietHandler(BodyHandler):
    """Do not disturb, and muted sources."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self) -> None:
        """Answer with ``models.Quiet``."""
        self.answer({**(await self.manager.quiet() or NOTHING)})

    @web.authenticated
    @authorized
    @with_errors
    async def patch(self) -> None:
        """Change do-not-disturb or the muted sources; answer with ``models.Quiet``."""
        from .. import models
        from ..storage.quiet import QuietChange

        change: models.QuietChange = validate(models.QuietChange, self.json())
        until_ms = None if change.until is None else int(change.until.timestamp() * 1000)
        quiet = await self.manager.change_quiet(
            QuietChange(
                change.doNotDisturb,
                until_ms,
                change.mute,
                change.unmute,
                keeps_end="until" not in change.model_fields_set,
            )
        )
        self.answer({**(quiet or NOTHING)})
