"""``reconcile``: reconcile the service's notifications with a file."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .exit import CommandError
from .remote import add_remote_arguments, asked, print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "file", metavar="FILE", type=Path, help="a JSON list of notifications; - reads input"
    )
    parser.add_argument("--scope", default="", help="only keys that begin so are looked at")
    add_remote_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Reconcile the notifications."""
    items = _items(options.file)
    done = asked(options, lambda client: client.reconcile(items, scope=options.scope))
    if options.json:
        print_json(done)
    else:
        print(", ".join(f"{count} {name}" for name, count in done.model_dump().items()))
    return 0


def _items(path: Path) -> list[dict[str, Any]]:
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
        items = json.loads(text)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}", 2) from None
    except ValueError:
        raise CommandError(f"{path} is no JSON", 2) from None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise CommandError(f"{path} is no list of notifications", 2)
    return items
