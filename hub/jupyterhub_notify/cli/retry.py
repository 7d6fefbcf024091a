"""``retry``: push a broadcast again to the servers where the push failed."""

from __future__ import annotations

import argparse

from .remote import add_where_arguments, asked, print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("id", metavar="ID", help="the broadcast's id")
    add_where_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Make the failed deliveries due again."""
    found = asked(options, lambda client: client.retry_broadcast(options.id))
    if options.json:
        print_json({"id": found.id, "counts": found.counts})
    return 0
