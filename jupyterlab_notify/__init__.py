"""Receive notifications into JupyterLab: the server extension and its browser side."""

from __future__ import annotations

from typing import Any

from ._version import __version__

__all__ = ["__version__"]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell JupyterLab where the prebuilt browser side lies."""
    return [{"src": "labextension", "dest": "jupyterlab_notify"}]


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tell Jupyter Server which application to load."""
    from .app import NotifyApp

    return [{"module": "jupyterlab_notify", "app": NotifyApp}]
