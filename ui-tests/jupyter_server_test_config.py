"""The server of the browser tests: no token, and JupyterLab offered to the page.

Never for anything but tests: it opens the server to whoever can reach the port.
"""

import os

from jupyterlab.galata import configure_jupyter_server

c = get_config()  # type: ignore[name-defined]  # noqa: F821

configure_jupyter_server(c)

c.ServerApp.ip = "127.0.0.1"
c.ServerApp.port = int(os.environ.get("NOTIFY_UI_PORT", "8888"))
c.ServerApp.port_retries = 0
c.ServerApp.allow_root = True
