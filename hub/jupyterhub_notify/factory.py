"""Put the parts together; each gets what it needs by keyword."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from .alerts.overview import AlertOverviewService
from .alerts.receiver import AlertReceiver, AlertSettings
from .alerts.runner import RuleRunner
from .alerts.users import DirectoryUsers, UserFinder
from .broadcast_files import BroadcastDirectory
from .channels import make_channels
from .channels.audience import Audience
from .channels.channel import Channel
from .channels.sender import ChannelSender
from .channels.service import ChannelService
from .channels.settings import ChannelSettings, read_channels
from .channels.spreading import Spreader
from .channels.unread import UnreadMessages
from .config import Settings
from .delivery.planner import Planner
from .delivery.pushes import Pusher
from .delivery.servers import HubServers
from .delivery.service import DeliveryService
from .delivery.tokens import ServerTokens
from .events.feed import Feed
from .events.freshness import Freshness
from .events.streams import Streams
from .events.versions import Versions
from .events.wakeup import Wakeup
from .hubapi import HubApi
from .schema import now
from .services.administration import AdministrationService
from .services.broadcast_changes import BroadcastChanges
from .services.broadcast_folder import BroadcastFolder
from .services.broadcast_reading import BroadcastReadingService
from .services.broadcast_views import BroadcastViews
from .services.broadcasting import BroadcastingService
from .services.changes import Changes, ChangeSource
from .services.content import ContentService, NoTemplates, Templates
from .services.directory import NobodyKnown, UserDirectory
from .services.housekeeping import Housekeeping
from .services.inbox import InboxService
from .services.limits import RateLimit
from .services.notification_changes import NotificationChanges
from .services.overview import OverviewService
from .services.publishing import PublishingService
from .services.receipts import ReceiptService
from .services.recipients import RecipientService
from .services.reconciling import ReconcilingService
from .services.saved_templates import SavedTemplateService
from .services.scheduler import Scheduler
from .services.views import NotificationViews
from .services.welcome import WelcomeService
from .services.welcome_changes import WelcomeChanges
from .storage.alert_problems import AlertProblemStore
from .storage.audit import AuditStore
from .storage.broadcasts import BroadcastStore
from .storage.channel_spreads import ChannelSpreadStore
from .storage.channels import ChannelStore
from .storage.database import Database, create_engine
from .storage.deliveries import DeliveryStore
from .storage.expiry import ExpiryStore
from .storage.notifications import NotificationStore
from .storage.positions import PositionStore
from .storage.pushes import PushStore
from .storage.rule_states import RuleStateStore
from .storage.servers import ServerStore
from .storage.templates import SavedTemplateStore
from .storage.welcome import WelcomeStore
from .storage.writer import Writer
from .templates import TemplateDirectory

__all__ = ["Parts", "build", "make_sender"]


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The tables; none of them keeps anything of its own."""

    notifications: NotificationStore = field(default_factory=NotificationStore)
    channels: ChannelStore = field(default_factory=ChannelStore)
    channel_spreads: ChannelSpreadStore = field(default_factory=ChannelSpreadStore)
    alert_problems: AlertProblemStore = field(default_factory=AlertProblemStore)
    broadcasts: BroadcastStore = field(default_factory=BroadcastStore)
    deliveries: DeliveryStore = field(default_factory=DeliveryStore)
    welcome: WelcomeStore = field(default_factory=WelcomeStore)
    rule_states: RuleStateStore = field(default_factory=RuleStateStore)
    servers: ServerStore = field(default_factory=ServerStore)
    audit: AuditStore = field(default_factory=AuditStore)
    saved_templates: SavedTemplateStore = field(default_factory=SavedTemplateStore)
    expiry: ExpiryStore = field(default_factory=ExpiryStore)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts that handlers use, and that start and stop with the application."""

    settings: Settings
    database: Database
    writer: Writer
    stores: Stores
    feed: Feed
    wakeup: Wakeup | None
    content: ContentService
    views: NotificationViews
    inbox: InboxService
    publishing: PublishingService
    reconciling: ReconcilingService
    broadcast_views: BroadcastViews
    broadcasting: BroadcastingService
    recipients: RecipientService
    reading: BroadcastReadingService
    welcome: WelcomeService
    overview: OverviewService
    receipts: ReceiptService
    administration: AdministrationService
    saved_templates: SavedTemplateService
    scheduler: Scheduler
    housekeeping: Housekeeping
    alerts: AlertReceiver
    alert_overview: AlertOverviewService
    rules: RuleRunner | None
    delivery: DeliveryService | None
    folder: BroadcastFolder | None
    channels: ChannelService
    sender: ChannelSender | None

    async def start(self) -> None:
        """Begin to work."""
        self.writer.start()
        await self.feed.start()
        self.writer.listeners.append(self.feed.committed)
        if self.wakeup is not None:
            self.wakeup.start()
        self.scheduler.start()
        self.housekeeping.start()
        if self.rules is not None:
            self.rules.start()
        if self.delivery is not None:
            self.feed.followers.append(self.delivery.wake)
            self.delivery.start()
        if self.folder is not None:
            self.folder.start()
        if self.sender is not None:
            self.sender.start()

    async def stop(self) -> None:
        """Finish what is under way, and end."""
        if self.sender is not None:
            await self.sender.stop()
        if self.folder is not None:
            await self.folder.stop()
        if self.delivery is not None:
            await self.delivery.stop()
        if self.rules is not None:
            await self.rules.stop()
        await self.housekeeping.stop()
        await self.scheduler.stop()
        if self.wakeup is not None:
            await self.wakeup.stop()
        await self.feed.stop()
        await self.writer.stop()
        await self.database.close()


def build(
    settings: Settings,
    *,
    directory: UserDirectory | None = None,
    hub_api: HubApi | None = None,
) -> Parts:
    """Put the service together.

    Parameters
    ----------
    settings
        What the site has set.
    directory
        Knows the users of the site, where there is a hub.
    hub_api
        The API of the hub, where there is one.

    Returns
    -------
    Parts
        The parts; nothing is connected or started yet.

    Notes
    -----
    It does not fit on a screen: it is the one place where everything meets, and has no branches.
    """
    database = Database(engine=create_engine(settings.database))
    writer = Writer(database=database)
    stores = Stores()
    templates: Templates = NoTemplates()
    if settings.templates is not None:
        templates = TemplateDirectory(settings.templates)
    content = ContentService(templates=templates)
    views = NotificationViews(content=content)
    broadcast_views = BroadcastViews()
    limit = RateLimit(per_minute=settings.publish_rate)
    recipients = RecipientService(directory=directory)
    sender = _sender(settings, directory, hub_api, database, writer, stores, content)
    directory = directory or NobodyKnown()
    both: dict[str, Any] = {"database": database, "writer": writer}
    welcome = WelcomeService(**both, store=stores.welcome, audit=stores.audit)
    positions = PositionStore(database=database)
    sources: list[ChangeSource] = [
        NotificationChanges(store=stores.notifications, views=views),
        BroadcastChanges(store=stores.broadcasts, views=broadcast_views),
        WelcomeChanges(store=stores.welcome, service=welcome),
    ]
    changes = Changes(database=database, sources=sources)
    feed = Feed(
        database=database,
        reader=changes,
        streams=Streams(most_anonymous=settings.anonymous_streams),
        freshness=Freshness(
            database=database,
            reader=changes,
            versions=Versions(of_everyone=positions.of_everyone, of_user=positions.of_user),
        ),
        look_s=settings.look_s,
        keep_alive_s=settings.keep_alive_s,
    )
    publishing = PublishingService(
        **both,
        store=stores.notifications,
        audit=stores.audit,
        content=content,
        limit=limit,
        directory=directory,
    )
    broadcasting = BroadcastingService(
        **both,
        store=stores.broadcasts,
        deliveries=stores.deliveries,
        audit=stores.audit,
        limit=limit,
        directory=directory,
        leads_min=settings.maintenance_leads_min,
    )
    folder = None
    if settings.broadcasts is not None:
        folder = BroadcastFolder(
            **both,
            directory=BroadcastDirectory(settings.broadcasts, environment=settings.environment),
            store=stores.broadcasts,
            broadcasting=broadcasting,
        )
    reading = BroadcastReadingService(
        **both,
        store=stores.broadcasts,
        deliveries=stores.deliveries,
        versions=lambda: feed.versions,
        keep=settings.receipts,
    )
    reconciling = ReconcilingService(
        writer=writer,
        store=stores.notifications,
        audit=stores.audit,
        publishing=publishing,
        limit=limit,
    )
    return Parts(
        settings=settings,
        **both,
        stores=stores,
        feed=feed,
        wakeup=None if settings.is_sqlite else Wakeup(url=settings.database, wake=feed.wake),
        content=content,
        views=views,
        inbox=InboxService(**both, store=stores.notifications),
        publishing=publishing,
        reconciling=reconciling,
        broadcast_views=broadcast_views,
        broadcasting=broadcasting,
        recipients=recipients,
        reading=reading,
        welcome=welcome,
        overview=OverviewService(
            database=database,
            feed=feed,
            notifications=stores.notifications,
            views=views,
            broadcast_views=broadcast_views,
            reading=reading,
            welcome=welcome,
        ),
        receipts=ReceiptService(
            writer=writer,
            notifications=stores.notifications,
            broadcasts=stores.broadcasts,
            deliveries=stores.deliveries,
            reading=reading,
            keep=settings.receipts,
        ),
        administration=AdministrationService(
            **both, audit=stores.audit, servers=stores.servers, deliveries=stores.deliveries
        ),
        saved_templates=SavedTemplateService(
            **both, store=stores.saved_templates, audit=stores.audit
        ),
        scheduler=Scheduler(
            **both,
            broadcasts=stores.broadcasts,
            deliveries=stores.deliveries,
            expiry=stores.expiry,
        ),
        housekeeping=Housekeeping(
            writer=writer, store=stores.expiry, channels=stores.channels, settings=settings
        ),
        rules=None
        if settings.rules is None
        else RuleRunner(
            path=settings.rules,
            **both,
            states=stores.rule_states,
            reconciling=reconciling,
            check_template=content.check,
        ),
        sender=sender,
        channels=ChannelService(**both, store=stores.channels, sender=sender),
        alert_overview=AlertOverviewService(
            database=database, problems=stores.alert_problems, states=stores.rule_states
        ),
        alerts=AlertReceiver(
            reconciling=reconciling,
            writer=writer,
            problems=stores.alert_problems,
            finder=UserFinder(labels=settings.alerts_labels),
            known=DirectoryUsers(directory),
            settings=AlertSettings(
                expire_after=timedelta(seconds=settings.alerts_expire_s),
                template=settings.alerts_template,
            ),
        ),
        folder=folder,
        delivery=_delivery(settings, hub_api, database, writer, stores),
    )


def _sender(
    settings: Settings,
    directory: UserDirectory | None,
    hub_api: HubApi | None,
    database: Database,
    writer: Writer,
    stores: Stores,
    content: ContentService,
) -> ChannelSender | None:
    """Return what sends over other channels, where the site has some."""
    if settings.channels is None:
        return None
    found = read_channels(settings.channels)
    return make_sender(
        found,
        make_channels(found, hub_api),
        directory=directory,
        nobody=frozenset({settings.push_bot}),
        database=database,
        writer=writer,
        stores=stores,
        content=content,
        public_url=settings.public_url,
    )


def make_sender(
    settings: ChannelSettings,
    channels: Sequence[Channel],
    *,
    directory: UserDirectory | None,
    nobody: frozenset[str],
    database: Database,
    writer: Writer,
    stores: Stores,
    content: ContentService,
    public_url: str | None,
    clock: Callable[[], datetime] = now,
) -> ChannelSender:
    """Put together what sends over other channels.

    Parameters
    ----------
    settings, channels
        What the site has.
    directory
        Knows the users of the site, where there is a hub.
    nobody
        Users of the hub that are no people.
    database, writer, stores
        Where to read and write.
    content
        Says what a notification says.
    public_url
        The service's address in links.
    clock
        Tells the time; for tests.
    """
    both: dict[str, Any] = {"database": database, "writer": writer}
    audience = Audience(
        directory=directory, database=database, store=stores.channel_spreads, nobody=nobody
    )
    return ChannelSender(
        channels=channels,
        after=settings.after,
        **both,
        store=stores.channels,
        unread=UnreadMessages(
            database=database,
            notifications=stores.notifications,
            broadcasts=stores.broadcasts,
            content=content,
            audience=audience,
        ),
        spreader=Spreader(
            channels=channels,
            audience=audience,
            **both,
            store=stores.channel_spreads,
            queue=stores.channels,
            clock=clock,
        ),
        public_url=public_url,
        clock=clock,
    )


def _delivery(
    settings: Settings,
    hub_api: HubApi | None,
    database: Database,
    writer: Writer,
    stores: Stores,
) -> DeliveryService | None:
    """Return what pushes to servers; none without a hub, or where the site wants none."""
    if hub_api is None or not settings.push:
        return None
    both: dict[str, Any] = {"database": database, "writer": writer}
    pushes = PushStore(database=database)
    servers = HubServers(hub_api, proxy_url=settings.proxy_url, direct=settings.push_direct)
    return DeliveryService(
        **both,
        broadcasts=stores.broadcasts,
        pushes=pushes,
        planner=Planner(
            **both,
            broadcasts=stores.broadcasts,
            pushes=pushes,
            servers=servers,
            bot=settings.push_bot,
            grace_s=settings.push_grace_s,
            look_s=settings.push_look_s,
        ),
        tokens=ServerTokens(hub_api, bot=settings.push_bot, at_once=settings.push_at_once),
        pusher=Pusher(
            timeout_s=settings.push_timeout_s,
            at_once=settings.push_at_once,
            trust=hub_api.trust if settings.push_direct else None,
        ),
        source=settings.push_source,
        at_once=settings.push_at_once,
        lease_s=settings.push_lease_s,
    )
