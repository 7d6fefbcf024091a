"""Writes the service's OpenAPI document: ``python -m jupyterhub_notify.openapi FILE``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from .app import create_app
from .config import Settings
from .identity.token_file import TokenFile, TokenFileIdentity

__all__ = ["document", "text"]


def document() -> dict[str, Any]:
    """Return the document, which does not depend on a site's settings."""
    settings = Settings(database="sqlite+aiosqlite:///unused.sqlite", prefix="", public_url=None)
    found: dict[str, Any] = create_app(settings, TokenFileIdentity(TokenFile(Path()))).openapi()
    found["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "A hub's token or our own"}
    }
    found["security"] = [{"token": []}, {}]
    return found


def text() -> str:
    """Return the document as it is kept in the repository."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
