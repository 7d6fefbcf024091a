"""The user's token for the central service."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from ..nublado import read_start
from .paths import takes_hub_token

#: A token that a header can hold; anything else is ignored.
_TOKEN = re.compile(r"[\x21-\x7e]+")
#: Bytes of a token's file that are read.
_LARGEST = 64 * 1024


def token_reader(file: str, variable: str, url: str) -> Callable[[], str | None]:
    """Return a function that looks for the user's token at each call.

    Parameters
    ----------
    file, variable
        The configured file and environment variable, or empty.
    url
        The service's URL. The server's own token for the hub is sent only to the hub, and to the
        service that the hub's spawner names, unless ``variable`` names it.
    """

    def from_file(path: Path) -> str | None:
        try:
            return read_start(path, _LARGEST).decode().strip()
        except (OSError, ValueError):
            return None

    def read() -> str | None:
        mounts = os.environ.get("NUBLADO_RUNTIME_MOUNTS_DIR")
        places: tuple[Callable[[], str | None], ...] = (
            lambda: from_file(Path(file).expanduser()) if file else None,
            lambda: os.environ.get(variable) if variable else None,
            lambda: from_file(Path(mounts) / "secrets" / "token") if mounts else None,
            lambda: from_file(Path("/etc/nublado/secrets/token")),
            lambda: os.environ.get("JUPYTERHUB_API_TOKEN") if takes_hub_token(url) else None,
        )
        for find in places:
            token = find()
            if token and _TOKEN.fullmatch(token.strip()):
                return token.strip()
        return None

    return read
