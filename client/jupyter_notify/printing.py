"""Print for ``jupyter notify``: in one line, and without control characters."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import datetime, timezone
from typing import Any, TextIO

UNREAD = "●"


def forgive_encodings() -> None:
    """Print a question mark for any character that the terminal's encoding does not have."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # may have none


def printable(text: str) -> str:
    """Return untrusted text in one line, without characters that control a terminal."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def print_json(value: Any) -> None:
    """Print a value as a line of JSON."""
    print(json.dumps(value), flush=True)


def line(row: dict[str, Any]) -> str:
    """Return the line that shows a notification.

    Raises
    ------
    ValueError
        If the row is not a notification.
    """
    try:
        updated = datetime.fromisoformat(row["updated"].replace("Z", "+00:00"))
        age = _age((datetime.now(timezone.utc) - updated).total_seconds())
        done = "" if row["progress"] is None else f" ({row['progress']:.0%})"
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"not a notification: {error}") from None
    state = _encodable(sys.stdout, UNREAD, "*") if row["read"] is None else " "
    id_, type_, message = (printable(row[name]) for name in ("id", "type", "message"))
    return f"{state} {id_}  {age:>4}  {type_:<11}  {message}{done}"


def _encodable(stream: TextIO | None, sign: str, fallback: str) -> str:
    """Return ``sign`` if the stream's encoding has it, or else ``fallback``."""
    try:
        sign.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return fallback
    return sign


def _age(seconds: float) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return "now" if seconds < 1 else f"{int(seconds)}s"
