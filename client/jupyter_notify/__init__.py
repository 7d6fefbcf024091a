"""Send notifications to JupyterLab from notebooks, scripts and shells.

The package needs the standard library only, so that any kernel's environment can have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .api import notify as notify
    from .logs import NotifyHandler as NotifyHandler

__all__ = ["NotifyHandler", "__version__", "notify"]

#: The module of each public name. It is imported when the name is first used, since the
#: `jupyter notify` command needs neither.
_MODULES = {"notify": "api", "NotifyHandler": "logs"}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)


def load_ipython_extension(shell: Any) -> None:
    """Register ``%notify`` and ``%%notify``; called by ``%load_ext jupyter_notify``."""
    from .magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """Remove the magics; called by ``%unload_ext jupyter_notify``."""
    from .magics import unload

    unload(shell)
