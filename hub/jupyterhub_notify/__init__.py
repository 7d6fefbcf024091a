"""The central notification service of a JupyterHub.

Nothing heavy is imported here: ``from jupyterhub_notify import configure`` runs inside the hub's
own process, which need not have the service's libraries.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .configure import configure as configure

__all__ = ["__version__", "configure"]


def __getattr__(name: str) -> Any:
    """Import ``configure`` when it is asked for.

    Parameters
    ----------
    name
        The attribute.

    Returns
    -------
    Any
        The function that ``configure.py`` defines.
    """
    if name == "configure":
        value = importlib.import_module(".configure", __name__).configure
        # The import has set the attribute to the module of the same name; the function goes there.
        globals()["configure"] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
