"""``show``: one notification or broadcast, with its receipts or outcomes."""

from __future__ import annotations

import argparse
from typing import Any

from ..client import Client
from .remote import add_remote_arguments, asked, print_json

__all__ = ["add_arguments", "is_broadcast", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("id", metavar="ID", help="an id, or a notification's key")
    parser.add_argument("--broadcast", action="store_true", help="it is a broadcast's id")
    add_remote_arguments(parser)


def is_broadcast(options: argparse.Namespace) -> bool:
    """Return whether an id is a broadcast's: the service's own begin with ``b-``."""
    return bool(options.broadcast) or str(options.id).startswith("b-")


def run(options: argparse.Namespace) -> int:
    """Show the notification or broadcast."""

    def ask(client: Client) -> dict[str, Any]:
        if is_broadcast(options):
            shown: Any = client.show_broadcast(options.id)
            rows: Any = client.deliveries(options.id)
        else:
            shown, rows = client.show(options.id), client.receipts(options.id)
        return {
            **shown.model_dump(mode="json"),
            "recipients": [row.model_dump(mode="json") for row in rows],
        }

    found = asked(options, ask)
    if options.json:
        print_json(found)
        return 0
    for name, value in found.items():
        if name != "recipients" and value not in (None, [], {}):
            print(f"{name}: {value}")
    for row in found["recipients"]:
        facts = ", ".join(f"{name} {value}" for name, value in row.items() if value)
        print(f"- {facts}")
    return 0
