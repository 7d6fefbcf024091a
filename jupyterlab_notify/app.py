"""The Jupyter Server extension: configuration, wiring, start and stop."""

from __future__ import annotations

import asyncio
import importlib.metadata
import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_data_dir
from jupyter_server.extension.application import ExtensionApp
from traitlets import Bool, Float, Int, TraitType, Unicode, default, validate
from traitlets.config import Config
from traitlets.traitlets import TraitError

from .exceptions import NoThread
from .extensions import Notifications
from .handlers import routes
from .handlers.activity import INTERVAL_SETTING
from .manager import NotificationManager
from .rate_limit import RateLimit
from .sources.location import NUBLADO, spawners_url
from .storage import Retention, Storage, central_tag
from .timings import Timings
from .worker import MAX_WAITING

if TYPE_CHECKING:
    from .sources.source import Source, SourceContext

#: An extension of another project that owns the same import name.
NAMESAKE = "jupyterlab-notify"

#: Seconds after the server's start at which storage opens by itself.
OPEN_AFTER_S = 1.0

EVENT_SCHEMA_ID = "https://events.jupyter.org/jupyterlab_notify/notification/v1"
EVENT_SCHEMA = Path(__file__).parent / "event.yaml"


# Longer than a screen: traitlets wants every option on the application itself.
class NotifyApp(ExtensionApp):
    """Receives notifications for the user who works on this server."""

    name = "jupyterlab_notify"
    app_name = "jupyterlab_notify"
    description = "Notifications in JupyterLab: toasts and a center that forget nothing."
    load_other_extensions = True
    extension_url = "/lab"
    #: Waits and intervals; no setting, since nobody should have to change them.
    timings = Timings()
    #: The most operations that may wait for storage.
    max_waiting = MAX_WAITING

    database = Unicode(
        help="""The SQLite file that keeps the notifications.

        It is created if it is missing, readable by its owner only. Two servers of one home
        directory may share it. The default is `notify/notifications.sqlite` in Jupyter's data
        directory; with an empty string, notifications are kept in memory only.
        """
    ).tag(config=True)

    retention_days = Float(
        90,
        min=0,
        help="The number of days after which notifications are deleted; 0 keeps them for ever.",
    ).tag(config=True)

    retention_count = Int(
        10_000,
        min=0,
        max=2**53 - 1,
        help="The most notifications that are kept; the least important go first. 0 keeps all.",
    ).tag(config=True)

    retention_bytes = Int(
        64_000_000,
        min=0,
        max=2**53 - 1,
        help="""The most bytes that notifications may take; 0 sets no bound.

        As with `retention_count`, each sender keeps its share, and what is unread or must stay
        in sight is kept longest.
        """,
    ).tag(config=True)

    ingest_rate = Float(
        50,
        min=0,
        help="""The messages per second that one token may send, whatever source it names.

        The rate is averaged over ten seconds, so a burst of ten times as many passes. A sender
        of more gets 429 with the time to wait. 0 sets no bound.
        """,
    ).tag(config=True)

    central_url = Unicode(
        help="""The URL of the central service (such as Semaphore) that has broadcasts, the user's
        messages and welcome messages, for example `https://data.example.com/semaphore`.

        This server polls it with the user's token while a tab is open. A site needs to set
        nothing else; without a URL, no other service is ever contacted. The default is the
        value of `$JUPYTERLAB_NOTIFY_CENTRAL_URL`, which a hub's spawner sets; `nublado` takes
        Semaphore's address from `/etc/nublado/discovery/v1.json`. Proxies are taken from the
        environment (`HTTPS_PROXY`, `NO_PROXY`).
        """
    ).tag(config=True)

    central_name = Unicode(
        help="""The name of the central service, shown as the source of its messages.

        The default is `JupyterHub` for the service that the hub's spawner names, and else the host
        of its URL.
        """
    ).tag(config=True)

    central_token_file = Unicode(
        help="""The file that holds the user's token for the central service.

        It is read before each request, so that a token can be renewed at any time. Where it is
        not set or holds no token, these are tried in order: `central_token_variable`,
        `secrets/token` in `$NUBLADO_RUNTIME_MOUNTS_DIR`, `/etc/nublado/secrets/token`, and, for
        the service that `$JUPYTERLAB_NOTIFY_CENTRAL_URL` names, `$JUPYTERHUB_API_TOKEN`.
        """
    ).tag(config=True)

    central_token_variable = Unicode(
        help="""The environment variable that holds the user's token for the central service.

        The value `JUPYTERHUB_API_TOKEN` sends the server's own hub token to whatever service
        `central_url` names.
        """
    ).tag(config=True)

    central_interval = Float(
        60,
        min=0.1,
        help="""The seconds between two polls of the central service while a tab is open.

        Each interval is up to a fifth shorter or longer, so that servers do not all poll at once.
        A service that fails is polled less and less often, down to once in ten minutes.
        """,
    ).tag(config=True)

    keep_running_interval = Float(
        0,
        min=0,
        help="""The least number of seconds between two uses of *Keep it running*.

        A warning that an idle server is about to be stopped has this button; using it counts as
        user activity. With 0 it may be used at any time.
        """,
    ).tag(config=True)

    central_timeout = Float(
        10,
        min=0.1,
        help="The most seconds that one request to the central service may take.",
    ).tag(config=True)

    central_ca_bundle = Unicode(
        help="""A PEM file with the certificates to trust for the central service.

        The default is what Python trusts, or the file that `SSL_CERT_FILE` names.
        """
    ).tag(config=True)

    central_aspect = Unicode(
        "jupyterlab",
        help="""The part of the platform that this server belongs to, as welcome messages name it.

        Only welcome messages of this aspect are shown, from the central service and from files.
        """,
    ).tag(config=True)

    watch_home = Bool(
        False,
        help="""True to tell the user when the home directory is nearly full, at 90 % and 98 %.

        While a tab is open it is looked at every five minutes: by the user's quota where the
        program `quota` knows one, else by the size of its file system. Leave it off where users
        share a file system without quotas, since none of them can mend that.
        """,
    ).tag(config=True)

    @default("database")
    def _default_database(self) -> str:
        return str(Path(jupyter_data_dir()) / "notify" / "notifications.sqlite")

    @validate("database")
    def _absolute(self, proposal: Any) -> str:
        value = str(proposal["value"])
        if not value:
            return value
        path = Path(value)
        # ``expanduser`` fails for a user who does not exist; the check below reports the path.
        with suppress(RuntimeError):
            path = path.expanduser()
        if not path.is_absolute() or "\0" in value:
            raise TraitError(
                f"NotifyApp.database must be an absolute path (or begin with ~), not {value!r}."
            )
        return str(path)

    @validate(
        "retention_days",
        "ingest_rate",
        "central_interval",
        "central_timeout",
        "keep_running_interval",
    )
    def _finite(self, proposal: Any) -> float:
        value = float(proposal["value"])
        if not math.isfinite(value):
            raise TraitError(
                f"NotifyApp.{proposal['trait'].name} must be a finite number, not {value}."
            )
        return value

    @validate("central_url")
    def _base_url(self, proposal: Any) -> str:
        value = str(proposal["value"]).strip().rstrip("/")
        if not value or value == NUBLADO:
            return value
        try:
            parts = urlsplit(value)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        if not usable:
            raise TraitError(
                "NotifyApp.central_url must be a URL such as https://data.example.com/semaphore."
            )
        if parts.username or parts.password or parts.query or parts.fragment:
            # The message leaves the value out, since it may hold a password.
            raise TraitError(
                "NotifyApp.central_url must hold neither a user, nor a query, nor a fragment; "
                "the token belongs into NotifyApp.central_token_file."
            )
        return value

    @validate("central_name")
    def _short(self, proposal: Any) -> str:
        value = str(proposal["value"]).strip()
        if len(value) > 80:
            raise TraitError("NotifyApp.central_name must have at most 80 characters.")
        return value

    def _load_config(
        self,
        cfg: Config,
        section_names: list[str] | None = None,
        traits: dict[str, TraitType[Any, Any]] | None = None,
    ) -> None:
        """Apply the configuration; log each wrong value and leave it out.

        Jupyter Server would log a traceback, and leave out valid values too.
        """
        for name, value in self._find_my_config(cfg).items():
            if self.has_trait(name):
                # After an error traitlets restores the value that it knows: a computed default is
                # known only once it was read.
                getattr(self, name)
            try:
                super()._load_config(
                    Config({type(self).__name__: {name: value}}), section_names, traits
                )
            except TraitError as error:
                self.log.error("A value of the configuration is wrong and is left out: %s", error)

    def _find_central(self) -> None:
        """Determine the central service's URL; log a wrong one and leave it out."""
        if self.central_url == NUBLADO:
            from .sources.nublado import nublado_url

            found = nublado_url()
            if found is None:
                self.log.warning("Nublado's discovery file names no Semaphore: none is asked.")
        elif not self.central_url:
            found = spawners_url()
        else:
            return
        try:
            self.central_url = found or ""
        except TraitError as error:
            self.log.error("The central service's address is wrong and is left out: %s", error)
            self.central_url = ""

    def initialize_settings(self) -> None:
        """Build storage, sources and manager; nothing is opened yet."""
        self._find_central()
        self.settings[INTERVAL_SETTING] = self.keep_running_interval
        storage = Storage(
            Path(self.database) if self.database else None,
            retention=Retention(self.retention_days, self.retention_count, self.retention_bytes),
            central=central_tag(self.central_url) if self.central_url else "",
            log=self.log,
            timings=self.timings.storage,
        )
        self.manager = NotificationManager(
            storage,
            log=self.log,
            emit_event=self._emit_event,
            make_sources=self._make_sources,
            timings=self.timings,
            max_waiting=self.max_waiting,
        )
        self._opening: asyncio.TimerHandle | None = None
        self._greeting: asyncio.TimerHandle | None = None
        self._checking: asyncio.Future[None] | None = None
        #: The problem of the central service that was logged at the start.
        self.last_logged: str | None = None
        #: The interface for other server extensions.
        self.notifications = Notifications(self.manager, self.log)
        logger = getattr(self.serverapp, "event_logger", None)
        # Registered before the first event: a listener to all events hears only the schemas that
        # existed when it was added.
        if logger is not None and EVENT_SCHEMA_ID not in logger.schemas:
            logger.register_event_schema(EVENT_SCHEMA)
        self._warn_of_namesake()

    def _warn_of_namesake(self) -> None:
        try:
            importlib.metadata.distribution(NAMESAKE)
        except importlib.metadata.PackageNotFoundError:
            return
        self.log.warning(
            "The package %s is installed too. It owns the same import name as "
            "jupyterlab-notify-center, so files of one have replaced files of the other: "
            "uninstall both, then install the one that you want.",
            NAMESAKE,
        )

    def _make_sources(self, context: SourceContext) -> list[Source]:
        from .wiring import make_sources

        return make_sources(self, context)

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(routes(self.manager, RateLimit(self.ingest_rate)))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open storage, in its own thread, soon after the server's start.

        The first request opens it earlier. Otherwise neither this work nor a slow disk delays
        the moment when the server first answers.
        """
        del serverapp
        self._opening = asyncio.get_running_loop().call_later(OPEN_AFTER_S, self.manager.start)
        if self.central_url:
            self._greeting = asyncio.get_running_loop().call_later(
                2 * OPEN_AFTER_S, self.manager.start_sources
            )
        if self.central_url and self.central_ca_bundle:
            self._checking = asyncio.ensure_future(self._check_ca_bundle())

    async def _check_ca_bundle(self) -> None:
        """Warn at the start about an unusable CA bundle, instead of when the first tab opens.

        The check runs in a thread, since the bundle's file system may hang.
        """
        from .sources.threads import in_thread

        def problem() -> str | None:
            from .sources.central.failure import Failure
            from .sources.central.transport import trust

            try:
                trust(self.central_ca_bundle)
            except Failure as failure:
                return str(failure)
            return None

        with suppress(NoThread):
            # The first request finds the problem otherwise.
            self.last_logged = await in_thread(problem)
        if self.last_logged is not None:
            self.log.warning("%s It is tried again automatically.", self.last_logged)

    async def stop_extension(self) -> None:
        """Commit pending operations and close storage."""
        for timer in (self._opening, self._greeting):
            if timer is not None:
                timer.cancel()
        if self._checking is not None:
            self._checking.cancel()
        await self.manager.stop()

    def _emit_event(self, action: str, ids: list[str]) -> None:
        """Report a change, without content, to our observers and to Jupyter's event bus."""
        self.notifications.tell(action, ids)
        logger = getattr(self.serverapp, "event_logger", None)
        if logger is not None:
            logger.emit(schema_id=EVENT_SCHEMA_ID, data={"action": action, "ids": ids})
