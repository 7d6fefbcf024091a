"""The server to send to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """A server to send to.

    Parameters
    ----------
    url
        Its base URL, with a slash at the end.
    token
        Its token; None if the server needs none.
    unix_socket
        The path of the socket that it listens on instead of a port.
    local
        Whether it was found running on this machine. Its certificate is then not verified.
    root_dir
        The directory that paths in JupyterLab are relative to, if it is known.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    unix_socket: str | None = None
    local: bool = False
    root_dir: str | None = None
