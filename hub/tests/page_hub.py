"""A real hub with the service for the browser tests: `python -m tests.page_hub`.

It prints one line of JSON that says where it is, and runs until its standard input closes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from .hubs import Hub, running

USERS = ("ada", "bob", "carol@example.org", "o'brien", "zoë")
SITE = """
c.JupyterHub.load_groups = {
    "staff": {"users": ["ada"]},
    "students": {"users": ["bob", "carol@example.org"]},
}
"""


def main() -> None:
    """Run a hub."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", default="/")
    parser.add_argument("--site", default="", help="the site's own lines of the configuration")
    parser.add_argument("--configure", default="", help="the arguments of configure(c, …)")
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
            sys.stdin.read()


if __name__ == "__main__":
    main()
