"""Everything that a page or lab shows at once, in one answer."""

from __future__ import annotations

from ..events.feed import Feed
from ..identity.caller import Caller
from ..models.overview import Overview
from ..storage.database import Database
from ..storage.notifications import NotificationStore
from .access import require_user
from .broadcast_reading import BroadcastReadingService
from .broadcast_views import BroadcastViews
from .views import NotificationViews
from .welcome import WelcomeService

__all__ = ["OverviewService"]


class OverviewService:
    """Puts the parts of an overview together.

    Parameters
    ----------
    database
        The database.
    feed
        Knows the cursor.
    notifications
        The table.
    views, broadcast_views
        Render notifications and broadcasts.
    reading, welcome
        Give the broadcasts and welcome messages.
    """

    def __init__(
        self,
        *,
        database: Database,
        feed: Feed,
        notifications: NotificationStore,
        views: NotificationViews,
        broadcast_views: BroadcastViews,
        reading: BroadcastReadingService,
        welcome: WelcomeService,
    ) -> None:
        self._database = database
        self._feed = feed
        self._notifications = notifications
        self._views = views
        self._broadcast_views = broadcast_views
        self._reading = reading
        self._welcome = welcome

    async def of(self, caller: Caller, *, aspect: str | None, limit: int) -> Overview:
        """Return the caller's overview.

        Parameters
        ----------
        caller
            The user.
        aspect
            The aspect of welcome messages; `None` for all.
        limit
            Maximum number of notifications.

        Returns
        -------
        Overview
            The overview. Its cursor is read first: a newer change comes again as an event, which
            does no harm.
        """
        user = require_user(caller)
        # The number up to which this process has fed its streams, not the one in the table: the
        # list kept in memory may be as old as that.
        cursor = f"{self._feed.epoch}:{self._feed.seq}"
        broadcasts = await self._reading.shown(caller)
        async with self._database.read() as connection:
            page = await self._notifications.for_user(connection, user, caller.groups, limit=limit)
            unread = await self._notifications.unread_count(connection, user, caller.groups)
        return Overview(
            cursor=cursor,
            unread=unread,
            total=page.total,
            broadcasts=[self._broadcast_views.reader(one) for one in broadcasts],
            messages=[self._views.message(one) for one in page.items],
            welcome=[
                self._welcome.reader_view(one) for one in await self._welcome.due(caller, aspect)
            ],
        )

    async def unread(self, caller: Caller) -> int:
        """Return the number of messages that the caller has neither read nor dismissed.

        Broadcasts count too.
        """
        user = require_user(caller)
        shown = await self._reading.shown(caller)
        async with self._database.read() as connection:
            count = await self._notifications.unread_count(connection, user, caller.groups)
        unread = [
            one
            for one in shown
            if one.options.get("inbox", True)
            and one.user_state.read is None
            and one.user_state.dismissed is None
        ]
        return count + len(unread)
