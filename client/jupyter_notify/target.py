"""The server that is sent to."""

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
        What it lets us in for; None where it asks for nothing.
    unix_socket
        The socket that it listens on instead of a port.
    local
        Whether it was found running on this machine: its certificate then need not name it.
    root_dir
        The directory that paths in JupyterLab are relative to, if it is known.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    unix_socket: str | None = None
    local: bool = False
    root_dir: str | None = None
