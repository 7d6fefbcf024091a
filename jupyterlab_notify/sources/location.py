"""The address of the central service: configured, set by the hub's spawner, or Nublado's."""

from __future__ import annotations

import os

#: The variable that a hub's spawner sets, so that one image fits every environment.
VARIABLE = "JUPYTERLAB_NOTIFY_CENTRAL_URL"

#: The ``central_url`` that means Semaphore, at the address in Nublado's discovery file.
NUBLADO = "nublado"


def spawners_url() -> str:
    """Return the URL from the spawner's environment, or an empty string."""
    return os.environ.get(VARIABLE, "").strip()
