"""A typed client for programs that publish.

    from jupyterhub_notify.client import Client

    # In a job:
    client = Client("https://hub.example.com/services/notify", token)
    client.send("alice", "Your disk is almost full", key="quota", type="warning")

It needs the standard library and pydantic. Each call makes one request and never repeats it; a call
that has a key can safely be made again.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter

from .models.broadcasts import AdminBroadcast, Delivered, SentBroadcast
from .models.features import Index
from .models.me import Me
from .models.notifications import Receipt, Reconciled, ServiceNotification

__all__ = ["Client", "ClientError"]

M = TypeVar("M", bound=BaseModel)


class ClientError(Exception):
    """The service refused, or did not answer.

    Parameters
    ----------
    message
        One sentence.
    status
        The answer's status; `None` if there was no answer.
    retry_after_s
        What the service asked to wait, in seconds.
    """

    def __init__(
        self, message: str, status: int | None = None, retry_after_s: int | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: a redirect could carry the token elsewhere."""

    def redirect_request(self, *_arguments: Any, **_keywords: Any) -> None:
        return None


class Client:
    """Talks to one central service with one token.

    Parameters
    ----------
    url
        The service's address, such as ``https://hub.example.com/services/notify``; by default
        ``JUPYTERHUB_NOTIFY_URL``.
    token
        A token of the hub's or of the token file; by default ``JUPYTERHUB_NOTIFY_TOKEN``.
    service
        The name to publish under; by default the token's own.
    timeout_s
        Seconds to wait for an answer.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        service: str | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        url = url or os.environ.get("JUPYTERHUB_NOTIFY_URL")
        if not url or urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ClientError("No address of a service: give url or set JUPYTERHUB_NOTIFY_URL")
        self.url = url.rstrip("/")
        self._token = token or os.environ.get("JUPYTERHUB_NOTIFY_TOKEN")
        self._service = service
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(
            _NoRedirect(), urllib.request.HTTPSHandler(context=ssl.create_default_context())
        )

    @property
    def service(self) -> str:
        """The name that the client publishes under."""
        if self._service is None:
            self._service = self.me().name
        return self._service

    def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        """Make one request and return the JSON of its answer.

        Parameters
        ----------
        method, path, body, query
            The parts of the request.

        Returns
        -------
        Any
            The answer; `None` if it has no content.

        Raises
        ------
        ClientError
            If the service refused or did not answer.
        """
        with self._open(method, path, body, query, self._timeout_s) as answer:
            data = answer.read()
        return json.loads(data) if data else None

    def _open(
        self,
        method: str,
        path: str,
        body: Any,
        query: Mapping[str, Any] | None,
        timeout_s: float,
    ) -> Any:
        given = {name: value for name, value in (query or {}).items() if value is not None}
        url = self.url + path + (f"?{urllib.parse.urlencode(given)}" if given else "")
        request = urllib.request.Request(url, method=method)
        if self._token:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            return self._opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise ClientError(f"{self.url} does not answer: {reason}") from None

    def _one(self, model: type[M], *arguments: Any, **keywords: Any) -> M:
        return model.model_validate(self.request(*arguments, **keywords))

    def _list(self, model: type[M], *arguments: Any, **keywords: Any) -> list[M]:
        return TypeAdapter(list[model]).validate_python(  # type: ignore[valid-type]  # a type of a variable
            self.request(*arguments, **keywords)
        )

    def index(self) -> Index:
        """Return what the service is and can do."""
        return self._one(Index, "GET", "/")

    def me(self) -> Me:
        """Return who the token's owner is and what they may do."""
        return self._one(Me, "GET", "/v1/me")

    # --- Notifications

    def _path(self, *parts: str) -> str:
        names = [self.service, "notifications", *parts]
        return "/v1/services/" + "/".join(urllib.parse.quote(name, safe="") for name in names)

    def send(
        self,
        recipient: str | None = None,
        summary: str | None = None,
        body: str | None = None,
        *,
        recipients: Sequence[str] | None = None,
        group: str | None = None,
        template: str | None = None,
        data: Mapping[str, Any] | None = None,
        key: str | None = None,
        **more: Any,
    ) -> list[ServiceNotification]:
        """Send a notification to a user, several users or a group.

        Parameters
        ----------
        recipient, recipients, group
            To whom; exactly one of them.
        summary, body
            The text, in Markdown.
        template, data
            Instead of a text, a template and the values to fill it with.
        key
            The same key to the same recipient replaces the earlier notification.
        **more
            Further fields of the wire: type, expires, banner, actions, reply and so on.

        Returns
        -------
        list
            What was stored, one for each recipient.
        """
        fields = {
            "recipient": recipient,
            "recipients": None if recipients is None else list(recipients),
            "group": group,
            "summary": summary,
            "body": body,
            "template": template,
            "data": None if data is None else dict(data),
            "key": key,
            **more,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        answer = self.request("POST", self._path(), given)
        return TypeAdapter(list[ServiceNotification]).validate_python(
            answer if isinstance(answer, list) else [answer]
        )

    def sent(self, **query: Any) -> list[ServiceNotification]:
        """Return the service's active notifications, newest first."""
        return self._list(ServiceNotification, "GET", self._path(), query=query)

    def show(self, reference: str) -> ServiceNotification:
        """Return one of the service's notifications by its id or key."""
        return self._one(ServiceNotification, "GET", self._path(reference))

    def receipts(self, reference: str) -> list[Receipt]:
        """Return the receipts of a notification, one for each user."""
        return self._list(Receipt, "GET", self._path(reference, "receipts"))

    def change(self, reference: str, **fields: Any) -> list[ServiceNotification]:
        """Change the notifications with this id or key."""
        return self._list(ServiceNotification, "PATCH", self._path(reference), fields)

    def revoke(self, reference: str) -> None:
        """Revoke the notifications with this id or key."""
        self.request("DELETE", self._path(reference))

    def reconcile(
        self, notifications: Sequence[Mapping[str, Any]], *, scope: str = ""
    ) -> Reconciled:
        """Make the list the service's only active notifications with keys.

        Parameters
        ----------
        notifications
            All that should be active, each with a key.
        scope
            Only notifications whose key begins with this text are looked at.

        Returns
        -------
        Reconciled
            The numbers of notifications created, changed and revoked.
        """
        items = [dict(one) for one in notifications]
        return self._one(Reconciled, "PUT", self._path(), items, {"scope": scope})

    # --- Broadcasts: the caller must be allowed to administer, or to send to the group

    def broadcast(self, summary: str, **fields: Any) -> SentBroadcast:
        """Send a broadcast; the fields are those of the wire."""
        body = {"summary": summary, **fields}
        return self._one(SentBroadcast, "POST", "/v1/admin/broadcasts", body)

    def broadcasts(self, **query: Any) -> list[AdminBroadcast]:
        """Return broadcasts, newest first."""
        return self._list(AdminBroadcast, "GET", "/v1/admin/broadcasts", query=query)

    def show_broadcast(self, id_: str) -> AdminBroadcast:
        """Return one broadcast with the numbers of its outcomes."""
        return self._one(AdminBroadcast, "GET", _broadcast(id_))

    def change_broadcast(self, id_: str, **fields: Any) -> AdminBroadcast:
        """Change a broadcast in place."""
        return self._one(AdminBroadcast, "PATCH", _broadcast(id_), fields)

    def revoke_broadcast(self, id_: str) -> None:
        """Revoke a broadcast."""
        self.request("DELETE", _broadcast(id_))

    def retry_broadcast(self, id_: str) -> AdminBroadcast:
        """Push a broadcast again to the servers where the push failed."""
        return self._one(AdminBroadcast, "POST", _broadcast(id_) + "/retry")

    def deliveries(self, id_: str, **query: Any) -> list[Delivered]:
        """Return the outcome of a broadcast at each recipient and server."""
        return self._list(Delivered, "GET", _broadcast(id_) + "/deliveries", query=query)

    def events(self, path: str = "/v1/events", *, timeout_s: float = 60.0) -> Iterator[Any]:
        """Follow a stream of events.

        Parameters
        ----------
        path
            Which stream.
        timeout_s
            Seconds without a byte after which the service counts as gone.

        Yields
        ------
        tuple
            ``(event, data)``, with the data read from JSON.
        """
        with self._open("GET", path, None, None, timeout_s) as answer:
            name, lines = "message", []
            for raw in answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    name = line[7:]
                elif line.startswith("data: "):
                    lines.append(line[6:])
                elif not line and lines:
                    yield name, json.loads("\n".join(lines))
                    name, lines = "message", []


def _broadcast(id_: str) -> str:
    return f"/v1/admin/broadcasts/{urllib.parse.quote(id_, safe='')}"


def _refused(error: urllib.error.HTTPError) -> ClientError:
    message = f"The service answered {error.code}"
    try:
        detail = json.loads(error.read(65536))["detail"]
        if isinstance(detail, str):
            message = detail
        else:
            place = ".".join(str(part) for part in detail[0].get("loc", []))
            message = detail[0]["msg"] + (f" ({place})" if place else "")
    except (ValueError, KeyError, TypeError, IndexError, OSError):
        pass
    after = error.headers.get("Retry-After", "")
    return ClientError(message, error.code, int(after) if after.isdigit() else None)
