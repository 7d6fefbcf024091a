"""``…/ingest``: the endpoint to which hubs, services and scripts push messages."""

from __future__ import annotations

import os
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from ..exceptions import BadRequest
from ..limits import MAX_KEY, MAX_SOURCE, MAX_WAIT_S, OWN_TOKEN
from ..manager import NotificationManager, Received
from ..rate_limit import RateLimit
from ..validation import validate
from .base import BodyHandler, with_errors


class _Ingest(BodyHandler):
    def initialize(  # type: ignore[override]  # the other handlers need no limit
        self, manager: NotificationManager, rate_limit: RateLimit
    ) -> None:
        """Take the manager and the limit from the route."""
        super().initialize(manager)
        self._rate_limit = rate_limit

    def count(self) -> None:
        """Count this request for its token; raise ``TooMany`` if the token is over its limit.

        A token that did not authenticate the request is ignored: a caller with a login cookie
        could send a different one each time.
        """
        # The identity providers of Jupyter Server and of JupyterHub set this attribute.
        is_by_token = getattr(self, "_token_authenticated", False)
        token = self.identity_provider.get_token(self) if is_by_token else None
        self._rate_limit.count(f"token {token}" if token else f"user {self.source()}")

    def set_signed_cookie(self, *args: Any, **options: Any) -> None:
        """Set no login cookie: a program that pushes with a token does not keep it.

        Making and signing the cookie took an eighth of a request's time.
        """

    # Jupyter Server calls the method by its older name.
    set_secure_cookie = set_signed_cookie

    def source(self) -> str:
        """Return the name of the caller's token, for messages that name no source."""
        user = self.current_user
        name = str(getattr(user, "name", "") or getattr(user, "username", "") or "")
        # Jupyter Server invents an anonymous user for each bearer of its own token. Hubs push with
        # the user's own token, so the user's name does not mean that the user wrote the message.
        if (
            not name
            or getattr(user, "display_name", name).startswith("Anonymous ")
            or name == os.environ.get("JUPYTERHUB_USER")
        ):
            name = OWN_TOKEN
        return name[:MAX_SOURCE]

    def named_source(self) -> str | None:
        """Return the source that the query names; None if it names none."""
        source = self.query_argument("source", MAX_SOURCE)
        if source == "":
            raise BadRequest("The query parameter source must not be empty.")
        return source

    async def receive(self, value: dict[str, Any]) -> None:
        from ..models import IngestMessage

        name = self.source()
        self.receipt(await self.manager.receive(validate(IngestMessage, value), name, token=name))

    def named_message(self, name: str) -> str | None:
        """Check the id or key in the path; return the source that the query names, or None."""
        if len(name) > MAX_KEY:
            raise BadRequest(f"The id or key in the path is longer than {MAX_KEY} characters.")
        return self.named_source()

    def receipt(self, received: Received) -> None:
        self.answer(
            {
                "success": True,
                "notification_id": received.id,
                "seq": received.seq,
                "tabs": received.tabs,
                "durable": received.durable,
            }
        )


class IngestHandler(_Ingest):
    """Receive a message."""

    @web.authenticated
    @authorized
    @with_errors
    async def post(self) -> None:
        """Answer with ``models.Receipt`` once the message is committed."""
        self.count()
        await self.receive(self.json())


class IngestItemHandler(_Ingest):
    """Replace a message by its key, tell what became of it, or revoke it."""

    @web.authenticated
    @authorized
    @with_errors
    async def get(self, name: str) -> None:
        """Answer with ``models.Notification``: what became of it, and what the user answered."""
        source = self.named_message(name)
        wait = self.query_argument("wait", 10) or "0"
        if not (wait.isascii() and wait.isdigit() and int(wait) <= MAX_WAIT_S):
            raise BadRequest(
                f"The query parameter wait must be a whole number from 0 to {MAX_WAIT_S}."
            )
        self.answer(await self.manager.sent(name, source or self.source(), int(wait)))

    @web.authenticated
    @authorized
    @with_errors
    async def put(self, name: str) -> None:
        """Receive a message under the key in the path."""
        self.count()
        value = {**self.json(), "key": name}
        if (source := self.named_source()) is not None:
            if value.get("source") not in (None, source):
                raise BadRequest("The query parameter source and the field source differ.")
            value["source"] = source
        await self.receive(value)

    @web.authenticated
    @authorized
    @with_errors
    async def delete(self, name: str) -> None:
        """Revoke a message by its id or key."""
        self.count()
        source = self.named_message(name)
        self.receipt(await self.manager.revoke(name, source or self.source()))
