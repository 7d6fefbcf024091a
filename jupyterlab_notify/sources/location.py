"""The address of the central service: configured, set by the hub's spawner, or Nublado's."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

#: The variable that a hub's spawner sets, so that one image fits every environment.
VARIABLE = "JUPYTERLAB_NOTIFY_CENTRAL_URL"

#: The ``central_url`` that means Semaphore, at the address in Nublado's discovery file.
NUBLADO = "nublado"

#: The largest discovery file that is read.
_LARGEST = 1024 * 1024

#: Layers of percent-encoding that are decoded. A path with more layers is refused: each takes as
#: long as the path, so that a hostile service could keep the event loop busy.
MAX_DECODED = 3


def spawners_url() -> str:
    """Return the URL from the spawner's environment, or an empty string."""
    return os.environ.get(VARIABLE, "").strip()


def default_name(url: str) -> str:
    """Return the name of the service at a URL, as users read it: the hub, or the URL's host."""
    if _is_below(url, spawners_url()):
        # The URL's host is often an internal address, which means nothing to users.
        return "JupyterHub"
    return (urlsplit(url).hostname or "")[:80]


def nublado_url() -> str | None:
    """Return Semaphore's address from Nublado's discovery file, or None if it has none."""
    mounts = os.environ.get("NUBLADO_RUNTIME_MOUNTS_DIR")
    places = [Path(mounts)] if mounts else []
    for place in [*places, Path("/etc/nublado")]:
        try:
            found = json.loads(read_start(place / "discovery" / "v1.json", _LARGEST))
        except (OSError, ValueError, RecursionError):
            continue
        url = _semaphore(found)
        if url:
            return url
    return None


def read_start(path: Path, most: int) -> bytes:
    """Return the first bytes of a file, without waiting for a pipe that nobody writes to.

    Parameters
    ----------
    path
        The file.
    most
        The maximum number of bytes, since a device has no end.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    fd = os.open(path, flags)
    with os.fdopen(fd, "rb") as file:
        return file.read(most) or b""


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

    The token is meant for the hub's API and for the service that the spawner's environment names.
    No other service needs to identify the user at the hub.
    """
    named = (os.environ.get("JUPYTERHUB_API_URL", ""), spawners_url())
    return any(base and _is_below(url, base) for base in named)


def decode_path(path: str) -> str | None:
    """Return a path, or a segment of one, as the most lenient server would understand it.

    None if it may mean anything: it is encoded over and over, or holds control characters or what
    is no UTF-8, such as the longer encodings of a dot. Wide letters become usual ones.
    """
    for _ in range(MAX_DECODED):
        path = unquote(path)
    path = unicodedata.normalize("NFKC", path)
    if "%" in path or "\ufffd" in path or not path.isprintable():
        return None
    return path


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    port = {"http": 80, "https": 443}.get(url.scheme) if url.port is None else url.port
    return url.scheme, url.hostname, port


def _is_below(url: str, base: str) -> bool:
    try:
        one, other = urlsplit(url), urlsplit(base)
        same = _origin(one) == _origin(other)
    except ValueError:
        return False
    # A path with dot segments leads elsewhere, perhaps to another user's server. The dots may be
    # hidden: a proxy may decode twice, or cut off what follows a semicolon.
    path = decode_path(one.path)
    if path is None:
        return False
    parts = {part.partition(";")[0].strip() for part in re.split(r"[/\\]", path)}
    if parts & {"..", "."}:
        return False
    prefix = other.path.rstrip("/") + "/"
    return bool(same and other.hostname and f"{one.path.rstrip('/')}/".startswith(prefix))
