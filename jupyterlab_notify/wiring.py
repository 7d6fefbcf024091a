"""Makes the sources from the configuration, once the first of them is needed.

To add a source, write a function that makes it and list it in ``make_sources``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_core.paths import jupyter_path
from jupyter_server.utils import url_path_join

from .handlers import NAMESPACE
from .sources.welcome_files import WelcomeFiles, WelcomeFilesSource

if TYPE_CHECKING:
    from .app import NotifyApp
    from .sources.source import Source, SourceContext


def make_sources(app: NotifyApp, context: SourceContext) -> list[Source]:
    """Return the sources that a server has, in the order in which they start."""
    sources = [_make_welcome_files(app, context)]
    if app.central_url:
        sources.append(_make_central(app, context))
    if app.watch_home:
        sources.append(_make_home(context))
    return sources


def _make_welcome_files(app: NotifyApp, context: SourceContext) -> Source:
    base_url = app.serverapp.base_url if app.serverapp is not None else "/"
    return WelcomeFilesSource(
        context,
        lambda: WelcomeFiles(
            jupyter_path(),
            aspect=app.central_aspect,
            image_url=url_path_join(base_url, NAMESPACE, "welcome", "image/"),
            log=app.log,
        ),
    )


def _make_central(app: NotifyApp, context: SourceContext) -> Source:
    from ._version import __version__
    from .sources.central import CentralSettings, make_poller
    from .sources.central.paths import default_name

    settings = CentralSettings(
        url=app.central_url,
        name=app.central_name or default_name(app.central_url),
        aspect=app.central_aspect,
        interval_s=app.central_interval,
        timeout_s=app.central_timeout,
        ca_bundle=app.central_ca_bundle,
        token_file=app.central_token_file,
        token_variable=app.central_token_variable,
    )
    return make_poller(settings, context, version=__version__, last_logged=app.last_logged)


def _make_home(context: SourceContext) -> Source:
    from .sources.home import HomeSource

    return HomeSource(context, Path.home())
