"""The application: routes, middleware, start and stop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from . import __version__, factory
from .config import Settings
from .handlers import (
    admin,
    alerts,
    channels,
    doctor,
    events,
    me,
    messages,
    quiet,
    reading,
    receipts,
    root,
    services,
)
from .handlers.errors import add_error_handlers
from .handlers.middleware import BodyLimit, Ending, Failures, Measure
from .handlers.pages import add_pages
from .handlers.unknown import add_unknown_page
from .identity.caller import IdentityProvider
from .identity.settings import hub_of
from .services.directory import HubDirectory

__all__ = ["create_app"]

DESCRIPTION = """
The central notification service of a JupyterHub. Its base is the REST API v1 of Semaphore, whose
clients need not notice the difference.

Every request carries `Authorization: Bearer <token>`; without one, broadcasts for everyone are
shown and nothing else. Errors are `{"detail": [{"msg", "type", "loc"?}]}`. Every list has an
`ETag`, `Link` and `X-Total-Count`. What has its default is left out of an answer.
"""


def create_app(settings: Settings, identity: IdentityProvider) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    settings
        The settings of the site.
    identity
        Identifies callers.

    Returns
    -------
    FastAPI
        The application; its parts are at ``app.state.parts``.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await identity.start()
            await app.state.parts.start()
            yield
        finally:
            await app.state.parts.stop()
            await identity.stop()

    app = FastAPI(
        title="jupyterhub-notify",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        root_path=settings.prefix.rstrip("/"),
        separate_input_output_schemas=True,
    )
    app.state.settings = settings
    app.state.version = __version__
    app.state.identity = identity
    hub = hub_of(identity)
    app.state.parts = factory.build(
        settings,
        directory=None if hub is None else HubDirectory(hub.api),
        hub_api=None if hub is None else hub.api,
    )
    for router in _routers():
        app.include_router(router)
    add_pages(app, settings, identity)
    for route in identity.routes():
        app.router.routes.append(route)
    add_error_handlers(app)
    add_unknown_page(app)
    app.add_middleware(BodyLimit)
    app.add_middleware(Failures)
    app.add_middleware(Ending, under_way=app.state.parts.under_way)
    app.add_middleware(Measure)
    return app


def _routers() -> list[APIRouter]:
    """Return the routers; the routes that every lab asks for all the time are matched first."""
    modules = (receipts, root, me, messages, quiet, reading, services)
    return [one.router for one in (*modules, events, admin, alerts, channels, doctor)]
