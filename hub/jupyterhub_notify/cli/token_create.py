"""``token create``: add a token to the file of tokens."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta, timezone

from ..identity.token_file import TokenFileError
from .exit import CommandError
from .local import token_file
from .remote import print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("name", metavar="NAME", help="the service's or user's name")
    parser.add_argument("--user", action="store_true", help="a user, who reads notifications")
    parser.add_argument("--admin", action="store_true", help="may administer")
    parser.add_argument("--group", action="append", default=[], help="a user's group")
    parser.add_argument(
        "--publish-as", action="append", default=[], metavar="SERVICE", help="in whose names"
    )
    parser.add_argument(
        "--send-group",
        action="append",
        default=[],
        metavar="GROUP",
        help="a service may send to this group only (everyone if left out)",
    )
    parser.add_argument("--days", type=int, help="days after which it expires")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Add the token and print it."""
    service = not options.user
    expires = None
    if options.days is not None:
        if options.days < 1:
            raise CommandError("--days must be at least 1", 2)
        expires = datetime.now(timezone.utc) + timedelta(days=options.days)
    file = token_file()
    try:
        token = file.create(
            options.name,
            kind="user" if options.user else "service",
            groups=options.group,
            admin=options.admin,
            publish_as=options.publish_as or ([options.name] if service else []),
            send_groups=options.send_group or (["*"] if service else []),
            expires=expires,
        )
    except TokenFileError as error:
        raise CommandError(str(error)) from None
    if options.json:
        print_json({"token_file": str(file.path), "name": options.name, "token": token})
    else:
        print(token)
    return 0
