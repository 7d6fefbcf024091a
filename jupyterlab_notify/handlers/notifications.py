"""``…/notifications``: the list, single notifications, and changes of their state."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..exceptions import BadRequest
from ..limits import MAX_PAGE, MAX_SOURCE, NOTIFICATION_TYPES
from ..storage import VIEWS, Cursor, StateChange
from ..validation import validate
from .base import BodyHandler, with_errors

if TYPE_CHECKING:
    from .. import models


class NotificationsHandler(BodyHandler):
    """The list of notifications."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self) -> None:
        """Answer with ``models.Page``."""
        from ..storage.notifications import Query

        view = self.query_argument("view", 20)
        if view is None:
            view = "inbox"
        elif view not in VIEWS:
            raise BadRequest(f"The query parameter view must be one of {', '.join(VIEWS)}.")
        types = tuple(dict.fromkeys(self.get_query_arguments("type")))
        if not set(types) <= set(NOTIFICATION_TYPES):
            raise BadRequest(
                f"The query parameter type must be one of {', '.join(NOTIFICATION_TYPES)}."
            )
        limit = self._number("limit", 1, MAX_PAGE)
        query = Query(
            view=view,
            types=types,
            source=self.query_argument("source", MAX_SOURCE) or "",
            # Control characters part words, since no text that is shown holds them.
            text=re.sub(r"[\x00-\x1f]", " ", self.query_argument("q", 200) or ""),
            before=self._number("before", 0, 2**53 - 1),
            limit=50 if limit is None else limit,
        )
        self.answer(await self.manager.page(query))

    @web.authenticated
    @authorized
    @with_errors
    async def patch(self) -> None:
        """Change the state of many notifications; answer with ``models.Changed``."""
        from ..models import BulkChange

        change: BulkChange = validate(BulkChange, self.json())
        self.answer(
            await self.manager.set_states(
                _state_of(change),
                ids=change.ids,
                seqs=change.seqs,
                up_to=Cursor.parse(change.upTo),
            )
        )

    def _number(self, name: str, least: int, most: int) -> int | None:
        text = self.query_argument(name, 20)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise BadRequest(
                f"The query parameter {name} must be a whole number from {least} to {most}."
            )
        return int(text)


class NotificationHandler(BodyHandler):
    """A single notification."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self, id_: str) -> None:
        """Answer with ``models.NotificationDetail``."""
        self.answer(await self.manager.detail(id_))

    @web.authenticated
    @authorized
    @with_errors
    async def patch(self, id_: str) -> None:
        """Change its state; answer with ``models.Changed``."""
        from .. import models

        change: models.StateChange = validate(models.StateChange, self.json())
        self.answer(await self.manager.set_state(id_, _state_of(change)))


class ReplyHandler(BodyHandler):
    """The answer to a notification that asks for one."""

    @web.authenticated
    @authorized
    @with_errors
    async def post(self, id_: str) -> None:
        """Answer with ``models.Changed``."""
        from ..models import Answer

        given: Answer = validate(Answer, self.json())
        self.answer(await self.manager.reply(id_, given.answer))


def _state_of(change: models.StateChange) -> StateChange:
    """Return the requested change of state in storage's own type."""
    until = change.snoozedUntil
    given = {name: getattr(change, name, None) for name in StateChange._fields}
    given["snoozed_until_ms"] = (
        int(until.timestamp() * 1000) if isinstance(until, datetime) else until
    )
    return StateChange(**given)
