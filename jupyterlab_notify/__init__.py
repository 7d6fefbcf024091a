"""Receive notifications into JupyterLab: the server extension and its browser side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .send.api import notify as notify
    from .send.logs import NotifyHandler as NotifyHandler

__all__ = ["NotifyHandler", "__version__", "notify"]

#: What senders import from here. A server imports this package too, and needs none of it.
_SENDING = {"notify": "api", "NotifyHandler": "logs"}


def __getattr__(name: str) -> Any:
    """Import what a sender asks for."""
    if name not in _SENDING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f".send.{_SENDING[name]}", __name__), name)


def load_ipython_extension(shell: Any) -> None:
    """Offer ``%notify`` and ``%%notify``: ``%load_ext jupyterlab_notify``."""
    from .send.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Take them back: ``%unload_ext jupyterlab_notify``."""
    from .send.magics import unload

    unload(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the prebuilt browser side lies."""
    return [{"src": "labextension", "dest": "jupyterlab_notify"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load."""
    from .app import NotifyApp

    return [{"module": "jupyterlab_notify", "app": NotifyApp}]
