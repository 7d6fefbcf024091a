"""The address of the central service: configured, set by the hub's spawner, or Nublado's."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

#: The variable that a hub's spawner sets, so that one image fits every environment.
VARIABLE = "JUPYTERLAB_NOTIFY_CENTRAL_URL"

#: The ``central_url`` that means Semaphore, at the address in Nublado's discovery file.
NUBLADO = "nublado"

#: The largest discovery file that is read.
_LARGEST = 1024 * 1024


def spawners_url() -> str:
    """Return the URL from the spawner's environment, or an empty string."""
    return os.environ.get(VARIABLE, "").strip()


def default_name(url: str) -> str:
    """Return the name of the service at a URL, as users read it: the hub, or the URL's host."""
    if _is_below(url, spawners_url()):
        # Its host is often an address of the machine, which says nothing to anybody.
        return "JupyterHub"
    return (urlsplit(url).hostname or "")[:80]


def nublado_url() -> str | None:
    """Return Semaphore's address from Nublado's discovery file, or None if it has none."""
    mounts = os.environ.get("NUBLADO_RUNTIME_MOUNTS_DIR")
    places = [Path(mounts)] if mounts else []
    for place in [*places, Path("/etc/nublado")]:
        try:
            with (place / "discovery" / "v1.json").open("rb") as file:
                found = json.loads(file.read(_LARGEST))
        except (OSError, ValueError, RecursionError):
            continue
        url = _semaphore(found)
        if url:
            return url
    return None


def _semaphore(found: Any) -> str | None:
    services = found.get("services") if isinstance(found, dict) else None
    for kind in ("internal", "data", "ui"):
        group = services.get(kind) if isinstance(services, dict) else None
        service = group.get("semaphore") if isinstance(group, dict) else None
        if not isinstance(service, dict):
            continue
        # A data service has one address for each data set; Semaphore's are the same.
        for entry in [service, *service.values()]:
            url = entry.get("url") if isinstance(entry, dict) else None
            if isinstance(url, str) and url:
                return url
    return None


def takes_hub_token(url: str) -> bool:
    """Return whether the server's own hub token may be sent to a URL.

    It is meant for the hub's API and for the service that the spawner's environment names; no
    other service needs to identify the user at the hub.
    """
    named = (os.environ.get("JUPYTERHUB_API_URL", ""), spawners_url())
    return any(base and _is_below(url, base) for base in named)


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _is_below(url: str, base: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(base)
        same = _origin(one) == _origin(other)
    except ValueError:
        return False
    prefix = other.path.rstrip("/") + "/"
    return bool(same and other.hostname and f"{one.path.rstrip('/')}/".startswith(prefix))
