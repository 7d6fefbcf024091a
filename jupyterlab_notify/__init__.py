"""Receive notifications into JupyterLab: the server extension and its browser side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from jupyter_notify import NotifyHandler as NotifyHandler
    from jupyter_notify import notify as notify

__all__ = ["NotifyHandler", "__version__", "notify"]

#: Names of the client that programs may also import from here. They are imported on first use,
#: since a server imports this package without needing the client.
_CLIENT_NAMES = ("NotifyHandler", "notify")


def __getattr__(name: str) -> Any:
    """Import a name of the client on first use."""
    if name not in _CLIENT_NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import jupyter_notify

    return getattr(jupyter_notify, name)


def load_ipython_extension(shell: Any) -> None:
    """Register ``%notify`` and ``%%notify`` on ``%load_ext jupyterlab_notify``."""
    from jupyter_notify.magics import load

    load(shell, __name__)


def unload_ipython_extension(shell: Any) -> None:
    """Unregister the magics on ``%unload_ext jupyterlab_notify``."""
    from jupyter_notify.magics import unload

    unload(shell, __name__)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Return where JupyterLab finds the prebuilt browser side."""
    return [{"src": "labextension", "dest": "jupyterlab_notify"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Return the application that Jupyter Server loads."""
    from .app import NotifyApp

    return [{"module": "jupyterlab_notify", "app": NotifyApp}]
