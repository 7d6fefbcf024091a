"""A real hub with the service for the browser tests: `python -m tests.page_hub`.

It prints one line of JSON that says where it is, and runs until its standard input closes. At the
lines `stop-service` and `start-service` it stops the service as a machine does that goes down, and
lets the hub start it again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from .hubs import HUB5, Hub, running, wait_for

USERS = ("ada", "bob", "carol@example.org", "o'brien", "zoë")
SITE = """
c.JupyterHub.load_groups = {
    "staff": {"users": ["ada"]},
    "students": {"users": ["bob", "carol@example.org"]},
}
"""


TEMPLATE = """---
type: warning
schema:
  type: object
  properties:
    used: {type: integer}
  required: [used]
sample:
  used: 46
summary: "{{ used }} GB are used"
---
Of **50**.
"""


def service_processes(hub: Hub) -> list[psutil.Process]:
    """Return the processes of the service, which the hub has started."""
    assert hub.process is not None
    children = psutil.Process(hub.process.pid).children(recursive=True)
    return [one for one in children if "jupyterhub_notify" in " ".join(one.cmdline())]


def obey(hub: Hub, line: str) -> None:
    """Do what a line says."""
    processes = service_processes(hub)
    for one in processes:
        if line == "stop-service":
            one.suspend()
        elif line == "start-service":
            # The hub starts it again, as it does with what has ended.
            one.kill()
    if line == "start-service":
        psutil.wait_procs(processes, timeout=10)
        wait_for(hub._serves, "the service's start")
    print(line, flush=True)


def main() -> None:
    """Run a hub."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", default="/")
    parser.add_argument("--site", default="", help="the site's own lines of the configuration")
    parser.add_argument("--configure", default="", help="the arguments of configure(c, …)")
    parser.add_argument("--python", choices=["hub5"], help="an older JupyterHub")
    parser.add_argument("--templates", action="store_true", help="give the service a template")
    parser.add_argument("--spawn", nargs="*", default=[], help="users whose servers run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        hub = Hub(
            Path(directory),
            site=SITE + options.site,
            base_url=options.base_url,
            configure=options.configure,
        )
        with running(hub):
            for name in USERS:
                hub.add_user(name)
            for name in options.spawn:
                hub.spawn(name)
            print(
                json.dumps(
                    {
                        "url": hub.url,
                        "service": hub.service,
                        "password": hub.password,
                        "tokens": {name: hub.token(name) for name in ("root", *USERS)},
                    }
                ),
                flush=True,
            )
            for line in sys.stdin:
                obey(hub, line.strip())


if __name__ == "__main__":
    main()
