"""Functions shared by the verbs that talk to a service: its address, the token, and printing."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from ..client import Client, ClientError
from .exit import CommandError

__all__ = ["add_remote_arguments", "add_where_arguments", "asked", "client_of", "print_json"]


def add_where_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options for the service's address and the token."""
    parser.add_argument("--url", help="the service's address (JUPYTERHUB_NOTIFY_URL)")
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="a file with the token (else JUPYTERHUB_NOTIFY_TOKEN)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_remote_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `add_where_arguments`, and the name to act under."""
    add_where_arguments(parser)
    parser.add_argument(
        "--service", metavar="NAME", help="in whose name (the token's own if left out)"
    )


def client_of(options: argparse.Namespace) -> Client:
    """Return a client made from the options and the environment."""
    token = os.environ.get("JUPYTERHUB_NOTIFY_TOKEN")
    if options.token_file is not None:
        try:
            token = options.token_file.read_text().strip()
        except OSError as error:
            raise CommandError(
                f"The token file {options.token_file} cannot be read: {error.strerror}", 2
            ) from None
    url = options.url or os.environ.get("JUPYTERHUB_NOTIFY_URL")
    if not url:
        raise CommandError("Which service? Give --url or set JUPYTERHUB_NOTIFY_URL", 2)
    if not url.startswith(("http://", "https://")):
        raise CommandError(f"--url is no address of http or https: {url}", 2)
    return Client(url, token, service=getattr(options, "service", None))


def asked(options: argparse.Namespace, ask: Callable[[Client], Any]) -> Any:
    """Ask the service; end the command with one sentence if it refuses or does not answer."""
    client = client_of(options)
    try:
        return ask(client)
    except ClientError as error:
        raise CommandError(str(error)) from None


def print_json(value: BaseModel | Sequence[BaseModel] | dict[str, Any]) -> None:
    """Print models as JSON."""
    if isinstance(value, BaseModel):
        plain: Any = value.model_dump(mode="json")
    elif isinstance(value, dict):
        plain = value
    else:
        plain = [one.model_dump(mode="json") for one in value]
    print(json.dumps(plain, indent=2, ensure_ascii=False))
