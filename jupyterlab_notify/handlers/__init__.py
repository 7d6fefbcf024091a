"""Thin HTTP and WebSocket adapters of the manager, one file for each resource."""

from __future__ import annotations

from typing import Any

from ..manager import NotificationManager
from ..rate_limit import RateLimit
from .activity import ActivityHandler
from .channels import ChannelsHandler
from .ingest import IngestHandler, IngestItemHandler
from .notifications import NotificationHandler, NotificationsHandler, ReplyHandler
from .pictures import IngestPictureHandler, PictureHandler, Uploads
from .quiet import QuietHandler
from .status import StatusHandler
from .stream import StreamHandler
from .welcome import (
    WelcomeAcceptHandler,
    WelcomeDismissHandler,
    WelcomeHandler,
    WelcomeImageHandler,
    WelcomeResetHandler,
    WelcomeSeenHandler,
)

#: The namespace of our routes, and the older one that existing hubs push to.
NAMESPACE = "jupyterlab-notify"
ALIAS = "jupyterlab-notifications-extension"


def routes(
    manager: NotificationManager, rate_limit: RateLimit | None = None
) -> list[tuple[str, type, dict[str, Any]]]:
    """Return the URL patterns below the server's base URL, with their handlers.

    Parameters
    ----------
    manager
        The manager that the handlers call.
    rate_limit
        How much each caller may send; None for no limit.
    """
    arguments = {"manager": manager}
    ingest = {**arguments, "rate_limit": rate_limit or RateLimit(0)}
    return [
        # Match a trailing slash too: Jupyter Server would answer 403, as for a wrong token.
        (rf"/(?:{NAMESPACE}|{ALIAS})/ingest/?", IngestHandler, ingest),
        # In this URL, a slash in a key must be percent-encoded.
        (
            rf"/(?:{NAMESPACE}|{ALIAS})/ingest/(?P<name>[^/]+)/image",
            IngestPictureHandler,
            {**ingest, "uploads": Uploads()},
        ),
        (rf"/(?:{NAMESPACE}|{ALIAS})/ingest/(?P<name>.+)", IngestItemHandler, ingest),
        (rf"/{NAMESPACE}/notifications", NotificationsHandler, arguments),
        (rf"/{NAMESPACE}/notifications/(?P<id_>[^/]+)", NotificationHandler, arguments),
        (rf"/{NAMESPACE}/notifications/(?P<id_>[^/]+)/reply", ReplyHandler, arguments),
        (
            rf"/{NAMESPACE}/notifications/(?P<id_>[^/]+)/image/(?P<version>[^/]+)",
            PictureHandler,
            arguments,
        ),
        (rf"/{NAMESPACE}/stream", StreamHandler, arguments),
        (rf"/{NAMESPACE}/quiet", QuietHandler, arguments),
        (rf"/{NAMESPACE}/channels", ChannelsHandler, arguments),
        (rf"/{NAMESPACE}/status", StatusHandler, arguments),
        (rf"/{NAMESPACE}/activity", ActivityHandler, arguments),
        (rf"/{NAMESPACE}/welcome", WelcomeHandler, arguments),
        (rf"/{NAMESPACE}/welcome/seen", WelcomeSeenHandler, arguments),
        (rf"/{NAMESPACE}/welcome/dismiss", WelcomeDismissHandler, arguments),
        (rf"/{NAMESPACE}/welcome/accept", WelcomeAcceptHandler, arguments),
        (rf"/{NAMESPACE}/welcome/reset", WelcomeResetHandler, arguments),
        (rf"/{NAMESPACE}/welcome/image/(?P<name>.+)", WelcomeImageHandler, arguments),
    ]
