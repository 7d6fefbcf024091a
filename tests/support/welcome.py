"""Welcome files, and what a server says of welcome messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jupyterlab_notify import models

from .models import exactly
from .servers import NAMESPACE, Server


def folder(server: Server) -> Path:
    path = server.data_dir / "notify" / "welcome"
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(where: Path, name: str, body: str = "Hello.", **matter: Any) -> Path:
    path = where / f"{name}.md"
    given = {"id": name, "title": f"Title of {name}", **matter}
    lines = "".join(f"{key}: {value}\n" for key, value in given.items())
    # Whole or not at all: a server may just look at it.
    new = path.with_suffix(".new")
    new.write_text(f"---\n{lines}---\n\n{body}\n")
    return new.replace(path)


def ask(server: Server, *, every: bool = False) -> dict[str, Any]:
    answer = server.request(
        "GET", f"/{NAMESPACE}/welcome", params={"all": "true"} if every else None
    )
    assert answer.status_code == 200, answer.text
    value: dict[str, Any] = exactly(models.Welcome, answer.content)
    return value


def due(server: Server) -> list[str]:
    return [message["id"] for message in ask(server)["messages"]]


def tell(server: Server, action: str, value: dict[str, Any] | None = None) -> int:
    """Send an action and return the version, which a followed service may change at once."""
    answer = server.request("POST", f"/{NAMESPACE}/welcome/{action}", value or {})
    assert answer.status_code == 200, answer.text
    return int(exactly(models.WelcomeVersion, answer.content)["version"])
