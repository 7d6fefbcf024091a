"""Every route that a hostile server may try with a token that it was shown."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from jupyterhub.apihandlers import default_handlers
from tornado.web import RequestHandler

DOCS = Path(__file__).parents[2] / "docs"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: Method and path.
Route = tuple[str, str]

#: The value that a hub's pattern has after each word.
_VALUES = {"users": "ada", "groups": "staff", "services": "notify", "shares": "ada"}
_VALUES |= {"share-codes": "ada", "shared": "ada", "servers": "", "tokens": "a1"}

#: A route that only the older extension has.
OLDER_LIST = "jupyterlab-notifications-extension/notifications"

#: The documented routes of a Jupyter server.
JUPYTER_SERVER: list[Route] = [
    ("GET", "api/spec.yaml"),
    ("GET", "api/status"),
    ("GET", "api/resolvePath"),
    *((method, "api/contents/x.txt") for method in METHODS),
    ("GET", "api/contents"),
    ("POST", "api/contents"),
    ("GET", "api/contents/x.txt/checkpoints"),
    ("POST", "api/contents/x.txt/checkpoints"),
    ("POST", "api/contents/x.txt/checkpoints/1"),
    ("DELETE", "api/contents/x.txt/checkpoints/1"),
    ("POST", "api/contents/x.ipynb/trust"),
    ("GET", "api/config/notebook"),
    ("PUT", "api/config/notebook"),
    ("PATCH", "api/config/notebook"),
    ("GET", "api/kernels"),
    ("POST", "api/kernels"),
    ("GET", "api/kernelspecs"),
    ("GET", "api/sessions"),
    ("POST", "api/sessions"),
    ("POST", "api/events"),
    ("GET", "api/events/subscribe"),
    ("GET", "api/nbconvert"),
    ("POST", "api/shutdown"),
    ("GET", "files/x.txt"),
    ("GET", "nbconvert/html/x.ipynb"),
    ("POST", "jupyterlab-notifications-extension/ingest"),
    ("GET", OLDER_LIST),
]

#: Routes of the service that are open to everybody, or have tokens of their own kind.
OPEN = {"health/live", "health/ready", "v1/channels/unsubscribe"}


def of_hub(user: str | None = None) -> list[Route]:
    """Return each route and method of a Hub's API, below ``/hub/api``.

    Parameters
    ----------
    user
        The user in routes of a user; by default ada.
    """
    found: list[Route] = []
    for pattern, handler, *_ in default_handlers:
        words = pattern.removeprefix("/api").replace("(?:/([^/]+))?", "/x").rstrip("?").split("/")
        values = {**_VALUES, "users": user or "ada"}
        path = "/".join(
            values.get(words[index - 1], "") if word.startswith("(") else word
            for index, word in enumerate(words)
        )
        found += [
            (method, path or "/")
            for method in METHODS
            if getattr(handler, method.lower()) is not getattr(RequestHandler, method.lower())
        ]
    return found


def documented(name: str) -> Iterator[Route]:
    """Return the routes of one of our own OpenAPI documents, without a slash at the beginning."""
    document = json.loads((DOCS / name).read_text())
    for path, methods in document["paths"].items():
        for method in methods:
            if method.upper() in METHODS:
                yield method.upper(), re.sub(r"\{[^}]*\}", "x", path).lstrip("/")
