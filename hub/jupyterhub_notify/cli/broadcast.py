"""``broadcast``: send a message to everyone, to groups or to users."""

from __future__ import annotations

import argparse
import time
from typing import Any

from ..client import Client, ClientError
from ..models.broadcasts import AdminBroadcast
from .exit import CommandError
from .message import add_message_arguments, message_fields
from .remote import add_where_arguments, asked, client_of, print_json

__all__ = ["add_arguments", "run"]

#: Outcomes that ``--wait`` counts as failures. To wait for a server's start is not a failure.
FAILED = {"no-extension", "refused", "not-responding", "error"}
#: Outcomes that end the wait for a recipient.
SETTLED = FAILED | {"shown", "read", "dismissed", "replied", "stored", "expired"}
ASK_EVERY_S = 0.5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("message", metavar="MESSAGE", help="the summary, in Markdown")
    add_message_arguments(parser)
    parser.add_argument("--group", action="append", default=[], metavar="G", help="to this group")
    parser.add_argument("--user", action="append", default=[], metavar="U", help="to this user")
    parser.add_argument(
        "--running", action="store_true", help="to everyone who has a server running"
    )
    parser.add_argument("--at", metavar="TIME", help="RFC 3339; when it is shown first")
    parser.add_argument("--rrule", metavar="R", help="a recurrence rule of RFC 5545")
    parser.add_argument("--timezone", metavar="Z", help="in which the rule is computed")
    parser.add_argument(
        "--wait",
        nargs="?",
        type=float,
        const=30.0,
        metavar="SECONDS",
        help="wait until every recipient's outcome is known, at most so long (30)",
    )
    add_where_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Send the broadcast, and wait for its outcomes if that was asked for."""
    fields = _fields(options)
    sent: AdminBroadcast = asked(
        options, lambda client: client.broadcast(options.message, **fields)
    )
    if options.wait is None:
        if options.json:
            print_json({"id": sent.id, "counts": sent.counts, "recipients": []})
        else:
            print(sent.id)
        return 0
    try:
        result = _wait(client_of(options), sent.id, options.wait)
    except ClientError as error:
        raise CommandError(f"Sent as {sent.id}, but then: {error}") from None
    if options.json:
        print_json(result)
    else:
        print(sent.id)
        for outcome, count in sorted(result["counts"].items()):
            print(f"{count}\t{outcome}")
    return 3 if FAILED & result["counts"].keys() else 0


def _fields(options: argparse.Namespace) -> dict[str, Any]:
    if options.running and (options.group or options.user):
        raise CommandError("Give either --running or --group and --user, not both", 2)
    fields = message_fields(options)
    if "expires" in fields:
        fields["ends"] = fields.pop("expires")
    for name, value in (
        ("starts", options.at),
        ("rrule", options.rrule),
        ("timezone", options.timezone),
        ("groups", options.group),
        ("users", options.user),
        ("audience", "running" if options.running else None),
    ):
        if value:
            fields[name] = value
    return fields


def _wait(client: Client, id_: str, seconds: float) -> dict[str, Any]:
    """Ask until every recipient's outcome is known, or the time is over."""
    until = time.monotonic() + seconds
    while True:
        shown = client.show_broadcast(id_)
        open_ = sum(count for outcome, count in shown.counts.items() if outcome not in SETTLED)
        settled = bool(shown.counts) and not open_
        if settled or shown.stale or time.monotonic() >= until:
            break
        time.sleep(min(ASK_EVERY_S, max(0.0, until - time.monotonic())))
    names = ("user", "server", "outcome", "reason")
    return {
        "id": id_,
        "counts": shown.counts,
        "recipients": [
            {name: getattr(row, name) for name in names} for row in client.deliveries(id_)
        ],
    }
