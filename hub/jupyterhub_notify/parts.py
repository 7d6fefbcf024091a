"""The parts of the service, which `factory` makes and handlers use."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from .alerts.overview import AlertOverviewService
from .alerts.receiver import AlertReceiver
from .alerts.runner import RuleRunner
from .channels.sender import ChannelSender
from .channels.service import ChannelService
from .config import Settings
from .delivery.service import DeliveryService
from .events.feed import Feed
from .events.wakeup import Wakeup
from .services.administration import AdministrationService
from .services.broadcast_folder import BroadcastFolder
from .services.broadcast_reading import BroadcastReadingService
from .services.broadcast_views import BroadcastViews
from .services.broadcasting import BroadcastingService
from .services.content import ContentService
from .services.housekeeping import Housekeeping
from .services.inbox import InboxService
from .services.overview import OverviewService
from .services.publishing import PublishingService
from .services.quiet import QuietService
from .services.receipts import ReceiptService
from .services.recipients import RecipientService
from .services.reconciling import ReconcilingService
from .services.saved_templates import SavedTemplateService
from .services.scheduler import Scheduler
from .services.site_files import SiteFiles
from .services.views import NotificationViews
from .services.welcome import WelcomeService
from .storage.alert_problems import AlertProblemStore
from .storage.audit import AuditStore
from .storage.broadcasts import BroadcastStore
from .storage.channel_spreads import ChannelSpreadStore
from .storage.channels import ChannelStore
from .storage.database import Database
from .storage.deliveries import DeliveryStore
from .storage.expiry import ExpiryStore
from .storage.notifications import NotificationStore
from .storage.quiet import QuietStore
from .storage.rule_states import RuleStateStore
from .storage.servers import ServerStore
from .storage.templates import SavedTemplateStore
from .storage.welcome import WelcomeStore
from .storage.writer import Writer
from .under_way import UnderWay

__all__ = ["Parts", "Stores"]


@dataclass(frozen=True, kw_only=True)
class Stores:
    """The stores of all tables; no store keeps state in memory."""

    notifications: NotificationStore = field(default_factory=NotificationStore)
    channels: ChannelStore = field(default_factory=ChannelStore)
    channel_spreads: ChannelSpreadStore = field(default_factory=ChannelSpreadStore)
    alert_problems: AlertProblemStore = field(default_factory=AlertProblemStore)
    broadcasts: BroadcastStore = field(default_factory=BroadcastStore)
    deliveries: DeliveryStore = field(default_factory=DeliveryStore)
    welcome: WelcomeStore = field(default_factory=WelcomeStore)
    quiet: QuietStore = field(default_factory=QuietStore)
    rule_states: RuleStateStore = field(default_factory=RuleStateStore)
    servers: ServerStore = field(default_factory=ServerStore)
    audit: AuditStore = field(default_factory=AuditStore)
    saved_templates: SavedTemplateStore = field(default_factory=SavedTemplateStore)
    expiry: ExpiryStore = field(default_factory=ExpiryStore)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts that handlers use, or that start and stop with the application."""

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
    quiet: QuietService
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
    files: SiteFiles
    under_way: UnderWay = field(default_factory=UnderWay)

    async def start(self) -> None:
        """Start the parts that work in the background."""
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

    def begin_stop(self) -> None:
        """End the streams, and shorten every wait for something that hangs."""
        self.feed.streams.close()
        self.database.limits.stop()
        self.writer.hurry()
        self.under_way.stop()

    async def stop(self) -> None:
        """Finish what is under way, and end."""
        parts = (
            self.sender,
            self.folder,
            self.delivery,
            self.rules,
            self.housekeeping,
            self.scheduler,
            self.wakeup,
            self.feed,
        )
        # At the same time, since each may wait for something that hangs.
        await asyncio.gather(*(part.stop() for part in parts if part is not None))
        await self.writer.stop()
        await self.database.close()
