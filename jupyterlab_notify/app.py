"""The Jupyter Server extension: configuration, wiring, start and stop."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import jupyter_data_dir, jupyter_path
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.utils import url_path_join
from traitlets import Float, Int, Unicode, default, validate
from traitlets.traitlets import TraitError

from .extensions import Notifications
from .handlers import NAMESPACE, routes
from .inbox import Inbox
from .store import Retention

if TYPE_CHECKING:
    from .sources.files import WelcomeFiles

#: An extension of another project that owns the same import name.
NAMESAKE = "jupyterlab-notify"

EVENT_SCHEMA_ID = "https://events.jupyter.org/jupyterlab_notify/notification/v1"
EVENT_SCHEMA = Path(__file__).parent / "event.yaml"


class NotifyApp(ExtensionApp):
    """Receives notifications for the person who works on this server."""

    name = "jupyterlab_notify"
    app_name = "jupyterlab_notify"
    description = "Notifications in JupyterLab: toasts and a center that forget nothing."
    load_other_extensions = True
    extension_url = "/lab"
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
        help="Of more notifications than this the oldest are deleted; 0 keeps all.",
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
        path = Path(value).expanduser()
        if not path.is_absolute():
            raise TraitError(
                f"NotifyApp.database must be an absolute path (or begin with ~), not {value!r}."
            )
        return str(path)

    def initialize_settings(self) -> None:
        """Make the inbox; nothing is opened yet."""
        self.inbox = Inbox(
            Path(self.database) if self.database else None,
            retention=Retention(self.retention_days, self.retention_count),
            log=self.log,
            notice=self._emit,
            files=self._welcome_files,
        )
        #: What other server extensions use.
        self.notifications = Notifications(self.inbox, self.log)
        try:
            importlib.metadata.distribution(NAMESAKE)
        except importlib.metadata.PackageNotFoundError:
            pass
        else:
            self.log.warning(
                "The package %s is installed too. It owns the same import name as "
                "jupyterlab-notify-center, so files of one have replaced files of the other: "
                "uninstall both, then install the one that you want.",
                NAMESAKE,
            )

    def _welcome_files(self) -> WelcomeFiles:
        from .sources.files import WelcomeFiles

        base_url = self.serverapp.base_url if self.serverapp is not None else "/"
        return WelcomeFiles(
            jupyter_path(),
            aspect=self.central_aspect,
            image_url=url_path_join(base_url, NAMESPACE, "welcome", "image/"),
            log=self.log,
        )

    def initialize_handlers(self) -> None:
        """Offer the routes."""
        self.handlers.extend(routes(self.inbox))

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        """Open the store, in its own thread, once the server runs."""
        del serverapp
        self.inbox.start()

    async def stop_extension(self) -> None:
        """Commit what waits and close the store."""
        await self.inbox.stop()

    def _emit(self, action: str, ids: list[str]) -> None:
        """Tell other extensions what happened, without content: ours, and Jupyter's event bus."""
        self.notifications.tell(action, ids)
        logger = getattr(self.serverapp, "event_logger", None)
        if logger is None:
            return
        # Registered at the first event: reading a schema takes time that a start has not.
        if EVENT_SCHEMA_ID not in logger.schemas:
            logger.register_event_schema(EVENT_SCHEMA)
        logger.emit(schema_id=EVENT_SCHEMA_ID, data={"action": action, "ids": ids})
