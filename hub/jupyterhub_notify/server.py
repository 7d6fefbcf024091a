"""uvicorn with one change: at its stop it ends long requests first, for which it would wait."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn

from .config import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["Server", "server_of"]


#: Time in seconds that an idle connection is kept, the same as Tornado's at the Hub. The hub's
#: proxy keeps its connections for ever. If the service closes one just as the proxy sends a request
#: into it, the proxy answers 503; uvicorn's default of five seconds makes that likely for a user
#: who clicks every five seconds.
KEEP_ALIVE_S = 3600


class Server(uvicorn.Server):
    """A server that ends the streams when it is told to stop.

    Parameters
    ----------
    config
        The configuration of uvicorn.
    begin_stop
        Ends the application's streams and long requests.
    """

    def __init__(self, config: uvicorn.Config, begin_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._begin_stop = begin_stop

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End long requests, then everything else."""
        self._begin_stop()
        await super().shutdown(sockets)


def server_of(app: ASGIApp, settings: Settings, begin_stop: Callable[[], None]) -> Server:
    """Return the server of an application.

    Parameters
    ----------
    app
        The application.
    settings
        The settings of the site, with the address to listen on.
    begin_stop
        Ends the application's streams and long requests.

    Returns
    -------
    Server
        The server; it is not running yet.
    """
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "log_config": None,
        # An access log would show query strings, and the metrics count requests already.
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": 10,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "proxy_headers": False,
        "lifespan": "on",
    }
    options.update(_internal_ssl())
    return Server(uvicorn.Config(app, **options), begin_stop)


def _internal_ssl() -> dict[str, Any]:
    """Return the certificates of a hub with `internal_ssl`, if the service's URL is https."""
    if not os.environ.get("JUPYTERHUB_SERVICE_URL", "").startswith("https:"):
        return {}
    key = os.environ.get("JUPYTERHUB_SSL_KEYFILE")
    certificate = os.environ.get("JUPYTERHUB_SSL_CERTFILE")
    if not key or not certificate:
        return {}
    return {
        "ssl_keyfile": key,
        "ssl_certfile": certificate,
        # The client is the hub's proxy, which has to show a certificate too.
        "ssl_ca_certs": os.environ.get("JUPYTERHUB_SSL_CLIENT_CA") or None,
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
    }
