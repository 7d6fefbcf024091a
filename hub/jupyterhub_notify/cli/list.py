"""``list``: the active notifications of the service, or all broadcasts."""

from __future__ import annotations

import argparse
import sys

from .remote import add_remote_arguments, asked, print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--broadcasts", action="store_true", help="broadcasts instead")
    parser.add_argument("--user", help="only those to this user")
    parser.add_argument("--limit", type=int, help="most entries")
    add_remote_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """List the notifications or broadcasts."""
    if options.broadcasts:
        found = asked(options, lambda client: client.broadcasts(limit=options.limit))
    else:
        found = asked(
            options, lambda client: client.sent(recipient=options.user, limit=options.limit)
        )
    if options.json:
        print_json(found)
        return 0
    if not found:
        # Not on the standard output, which programs read.
        print(_nothing(options), file=sys.stderr)
    for one in found:
        whom = getattr(one, "recipient", None) or getattr(one, "group", None)
        whom = whom or getattr(one, "audience", "")
        print(f"{one.id}\t{one.created:%Y-%m-%d %H:%M}\t{whom}\t{one.type}\t{one.summary}")
    return 0


def _nothing(options: argparse.Namespace) -> str:
    if options.broadcasts:
        return "There are no broadcasts."
    return "No notification is active; --broadcasts lists broadcasts."
