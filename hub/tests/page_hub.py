"""A real hub with the service for the browser tests: `python -m tests.page_hub`.

It prints one line of JSON with its address, and runs until its standard input closes. At the line
`stop-service` it stops the service as if its machine went down, and at `start-service` it lets the
hub start the service again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import psutil

from .hubs import HUB5, Hub, running, wait_for

USERS = ("ada", "bob", "carol@example.org", "o'brien", "zoë")
SITE = """
c.JupyterHub.load_groups = {
    "staff": {"users": ["ada"]},
    "students": {"users": ["bob", "carol@example.org"]},
}
"""

#: Messages are held longer than the default of ten seconds, for tests that undo one or send it at
#: once: a busy machine may take that long to draw the page.
AFTER = """
c.JupyterHub.services[-1]["environment"]["JUPYTERHUB_NOTIFY_UNDO_S"] = "60"
"""

#: A template for structured notifications.
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
    found = [
        one
        for one in psutil.Process(hub.process.pid).children(recursive=True)
        if "serve" in one.cmdline()
        and any(Path(word).name.startswith("jupyterhub-notify") for word in one.cmdline())
    ]
    assert found, "the service has no process"
    return found


def obey(hub: Hub, line: str) -> None:
    """Execute a line of the standard input."""
    processes = service_processes(hub)
    for one in processes:
        if line == "stop-service":
            one.suspend()
        elif line == "start-service":
            # The hub starts a service again that has ended.
            one.kill()
    if line == "start-service":
        psutil.wait_procs(processes, timeout=10)
        wait_for(hub.serves, "the service's start")
    print(line, flush=True)


def make_hub(directory: Path, options: argparse.Namespace) -> Hub:
    """Return the hub that the options describe."""
    configure = options.configure
    if options.templates:
        templates = directory / "templates"
        templates.mkdir()
        (templates / "quota.md").write_text(TEMPLATE)
        variables = {"JUPYTERHUB_NOTIFY_TEMPLATES": str(templates)}
        configure = ", ".join(filter(None, [configure, f"environment={variables!r}"]))
    return Hub(
        directory,
        site=SITE + options.site,
        python=HUB5 if options.python == "hub5" else Path(sys.executable),
        base_url=options.base_url,
        configure=configure,
        after=AFTER,
    )


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
        hub = make_hub(Path(directory), options)
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
