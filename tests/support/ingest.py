"""Messages and answers that tests of ingest share."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from ..support.servers import ALIAS, NAMESPACE, Server

#: A message as hubs in the field send it.
HUB_PAYLOAD = {
    "message": "Maintenance scheduled for 10 PM tonight",
    "type": "warning",
    "autoClose": False,
    "actions": [
        {"label": "Dismiss", "caption": "Close this notification", "displayType": "default"}
    ],
}


PATHS = pytest.mark.parametrize("prefix", [NAMESPACE, ALIAS])


def curl(*arguments: str) -> tuple[int, str]:
    """Return the status and the body that real curl gets."""
    program = shutil.which("curl")
    assert program, "curl is needed: the contract is kept to what scripts in the field use"
    ran = subprocess.run(
        [
            *(program, "--silent", "--show-error", "--noproxy", "*", "--max-time", "20"),
            *("--write-out", r"\n%{http_code}", *arguments),
        ],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ran.returncode == 0, ran.stderr
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), body


def bearer(server: Server) -> list[str]:
    return ["-H", f"Authorization: Bearer {server.token}"]


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth - 1):
        value = [value]
    return value


def escaped(value: Any) -> bytes:
    """Return JSON in which only characters that UTF-8 cannot hold are escaped."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")


DEFAULTS = {
    "source": "Jupyter",
    "via": None,
    "key": None,
    "type": "info",
    "markdown": False,
    "hasBody": False,
    "preview": None,
    "autoClose": None,
    "actions": [],
    "progress": None,
    "banner": False,
    "dismissable": True,
    "expiresAt": None,
    "read": None,
    "dismissed": None,
    "revoked": None,
    "expired": None,
    "body": None,
    "data": None,
}


FULL_ACTION = {
    "label": "l" * 80,
    "caption": "c" * 200,
    "displayType": "link",
    "commandId": "i" * 200,
    "args": {"path": ["a", 1, None]},
    "url": "https://" + "u" * 2040,
}


def padded(size: int) -> bytes:
    """Return a valid message of just so many bytes."""
    head, tail = b'{"message": "m", "padding": "', b'"}'
    return head + b"x" * (size - len(head) - len(tail)) + tail


def in_pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 5000):
        yield body[start : start + 5000]


def path_of(key: str, prefix: str = NAMESPACE) -> str:
    return f"/{prefix}/ingest/{key}"
