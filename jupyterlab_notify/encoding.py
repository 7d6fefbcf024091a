"""JSON as text: how everything that leaves this server is encoded."""

from __future__ import annotations

import json
from typing import Any

# One encoder for all: json.dumps would make another for each call that wants no spaces.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def dumps(value: Any) -> str:
    """Return JSON as text, without spaces; raises ``ValueError`` for ``NaN`` and ``Infinity``."""
    return _encode(value)
