"""Where the central service is: as configured, as the hub's spawner says, as Nublado says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

#: What a hub's spawner sets, so that an image is the same in every environment.
VARIABLE = "JUPYTERLAB_NOTIFY_CENTRAL_URL"

#: As ``central_url``: Semaphore, where the Rubin Science Platform's discovery file has it.
NUBLADO = "nublado"

#: The largest discovery file that is read.
_LARGEST = 1024 * 1024


def spawners_url() -> str:
    """Return what the spawner's environment names, or an empty string."""
    return os.environ.get(VARIABLE, "").strip()


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
    """Return whether the server's own token at the Hub may go to a URL.

    It belongs to the Hub's API and to the service that the spawner's environment names: nothing
    else has to know who the user is at the hub.
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
