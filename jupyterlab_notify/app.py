"""The Jupyter Server extension: configuration, wiring, start and stop."""

from __future__ import annotations

import asyncio
import importlib.metadata
import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_data_dir, jupyter_path
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Float, Int, TraitType, Unicode, default, validate
from traitlets.config import Config
from traitlets.traitlets import TraitError

from .extensions import Notifications
from .handlers import NAMESPACE, routes
from .handlers.activity import INTERVAL_SETTING
from .manager import NotificationManager
from .rate_limit import RateLimit
from .sources.location import NUBLADO, nublado_url, spawners_url
from .storage import Retention, Storage, central_tag
from .timings import Timings
from .worker import MAX_WAITING

if TYPE_CHECKING:
    from .sources import Source, SourceContext, SourceFactory

#: An extension of another project that owns the same import name.
NAMESAKE = "jupyterlab-notify"

#: How long after the server's start its store opens by itself, in seconds.
OPEN_AFTER_S = 1.0

EVENT_SCHEMA_ID = "https://events.jupyter.org/jupyterlab_notify/notification/v1"
EVENT_SCHEMA = Path(__file__).parent / "event.yaml"


class NotifyApp(ExtensionApp):
    """Receives notifications for the user who works on this server."""

    name = "jupyterlab_notify"
    app_name = "jupyterlab_notify"
    description = "Notifications in JupyterLab: toasts and a center that forget nothing."
    load_other_extensions = True
    extension_url = "/lab"
    #: How long to wait for what; no setting, since nobody should have to change it.
    timings = Timings()
    #: How many operations may wait for storage.
    max_waiting = MAX_WAITING

    database = Unicode(
        help="""The SQLite file that keeps the notifications.

        It is made if it is missing, readable by its owner only. Two servers of one home
        directory may share it. By default `notify/notifications.sqlite` in Jupyter's data
        directory; an empty string keeps notifications in memory only.
        """
    ).tag(config=True)

    retention_days = Float(
        90,
        min=0,
        help="Notifications older than so many days are deleted; 0 keeps them however old.",
    ).tag(config=True)

    retention_count = Int(
        10_000,
        min=0,
        max=2**53 - 1,
        help="Of more notifications than this those worth least are deleted; 0 keeps all.",
    ).tag(config=True)

    retention_bytes = Int(
        64_000_000,
        min=0,
        max=2**53 - 1,
        help="""Of notifications that take more bytes than this some are deleted; 0 keeps all.

        As where there are too many, each sender keeps its share, and longest what is unread or
        must be in sight.
        """,
    ).tag(config=True)

    ingest_rate = Float(
        50,
        min=0,
        help="""How many messages a second one token may send, whatever source it names.

        It is counted over ten seconds, so that a burst of ten times as many is let through. A
        sender of more is told with 429 when to go on. 0: any number.
        """,
    ).tag(config=True)

    central_url = Unicode(
        help="""The central service (such as Semaphore) to ask for broadcasts, for the user's
        messages and for welcome messages, for example `https://data.example.com/semaphore`.

        It is asked with the user's token, while a tab is open. This is all that a site has to
        set; without it no other service is ever asked. By default what a hub's spawner sets as
        `$JUPYTERLAB_NOTIFY_CENTRAL_URL`; `nublado` takes Semaphore's address from
        `/etc/nublado/discovery/v1.json`. Proxies are taken from the environment (`HTTPS_PROXY`,
        `NO_PROXY`).
        """
    ).tag(config=True)

    central_name = Unicode(
        help="""What the central service is called, as the source of its messages.

        By default the host of its URL.
        """
    ).tag(config=True)

    central_token_file = Unicode(
        help="""The file that holds the user's token for the central service.

        It is read before each request, so that a token may be renewed at any time. Where it is
        not set or holds none: `central_token_variable`, `secrets/token` in
        `$NUBLADO_RUNTIME_MOUNTS_DIR`, `/etc/nublado/secrets/token`, and for the service that
        `$JUPYTERLAB_NOTIFY_CENTRAL_URL` names `$JUPYTERHUB_API_TOKEN`.
        """
    ).tag(config=True)

    central_token_variable = Unicode(
        help="""The environment variable that holds the user's token for the central service.

        `JUPYTERHUB_API_TOKEN` here sends the server's own token at the hub to whatever
        `central_url` names.
        """
    ).tag(config=True)

    central_interval = Float(
        60,
        min=0.1,
        help="""How often, in seconds, the central service is asked while a tab is open.

        Each time is up to a fifth shorter or longer, so that not all servers ask at once. When
        the service fails it is asked ever less often, down to once in ten minutes.
        """,
    ).tag(config=True)

    keep_running_interval = Float(
        0,
        min=0,
        help="""How many seconds must lie between two uses of *Keep it running*.

        A warning that an idle server is about to be stopped has that button, which counts as the
        user's activity. 0: it may be used at any time.
        """,
    ).tag(config=True)

    central_timeout = Float(
        10,
        min=0.1,
        help="How long, in seconds, one request to the central service may take.",
    ).tag(config=True)

    central_ca_bundle = Unicode(
        help="""A file with the certificates (PEM) that the central service's is checked against.

        By default those that Python trusts, or the ones that `SSL_CERT_FILE` names.
        """
    ).tag(config=True)

    central_aspect = Unicode(
        "jupyterlab",
        help="""The part of the platform that this server is, as welcome messages name it.

        Only welcome messages of this aspect are shown, from the central service and from files.
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
        # It knows no home directory of a user who is not there.
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
            # Not said with its value: it may hold a password.
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
        """Take what is configured; a wrong value is said and left out.

        Jupyter Server would log a traceback, and leave out right ones too.
        """
        for name, value in self._find_my_config(cfg).items():
            if self.has_trait(name):
                # Traitlets goes back to what it knows of, which is not yet a computed default.
                getattr(self, name)
            try:
                super()._load_config(
                    Config({type(self).__name__: {name: value}}), section_names, traits
                )
            except TraitError as error:
                self.log.error("A value of the configuration is wrong and is left out: %s", error)

    def _find_central(self) -> None:
        """Settle where the central service is; what is wrong is logged and left out."""
        if self.central_url == NUBLADO:
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
        """Make storage and what stands on it; nothing is opened yet."""
        self._find_central()
        self.settings[INTERVAL_SETTING] = self.keep_running_interval
        storage = Storage(
            Path(self.database) if self.database else None,
            retention=Retention(self.retention_days, self.retention_count, self.retention_bytes),
            central=central_tag(self.central_url) if self.central_url else "",
            log=self.log,
            timings=self.timings.storage,
        )
        sources: list[SourceFactory] = [self._make_welcome_files]
        if self.central_url:
            sources.append(self._make_central)
        self.manager = NotificationManager(
            storage,
            log=self.log,
            emit_event=self._emit_event,
            sources=sources,
            timings=self.timings,
            max_waiting=self.max_waiting,
        )
        self._opening: asyncio.TimerHandle | None = None
        self._greeting: asyncio.TimerHandle | None = None
        self._checking: asyncio.Future[None] | None = None
        #: What was logged of the central service at the start.
        self._last_logged: str | None = None
        #: What other server extensions use.
        self.notifications = Notifications(self.manager, self.log)
        logger = getattr(self.serverapp, "event_logger", None)
        # Not at the first event: a listener to all events hears those of schemas that were there.
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

    # To add a source: a method that makes it, and its place in ``initialize_settings``.

    def _make_central(self, context: SourceContext) -> Source:
        from ._version import __version__
        from .sources.central import CentralSettings, make_poller

        settings = CentralSettings(
            url=self.central_url,
            name=self.central_name or (urlsplit(self.central_url).hostname or "")[:80],
            aspect=self.central_aspect,
            interval_s=self.central_interval,
            timeout_s=self.central_timeout,
            ca_bundle=self.central_ca_bundle,
            token_file=self.central_token_file,
            token_variable=self.central_token_variable,
        )
        return make_poller(settings, context, version=__version__, last_logged=self._last_logged)

    def _make_welcome_files(self, context: SourceContext) -> Source:
        from .sources.welcome_files import WelcomeFiles, WelcomeFilesSource

        base_url = self.serverapp.base_url if self.serverapp is not None else "/"
        return WelcomeFilesSource(
            context,
            lambda: WelcomeFiles(
                jupyter_path(),
                aspect=self.central_aspect,
                image_url=url_path_join(base_url, NAMESPACE, "welcome", "image/"),
                log=self.log,
            ),
        )

    def initialize_handlers(self) -> None:
        """Offer the routes."""
        self.handlers.extend(routes(self.manager, RateLimit(self.ingest_rate)))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the store, in its own thread, soon after the server's start.

        What asks for it earlier opens it; where nobody does, its work, and a disk that is slow,
        do not go into the time until the server answers.
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
        """Say at the start that the CA bundle cannot be used: until a tab opens nobody else would.

        In a thread: its file system may hang.
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

        self._last_logged = await in_thread(problem)
        if self._last_logged is not None:
            self.log.warning("%s It is tried again by itself.", self._last_logged)

    async def stop_extension(self) -> None:
        """Commit what waits and close the store."""
        for timer in (self._opening, self._greeting):
            if timer is not None:
                timer.cancel()
        if self._checking is not None:
            self._checking.cancel()
        await self.manager.stop()

    def _emit_event(self, action: str, ids: list[str]) -> None:
        """Tell other extensions what happened, without content: ours, and Jupyter's event bus."""
        self.notifications.tell(action, ids)
        logger = getattr(self.serverapp, "event_logger", None)
        if logger is not None:
            logger.emit(schema_id=EVENT_SCHEMA_ID, data={"action": action, "ids": ids})
