"""``python -m jupyterhub_notify`` is ``jupyterhub-notify``."""

from .cli import main

if __name__ == "__main__":
    raise SystemExit(main())
