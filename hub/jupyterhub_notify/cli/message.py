"""The options of a message, for ``send`` and ``broadcast``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .exit import CommandError

__all__ = ["add_message_arguments", "message_fields"]

TYPES = ["default", "info", "success", "warning", "error", "in-progress"]


def add_message_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that both verbs have."""
    parser.add_argument(
        "--body-file", type=Path, metavar="F", help="the longer text, in Markdown; - reads input"
    )
    parser.add_argument("--type", choices=TYPES, help="styling and urgency (info)")
    parser.add_argument("--banner", action="store_true", help="also across the top")
    parser.add_argument(
        "--important", action="store_true", help="also by mail and the like if it stays unread"
    )
    parser.add_argument("--key", metavar="K", help="the same key replaces the earlier one")
    parser.add_argument("--until", metavar="TIME", help="RFC 3339; it is shown to nobody after")


def message_fields(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields that were given, as they are sent."""
    fields: dict[str, Any] = {}
    if options.body_file is not None:
        fields["body"] = _read(options.body_file)
    for name in ("banner", "important"):
        if getattr(options, name):
            fields[name] = True
    for name in ("type", "key", "template"):
        value = getattr(options, name, None)
        if value is not None:
            fields[name] = value
    if getattr(options, "data", None) is not None:
        try:
            fields["data"] = json.loads(options.data)
        except ValueError:
            raise CommandError("--data is no JSON", 2) from None
    if options.until is not None:
        fields["expires"] = options.until
    return fields


def _read(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise CommandError(f"{path} cannot be read: {reason}", 2) from None
