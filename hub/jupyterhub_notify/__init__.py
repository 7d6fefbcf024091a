"""The central notification service of a JupyterHub.

Nothing heavy is imported here: ``from jupyterhub_notify import configure`` runs inside the hub's
own process, which need not have the service's libraries.
"""

from __future__ import annotations

from ._version import __version__

# Imported at once, not by a lazy `__getattr__`: the import of the submodule `configure` sets this
# package's attribute of the same name, and would leave the module in the function's place.
from .configure import configure

__all__ = ["__version__", "configure"]
