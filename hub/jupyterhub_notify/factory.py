"""How the parts are put together; everything gets its own by keyword."""

from __future__ import annotations

from dataclasses import dataclass

from .config import Settings
from .events.feed import Feed
from .events.streams import Streams
from .events.versions import Versions
from .events.wakeup import Wakeup
from .services.changes import Changes
from .services.content import ContentService, NoTemplates
from .services.inbox import InboxService
from .services.limits import RateLimit
from .services.notification_changes import NotificationChanges
from .services.publishing import NobodyKnown, PublishingService
from .services.reconciling import ReconcilingService
from .services.views import NotificationViews
from .storage.audit import AuditStore
from .storage.database import Database, create_engine
from .storage.notifications import NotificationStore
from .storage.positions import PositionStore
from .storage.writer import Writer

__all__ = ["Parts", "build"]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What handlers use, and what is started and stopped with the application."""

    settings: Settings
    database: Database
    writer: Writer
    feed: Feed
    wakeup: Wakeup | None
    content: ContentService
    views: NotificationViews
    inbox: InboxService
    publishing: PublishingService
    reconciling: ReconcilingService

    async def start(self) -> None:
        """Begin to work."""
        self.writer.start()
        await self.feed.start()
        self.writer.listeners.append(self.feed.committed)
        if self.wakeup is not None:
            self.wakeup.start()

    async def stop(self) -> None:
        """Finish what is under way, and end."""
        if self.wakeup is not None:
            await self.wakeup.stop()
        await self.feed.stop()
        await self.writer.stop()
        await self.database.close()


def build(settings: Settings) -> Parts:
    """Put the service together.

    Parameters
    ----------
    settings
        What the site has set.

    Returns
    -------
    Parts
        The parts; nothing is connected or started yet.
    """
    database = Database(engine=create_engine(settings.database))
    writer = Writer(database=database)
    notifications = NotificationStore()
    audit = AuditStore()
    content = ContentService(templates=NoTemplates())
    views = NotificationViews(content=content)
    limit = RateLimit(per_minute=settings.publish_rate)
    publishing = PublishingService(
        database=database,
        writer=writer,
        store=notifications,
        audit=audit,
        content=content,
        limit=limit,
        directory=NobodyKnown(),
    )
    positions = PositionStore(database=database)
    feed = Feed(
        database=database,
        reader=Changes(
            database=database,
            sources=[NotificationChanges(store=notifications, views=views)],
        ),
        streams=Streams(),
        versions=Versions(of_everyone=positions.of_everyone, of_user=positions.of_user),
        look_s=settings.look_s,
        keep_alive_s=settings.keep_alive_s,
    )
    wakeup = None
    if not settings.is_sqlite:
        wakeup = Wakeup(url=settings.database, wake=feed.wake)
    return Parts(
        settings=settings,
        database=database,
        writer=writer,
        feed=feed,
        wakeup=wakeup,
        content=content,
        views=views,
        inbox=InboxService(database=database, writer=writer, store=notifications),
        publishing=publishing,
        reconciling=ReconcilingService(
            writer=writer, store=notifications, audit=audit, publishing=publishing, limit=limit
        ),
    )
