"""``init``: make the database and the file of tokens that a service without a hub needs."""

from __future__ import annotations

import argparse

from ..identity.token_file import TokenFileError
from .exit import CommandError
from .local import add_database_argument, token_file
from .upgrade import upgrade_database

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    add_database_argument(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Make the database and the first token, which may administer."""
    file = token_file()
    if file.path.exists():
        raise CommandError(f"There is a token file already: {file.path}")
    upgrade_database(options.database)
    try:
        token = file.create("admin", kind="service", admin=True)
    except TokenFileError as error:
        raise CommandError(str(error)) from None
    if options.json:
        from .remote import print_json

        print_json({"token_file": str(file.path), "name": "admin", "token": token})
        return 0
    print(f"Wrote {file.path} with one token, of the service admin, which may do everything.")
    print("It is shown this once:\n")
    print(f"export JUPYTERHUB_NOTIFY_TOKEN={token}\n")
    print("Now: jupyterhub-notify serve")
    return 0
