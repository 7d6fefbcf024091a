"""``send``: send a notification to users or a group."""

from __future__ import annotations

import argparse

from .exit import CommandError
from .message import add_message_arguments, message_fields
from .remote import add_remote_arguments, asked, print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "user", metavar="USER", nargs="?", help="to whom; with --group to a group instead"
    )
    parser.add_argument("message", metavar="MESSAGE", nargs="?", help="the summary, in Markdown")
    parser.add_argument("--group", metavar="G", help="to a group; then only MESSAGE is given")
    parser.add_argument("--template", metavar="NAME", help="instead of a message, a template")
    parser.add_argument("--data", metavar="JSON", help="what the template is filled with")
    add_message_arguments(parser)
    add_remote_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Send the notification."""
    user, message = options.user, options.message
    if options.group is not None:
        if message is not None:
            raise CommandError("Give either USER or --group, not both", 2)
        user, message = None, user
    elif user is None:
        raise CommandError("To whom? Give USER or --group", 2)
    if (message is None) == (options.template is None):
        raise CommandError("Give either MESSAGE or --template", 2)
    fields = message_fields(options)
    if message is not None:
        fields["summary"] = message
    sent = asked(options, lambda client: client.send(recipient=user, group=options.group, **fields))
    if options.json:
        print_json(sent)
    else:
        for one in sent:
            print(one.id)
    return 0
