"""A central service (such as Semaphore) as a source: it is polled while a tab is open."""

from __future__ import annotations

from ..source import SourceContext
from .client import CentralClient
from .poller import CentralPoller
from .session import CentralSettings
from .token import token_reader
from .transport import Transport

__all__ = ["CentralClient", "CentralPoller", "CentralSettings", "Transport", "make_poller"]


def make_poller(
    settings: CentralSettings,
    context: SourceContext,
    *,
    version: str,
    last_logged: str | None = None,
) -> CentralPoller:
    """Return the poller of a central service.

    Parameters
    ----------
    settings
        The service and how to reach it.
    context
        The parts that the source works with.
    version
        This package's version, for the service's logs.
    last_logged
        The problem with the service that was logged at the start, if any.
    """
    transport = Transport(
        settings.url,
        token=token_reader(settings.token_file, settings.token_variable, settings.url),
        timeout_s=settings.timeout_s,
        ca_bundle=settings.ca_bundle,
        agent=f"jupyterlab_notify/{version}",
    )
    return CentralPoller(
        settings,
        context,
        client=CentralClient(transport),
        version=version,
        last_logged=last_logged,
    )
