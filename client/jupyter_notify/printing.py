"""What ``jupyter notify`` prints: in one line, and with nothing that a terminal obeys."""

from __future__ import annotations

import contextlib
import json
import sys
from datetime import datetime, timezone
from typing import Any, TextIO

UNREAD = "●"


def forgive_encodings() -> None:
    """Let what the terminal's encoding has no sign for be printed as a question mark."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # what can be


def printable(text: str) -> str:
    """Return a text from outside in one line, that a terminal shows and does not obey."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))


def print_json(value: Any) -> None:
    """Print a value as a line of JSON."""
    print(json.dumps(value), flush=True)


def line(row: dict[str, Any]) -> str:
    """Return a notification in one line.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        updated = datetime.fromisoformat(row["updated"].replace("Z", "+00:00"))
        age = _age((datetime.now(timezone.utc) - updated).total_seconds())
        done = "" if row["progress"] is None else f" ({row['progress']:.0%})"
    except (KeyError, TypeError, AttributeError, OverflowError) as error:
        raise ValueError(f"no notification: {error}") from None
    state = _in_encoding_of(sys.stdout, UNREAD, "*") if row["read"] is None else " "
    id_, type_, message = (printable(row[name]) for name in ("id", "type", "message"))
    return f"{state} {id_}  {age:>4}  {type_:<11}  {message}{done}"


def _in_encoding_of(stream: TextIO | None, sign: str, instead: str) -> str:
    try:
        sign.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return instead
    return sign


def _age(seconds: float) -> str:
    for length, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return "now" if seconds < 1 else f"{int(seconds)}s"
