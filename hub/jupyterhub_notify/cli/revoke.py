"""``revoke``: remove a notification or broadcast from every screen."""

from __future__ import annotations

import argparse

from ..client import Client
from .remote import add_remote_arguments, asked, print_json
from .show import is_broadcast

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("id", metavar="ID", help="an id, or a notification's key")
    parser.add_argument("--broadcast", action="store_true", help="it is a broadcast's id")
    add_remote_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Revoke the notification or broadcast."""

    def ask(client: Client) -> None:
        if is_broadcast(options):
            client.revoke_broadcast(options.id)
        else:
            client.revoke(options.id)

    asked(options, ask)
    if options.json:
        print_json({"revoked": options.id})
    return 0
