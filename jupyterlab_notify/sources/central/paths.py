"""What a URL's path means to any server, and so which URLs are the hub's own."""

from __future__ import annotations

import os
import re
import unicodedata
from urllib.parse import SplitResult, unquote, urlsplit

from ..location import spawners_url

#: Layers of percent-encoding that are decoded. A path with more layers is refused: each takes as
#: long as the path, so that a hostile service could keep the event loop busy.
MAX_DECODED = 3


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


def takes_hub_token(url: str) -> bool:
    """Return whether the server's own hub token may be sent to a URL.

    The token is meant for the hub's API and for the service that the spawner's environment names.
    No other service needs to identify the user at the hub.
    """
    named = (os.environ.get("JUPYTERHUB_API_URL", ""), spawners_url())
    return any(base and _is_below(url, base) for base in named)


def default_name(url: str) -> str:
    """Return the name of the service at a URL, as users read it: the hub, or the URL's host."""
    if _is_below(url, spawners_url()):
        # The URL's host is often an internal address, which means nothing to users.
        return "JupyterHub"
    return (urlsplit(url).hostname or "")[:80]


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
