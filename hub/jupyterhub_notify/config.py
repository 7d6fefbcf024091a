"""The service's settings: environment variables, which the command line may override.

Each is read from ``JUPYTERHUB_NOTIFY_<NAME>``. The settings of identity are in ``identity/``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]


class Settings(BaseSettings):
    """The settings of a site."""

    model_config = SettingsConfigDict(
        env_prefix="JUPYTERHUB_NOTIFY_", env_ignore_empty=True, extra="ignore"
    )

    database: Annotated[
        str,
        Field(
            title="Database",
            description="URL of SQLAlchemy: sqlite+aiosqlite:///FILE or postgresql+asyncpg://…",
        ),
    ] = "sqlite+aiosqlite:///jupyterhub-notify.sqlite"
    host: Annotated[str, Field(title="Host", description="The address to listen at")] = "127.0.0.1"
    port: Annotated[int, Field(title="Port", description="The port to listen at", ge=0)] = 8765
    prefix: Annotated[
        str,
        Field(
            title="Prefix",
            description="The path below which the service is reached; a hub says it to a service"
            " that it starts",
            default_factory=lambda: os.environ.get("JUPYTERHUB_SERVICE_PREFIX", ""),
        ),
    ]
    public_url: Annotated[
        str | None,
        Field(
            title="Public URL",
            description="The address that links begin with; else what the request says",
        ),
    ] = None
    proxy_url: Annotated[
        str | None,
        Field(
            title="The hub's proxy",
            description="Address of users' servers, as the service reaches the hub's proxy",
        ),
    ] = None
    templates: Annotated[
        Path | None,
        Field(title="Templates", description="Directory of templates of structured notifications"),
    ] = None
    broadcasts: Annotated[
        Path | None,
        Field(title="Broadcasts", description="Directory of broadcasts as Markdown files"),
    ] = None
    alerts_labels: Annotated[
        list[str],
        Field(title="Alerts' labels", description="Labels of alerts that are a user's name"),
    ] = ["username"]
    alerts_template: Annotated[
        str | None,
        Field(title="Alerts' template", description="Makes their messages, not annotations"),
    ] = None
    alerts_expire_s: Annotated[
        int,
        Field(
            title="Alerts' life",
            description="Seconds after which an alert that the engine does not repeat is over;"
            " more than its repeat_interval",
            ge=1,
        ),
    ] = 5 * 3600
    page_templates: Annotated[
        list[Path],
        Field(
            title="Page templates",
            description="Directories with templates of the site's own for the page, as JSON; as "
            "the hub's template_paths",
        ),
    ] = []
    message_hint: Annotated[
        int,
        Field(
            title="Message's length",
            description="Characters that the composer counts a message against; a hint",
            ge=1,
        ),
    ] = 140
    maintenance_leads_min: Annotated[
        list[int],
        Field(
            title="Maintenance's notices",
            description="Minutes before a maintenance at which it is announced, as JSON",
        ),
    ] = [7 * 24 * 60, 24 * 60, 60, 10]
    undo_s: Annotated[
        int,
        Field(
            title="Undo",
            description="Seconds for which the page holds a broadcast, so that it can be undone",
            ge=0,
            le=60,
        ),
    ] = 10
    channels: Annotated[
        Path | None,
        Field(
            title="Channels",
            description="File of other channels for important messages: channels.yaml",
        ),
    ] = None
    rules: Annotated[
        Path | None,
        Field(title="Rules", description="File of rules that the service runs: rules.yaml"),
    ] = None
    environment: Annotated[
        str | None,
        Field(
            title="Environment",
            description="Its own name among those that files of broadcasts are for",
        ),
    ] = None
    receipts: Annotated[
        Literal["off", "counts", "full"],
        Field(
            title="Receipts",
            description="Outcomes of messages that are kept: none, numbers, or those of each user",
        ),
    ] = "full"
    receipts_days: Annotated[
        int, Field(title="Receipts kept", description="Days after which receipts go", ge=1)
    ] = 90
    retention_days: Annotated[
        int,
        Field(
            title="Retention",
            description="Days after which what was revoked or has expired is deleted",
            ge=1,
        ),
    ] = 30
    keep_days: Annotated[
        int,
        Field(
            title="Kept at most",
            description="Days after which a notification without an expiry expires; 0 never",
            ge=0,
        ),
    ] = 365
    audit_days: Annotated[
        int, Field(title="Audit log kept", description="Days after which its entries go", ge=1)
    ] = 365
    publish_rate: Annotated[
        int,
        Field(
            title="Publishing rate",
            description="Notifications a minute that one publisher may send; 0 for no limit",
            ge=0,
        ),
    ] = 6000
    look_s: Annotated[
        float,
        Field(
            title="Look",
            description="Seconds after which a replica looks for changes without a wake-up",
            gt=0,
        ),
    ] = 2.0
    keep_alive_s: Annotated[
        float,
        Field(title="Keep-alive", description="Seconds between comments in a stream", gt=0),
    ] = 25.0
    stream_s: Annotated[
        float,
        Field(
            title="Stream's life",
            description="Seconds after which a stream ends, so that its caller is asked for anew",
            gt=0,
        ),
    ] = 3600.0
    recheck_s: Annotated[
        float,
        Field(
            title="Re-check",
            description="Seconds after which it is asked whether an open stream's caller still is "
            "who they were; the Hub itself is asked at most every five minutes",
            gt=0,
        ),
    ] = 60.0
    anonymous_streams: Annotated[
        int,
        Field(
            title="Anonymous streams",
            description="Event streams without credentials that a replica has open at most",
            ge=0,
        ),
    ] = 1000
    push: Annotated[
        bool,
        Field(
            title="Push",
            description="True to push broadcasts to running servers that do not ask for them",
        ),
    ] = True
    push_bot: Annotated[
        str,
        Field(
            title="Bot",
            description="The hub's user who owns the tokens that open the servers pushed to",
        ),
    ] = "notify-bot"
    push_at_once: Annotated[
        int, Field(title="Pushes at once", description="Most pushes at a time", ge=1, le=1000)
    ] = 20
    push_timeout_s: Annotated[
        float,
        Field(
            title="Push timeout",
            description="Seconds that a server has to answer, from the moment of the push",
            gt=0,
            le=60,
        ),
    ] = 5.0
    push_direct: Annotated[
        bool,
        Field(
            title="Push directly",
            description="Past the hub's proxy, so that a push is no activity of the user's; the "
            "service needs the scope proxy",
        ),
    ] = False
    push_grace_s: Annotated[
        float,
        Field(
            title="Grace",
            description="Seconds after its start in which a server's lab may say that it asks",
            ge=0,
        ),
    ] = 45.0
    push_look_s: Annotated[
        float,
        Field(
            title="Look for servers",
            description="Seconds after which servers that started meanwhile are looked for",
            gt=0,
        ),
    ] = 60.0
    push_lease_s: Annotated[
        float,
        Field(
            title="Lease",
            description="Seconds after which another replica takes over what one has claimed",
            gt=0,
        ),
    ] = 45.0
    push_source: Annotated[
        str,
        Field(
            title="Source",
            description="Sender of broadcasts, for labs that do not know the service",
            min_length=1,
            max_length=80,
        ),
    ] = "JupyterHub"
    metrics_open: Annotated[
        bool, Field(title="Open metrics", description="True if /metrics needs no credentials")
    ] = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Field(title="Log level", description="The lowest level that is logged"),
    ] = "info"
    log_format: Annotated[
        Literal["json", "console"], Field(title="Log format", description="One line of JSON each")
    ] = "console"

    @property
    def is_sqlite(self) -> bool:
        """Return whether the database is a file of SQLite."""
        return self.database.startswith("sqlite")
