"""Put the service's parts together; each gets what it needs by keyword."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
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
from .parts import Parts, Stores
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
from .services.quiet import QuietChanges, QuietService
from .services.receipts import ReceiptService
from .services.recipients import RecipientService
from .services.reconciling import ReconcilingService
from .services.saved_templates import SavedTemplateService
from .services.scheduler import Scheduler
from .services.site_files import Names, Problems, SiteFiles
from .services.views import NotificationViews
from .services.welcome import WelcomeService
from .services.welcome_changes import WelcomeChanges
from .storage.database import Database, create_engine
from .storage.epochs import Epochs
from .storage.positions import PositionStore
from .storage.pushes import PushStore
from .storage.writer import Writer
from .templates import TemplateDirectory

__all__ = ["build", "make_sender"]


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
        The settings of the site.
    directory
        Knows the users of the site, where there is a hub.
    hub_api
        The API of the hub, where there is one.

    Returns
    -------
    Parts
        The parts; nothing is connected or started yet.
    """
    return _Factory(settings, directory, hub_api).parts()


class _Factory:
    """Makes each part once, when it is first needed."""

    def __init__(
        self, settings: Settings, directory: UserDirectory | None, hub_api: HubApi | None
    ) -> None:
        self._settings = settings
        self._known_directory = directory
        self._directory = directory or NobodyKnown()
        self._hub_api = hub_api
        self._database = Database(engine=create_engine(settings.database))
        self._epochs = Epochs(read=self._database.epochs)
        self._writer = Writer(database=self._database, epochs=self._epochs)
        self._both: dict[str, Any] = {"database": self._database, "writer": self._writer}
        self._stores = Stores()
        templates: Templates = NoTemplates()
        if settings.templates is not None:
            templates = TemplateDirectory(settings.templates)
        self._content = ContentService(templates=templates)
        self._views = NotificationViews(content=self._content)
        self._broadcast_views = BroadcastViews()
        self._limit = RateLimit(per_minute=settings.publish_rate)

    def parts(self) -> Parts:
        """Return the parts that handlers use."""
        feed = self._feed
        stores = self._stores
        folder, rules = self._folder(), self._rules()
        return Parts(
            settings=self._settings,
            **self._both,
            stores=stores,
            feed=feed,
            wakeup=self._wakeup(),
            content=self._content,
            views=self._views,
            inbox=InboxService(**self._both, store=stores.notifications),
            publishing=self._publishing,
            reconciling=self._reconciling,
            broadcast_views=self._broadcast_views,
            broadcasting=self._broadcasting,
            recipients=RecipientService(directory=self._known_directory),
            reading=self._reading,
            welcome=self._welcome,
            overview=self._overview(),
            receipts=self._receipts(),
            quiet=QuietService(**self._both, store=stores.quiet),
            administration=AdministrationService(
                **self._both,
                audit=stores.audit,
                servers=stores.servers,
                deliveries=stores.deliveries,
            ),
            saved_templates=SavedTemplateService(
                **self._both, store=stores.saved_templates, audit=stores.audit
            ),
            scheduler=self._scheduler(),
            housekeeping=self._housekeeping(),
            rules=rules,
            sender=self._sender,
            channels=ChannelService(**self._both, store=stores.channels, sender=self._sender),
            alert_overview=AlertOverviewService(
                database=self._database, problems=stores.alert_problems, states=stores.rule_states
            ),
            alerts=self._alerts(),
            folder=folder,
            files=self._files(folder, rules),
            delivery=_delivery(self._settings, self._hub_api, self._database, self._writer, stores),
        )

    @cached_property
    def _feed(self) -> Feed:
        positions = PositionStore(database=self._database)
        sources: list[ChangeSource] = [
            NotificationChanges(store=self._stores.notifications, views=self._views),
            BroadcastChanges(store=self._stores.broadcasts, views=self._broadcast_views),
            WelcomeChanges(store=self._stores.welcome, service=self._welcome),
            QuietChanges(store=self._stores.quiet),
        ]
        changes = Changes(database=self._database, sources=sources)
        return Feed(
            database=self._database,
            epochs=self._epochs,
            reader=changes,
            streams=Streams(most_anonymous=self._settings.anonymous_streams),
            freshness=Freshness(
                database=self._database,
                reader=changes,
                versions=Versions(
                    epochs=self._epochs,
                    of_everyone=positions.of_everyone,
                    of_user=positions.of_user,
                ),
            ),
            look_s=self._settings.look_s,
            keep_alive_s=self._settings.keep_alive_s,
        )

    def _wakeup(self) -> Wakeup | None:
        """Make the listener for other replicas' changes; with SQLite there are no replicas."""
        if self._settings.is_sqlite:
            return None
        return Wakeup(url=self._settings.database, wake=self._feed.wake)

    @cached_property
    def _welcome(self) -> WelcomeService:
        return WelcomeService(**self._both, store=self._stores.welcome, audit=self._stores.audit)

    @cached_property
    def _publishing(self) -> PublishingService:
        return PublishingService(
            **self._both,
            store=self._stores.notifications,
            audit=self._stores.audit,
            content=self._content,
            limit=self._limit,
            directory=self._directory,
        )

    @cached_property
    def _reconciling(self) -> ReconcilingService:
        return ReconcilingService(
            writer=self._writer,
            store=self._stores.notifications,
            audit=self._stores.audit,
            publishing=self._publishing,
            limit=self._limit,
        )

    @cached_property
    def _broadcasting(self) -> BroadcastingService:
        return BroadcastingService(
            **self._both,
            store=self._stores.broadcasts,
            deliveries=self._stores.deliveries,
            audit=self._stores.audit,
            limit=self._limit,
            directory=self._directory,
            leads_min=self._settings.maintenance_leads_min,
        )

    def _folder(self) -> BroadcastFolder | None:
        """Make the publisher of a folder's broadcasts, where the site has such a folder."""
        if self._settings.broadcasts is None:
            return None
        return BroadcastFolder(
            **self._both,
            directory=BroadcastDirectory(
                self._settings.broadcasts, environment=self._settings.environment
            ),
            store=self._stores.broadcasts,
            broadcasting=self._broadcasting,
        )

    @cached_property
    def _reading(self) -> BroadcastReadingService:
        feed = self._feed
        return BroadcastReadingService(
            **self._both,
            store=self._stores.broadcasts,
            deliveries=self._stores.deliveries,
            versions=lambda: feed.versions,
            keep=self._settings.receipts,
        )

    def _overview(self) -> OverviewService:
        return OverviewService(
            database=self._database,
            feed=self._feed,
            notifications=self._stores.notifications,
            views=self._views,
            broadcast_views=self._broadcast_views,
            reading=self._reading,
            welcome=self._welcome,
        )

    def _receipts(self) -> ReceiptService:
        return ReceiptService(
            writer=self._writer,
            notifications=self._stores.notifications,
            broadcasts=self._stores.broadcasts,
            deliveries=self._stores.deliveries,
            reading=self._reading,
            keep=self._settings.receipts,
        )

    def _scheduler(self) -> Scheduler:
        return Scheduler(
            **self._both,
            broadcasts=self._stores.broadcasts,
            deliveries=self._stores.deliveries,
            expiry=self._stores.expiry,
        )

    def _housekeeping(self) -> Housekeeping:
        return Housekeeping(
            writer=self._writer,
            store=self._stores.expiry,
            channels=self._stores.channels,
            settings=self._settings,
        )

    def _rules(self) -> RuleRunner | None:
        """Make the runner of the rules, where the site has some."""
        if self._settings.rules is None:
            return None
        return RuleRunner(
            path=self._settings.rules,
            **self._both,
            states=self._stores.rule_states,
            reconciling=self._reconciling,
            check_template=self._content.check,
        )

    def _files(self, folder: BroadcastFolder | None, rules: RuleRunner | None) -> SiteFiles:
        sources: list[tuple[Names, Problems]] = [
            (("template", "directory of templates"), lambda: self._content.problems)
        ]
        if folder is not None:
            sources.append((("broadcast", "folder of broadcasts"), lambda: folder.problems))
        if rules is not None:
            sources.append((("rule", "file of rules"), lambda: rules.problems))
        return SiteFiles(sources=sources)

    def _alerts(self) -> AlertReceiver:
        return AlertReceiver(
            reconciling=self._reconciling,
            writer=self._writer,
            problems=self._stores.alert_problems,
            finder=UserFinder(labels=self._settings.alerts_labels),
            known=DirectoryUsers(self._directory),
            settings=AlertSettings(
                expire_after=timedelta(seconds=self._settings.alerts_expire_s),
                template=self._settings.alerts_template,
            ),
        )

    @cached_property
    def _sender(self) -> ChannelSender | None:
        """Make the sender over other channels, where the site has some."""
        if self._settings.channels is None:
            return None
        found = read_channels(self._settings.channels)
        return make_sender(
            found,
            make_channels(found, self._hub_api),
            directory=self._known_directory,
            nobody=frozenset({self._settings.push_bot}),
            **self._both,
            stores=self._stores,
            content=self._content,
            public_url=self._settings.public_url,
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
    """Make the sender over other channels.

    Parameters
    ----------
    settings, channels
        The site's settings and channels.
    directory
        Knows the users of the site, where there is a hub.
    nobody
        Users of the hub that are not people.
    database, writer, stores
        For reading and writing.
    content
        Gives the text of a notification.
    public_url
        The service's address in links.
    clock
        Returns the present time; for tests.
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
    """Make the part that pushes to servers; None without a hub, or where the site wants none."""
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
