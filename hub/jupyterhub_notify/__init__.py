"""The central notification service of a JupyterHub.

Nothing heavy is imported here: ``from jupyterhub_notify import configure`` runs inside the hub's
own process, which need not have the service's libraries.
"""

from __future__ import annotations

from ._version import __version__

# Imported here and not when it is asked for: whoever imported the module of this name first would
# leave the module in the function's place.
from .configure import configure

__all__ = ["__version__", "configure"]
