"""The JSON encoder for everything that leaves this server."""

from __future__ import annotations

import json
from typing import Any

# One shared encoder: ``json.dumps`` makes a new one for each call with other separators.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def dumps(value: Any) -> str:
    """Return JSON as text, without spaces; raises ``ValueError`` for ``NaN`` and ``Infinity``."""
    return _encode(value)
