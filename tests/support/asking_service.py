"""Ask a central service once, as the lab does."""

from __future__ import annotations

from typing import Any

from jupyterlab_notify.sources.central import CentralClient, Transport
from jupyterlab_notify.sources.central.failure import Failure


async def failure_at(url: str, **options: Any) -> str | None:
    """Ask for the broadcasts; return what went wrong.

    Parameters
    ----------
    url
        The service's URL.
    **options
        Options of ``Transport``.
    """
    client = CentralClient(Transport(url, timeout_s=10, **options))
    try:
        await client.broadcasts()
    except Failure as failure:
        return str(failure)
    finally:
        await client.close()
    return None
