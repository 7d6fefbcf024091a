"""A plugin for Apprise that sends to JupyterLab, for URLs such as ``jupyter://``.

Importing this module registers it. For the ``apprise`` command, put a file into its plugin
directory::

    from jupyter_notify.apprise import *
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, ClassVar
from urllib.parse import unquote

from apprise import NotifyFormat, NotifyType
from apprise.manager_plugins import NotificationManager
from apprise.plugins.base import NotifyBase

from .connection import Client
from .discovery import TOKEN_VARIABLE, Target, find
from .errors import SendError
from .message import MAX_BODY, MAX_MESSAGE, Message, compose, without_colours
from .server_url import quoted
from .terminal_text import fenced
from .values import is_blank

__all__ = ["NotifyJupyter"]

TYPES = {
    NotifyType.INFO: "info",
    NotifyType.SUCCESS: "success",
    NotifyType.WARNING: "warning",
    NotifyType.FAILURE: "error",
}


class NotifyJupyter(NotifyBase):  # type: ignore[misc]  # Apprise has no types
    """Sends Apprise's notifications to a Jupyter server.

    ``jupyter://`` means the server that ``jupyter notify`` finds. ``jupyter://TOKEN@host:8888/base``
    and ``jupyters://…`` (HTTPS) name a server.
    """

    service_name = "JupyterLab"
    service_url = "https://jupyter.org"
    protocol = "jupyter"
    secure_protocol = "jupyters"
    setup_url = "https://jupyter.org"
    title_maxlen = 250
    body_maxlen = MAX_BODY // 4
    # Apprise need not slow down requests to a user's own server.
    request_rate_per_sec = 0
    # Apprise 2 takes all supported formats, and does not convert a text that has one of them.
    notify_format = (
        (NotifyFormat.MARKDOWN, NotifyFormat.TEXT)
        if hasattr(NotifyBase, "resolve_format")
        else NotifyFormat.MARKDOWN
    )
    #: Attachments are named in the text; their content cannot be shown.
    attachment_support = True

    templates = (
        "{schema}://",
        "{schema}://{token}@{host}",
        "{schema}://{token}@{host}:{port}",
        "{schema}://{token}@{host}:{port}/{fullpath}",
    )
    template_tokens: ClassVar[dict[str, Any]] = {
        **NotifyBase.template_tokens,
        "host": {"name": "Hostname", "type": "string"},
        "port": {"name": "Port", "type": "int", "min": 1, "max": 65535},
        "token": {"name": "Token", "type": "string", "private": True},
        "fullpath": {"name": "Base URL", "type": "string"},
    }

    def __init__(self, token: str | None = None, path: str = "", **options: Any) -> None:
        super().__init__(**options)
        self.token = token or None
        self.path = quoted("/".join(part for part in path.split("/") if part))

    def target(self) -> Target:
        """Return the server to send to.

        Raises
        ------
        SendError
            If there is no server.
        """
        if not self.host or self.host == "_":
            return find()
        scheme = "https" if self.secure else "http"
        port = f":{self.port}" if self.port else ""
        path = f"{self.path}/" if self.path else ""
        # Apprise keeps tokens in its URLs. If the URL has none, the token is found as usual.
        env = {**os.environ, TOKEN_VARIABLE: self.token} if self.token else os.environ
        return find(f"{scheme}://{self.host}{port}/{path}", env=env)

    def send(
        self,
        body: str,
        title: str = "",
        notify_type: NotifyType = NotifyType.INFO,
        attach: Iterable[Any] | None = None,
        body_format: Any = None,
        **options: Any,
    ) -> bool:
        """Send a notification; return whether the server accepted it."""
        attached = [_escaped(str(one.name or one)) for one in attach or ()]
        try:
            message = self._compose(body, title, notify_type, attached, plain=_is_text(body_format))
            self.throttle()
            client = Client(self.target())
            try:
                client.request("POST", "/ingest", message)
            finally:
                client.close()
        except SendError as error:
            self.logger.warning("A notification was not sent to JupyterLab: %s", error)
            return False
        if attached:
            self.logger.warning(
                "JupyterLab shows only the names of the %d attachments, not their content.",
                len(attached),
            )
        return True

    def _compose(
        self, body: str, title: str, notify_type: NotifyType, attached: list[str], plain: bool
    ) -> Message:
        body, title = body.strip("\n"), title.strip()
        summary, longer = (body, "") if _is_blank(title) else (title, body)
        if len(summary) > MAX_MESSAGE or "\n" in summary:
            longer = body
            summary = next((one for one in summary.splitlines() if not _is_blank(one)), "")
        if _is_blank(summary):
            summary = "Attachments" if attached else "A message without a text"
        if longer and plain:
            longer = fenced(longer, MAX_BODY // 2)
        if attached:
            names = fenced("\n".join(attached), 4096)
            longer = "\n\n".join(filter(None, (longer, "Attachments (not shown here):", names)))
        return compose(
            summary,
            body=longer or None,
            type=TYPES.get(notify_type, "info"),
            source=self.app_id or "Apprise",
        )

    @property
    def url_identifier(self) -> tuple[Any, ...]:
        """Return the values that identify the server."""
        return (self.secure, self.host, self.port, self.path, self.token)

    def url(self, privacy: bool = False, *args: Any, **options: Any) -> str:
        """Return the URL that describes this object."""
        schema = self.secure_protocol if self.secure else self.protocol
        if not self.host or self.host == "_":
            return f"{schema}://_/"
        token = f"{self.pprint(self.token, privacy, safe='')}@" if self.token else ""
        port = f":{self.port}" if self.port else ""
        # The slash at its end keeps what follows a semicolon.
        path = f"{self.path}/" if self.path else ""
        return f"{schema}://{token}{self.host}{port}/{path}"

    @staticmethod
    def parse_url(url: str) -> dict[str, Any] | None:
        """Parse a URL into the arguments of this class; None if it is not valid."""
        results: dict[str, Any] | None = NotifyBase.parse_url(url, verify_host=False)
        if results:
            # Apprise parts a token with a colon in it into a user's name and a password.
            named = [results.get("user"), results.get("password")]
            token = unquote(":".join(one for one in named if one))
            results["token"] = token or results["qsd"].get("token")
            # Keep the path as written: a user's name in it may hold an encoded slash.
            results["path"] = results.get("fullpath") or ""
        return results


def _is_blank(text: str) -> bool:
    """Return whether nothing of a text can be seen, its colours left aside."""
    return is_blank(without_colours(text))


def _escaped(name: str) -> str:
    """Return a file's name in one line, with what is not seen written as an escape."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)


def _is_text(body_format: Any) -> bool:
    """Return whether a body is plain text rather than Markdown."""
    return body_format is not None and str(getattr(body_format, "value", body_format)) == "text"


# Apprise finds its own plugins by their location; others must register.
if "jupyter" not in NotificationManager():
    NotificationManager().add(NotifyJupyter, schemas=("jupyter", "jupyters"))
