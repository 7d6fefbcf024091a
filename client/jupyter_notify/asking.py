"""Ask the user something and wait for the answer: what ``notify.ask`` does."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from .connection import ReconnectingClient, image_path, ingest_path
from .discovery import Target
from .errors import NoServer, Refused, SendError, Unreachable
from .message import MAX_TTL_S, Message, compose
from .send_queue import with_key
from .values import to_number

log = logging.getLogger("jupyter_notify")

#: Time in seconds that one request waits for the user: less than the timeout of a request.
WAIT_S = 5
#: Pause in seconds before a server that does not answer is asked again.
RETRY_S = 1.0
#: Time in seconds for which a question may still be on its way into the server when its program is
#: interrupted, and the pause between two tries to revoke it.
STORING_S = 2.0
REVOKE_EVERY_S = 0.1
#: Time in seconds without a request for the answer, after which the server counts the program as
#: killed and its question as over: long enough for a server that restarts. Older servers ignore it.
HEARTBEAT_S = 60
#: Time in seconds from the timeout until a question expires, if the program cannot revoke it.
GRACE_S = 10.0
#: Fields that say how a message is shown; a question stays in sight unless one of these is given.
SHOWN = ("toast", "persistent", "auto_close_ms")


def ask(
    find: Callable[[], Target],
    message: object,
    choices: Iterable[object] | object = (),
    *,
    text: Any = None,
    prompt: object = None,
    timeout: Any = None,
    picture: bytes | None = None,
    **options: Any,
) -> str | None:
    """Ask, and return what the user answers; see ``Notify.ask``."""
    timeout_s = None if timeout is None else to_number(timeout, "timeout", 0, MAX_TTL_S)
    reply = {"choices": choices, "text": text, "prompt": prompt}
    if not any(name in options for name in SHOWN):
        options["persistent"] = True
    if timeout_s is not None and options.get("ttl") is None:
        options["ttl"] = min(timeout_s + GRACE_S, MAX_TTL_S)
    value = compose(message, reply=reply, **options)
    if value.get("type") != "in-progress":
        # In a progress, a heartbeat promises that the message itself is repeated.
        value["heartbeat"] = HEARTBEAT_S
    return _Question(find, value, timeout_s, picture).ask()


class _Question:
    """A question, and the wait for its answer.

    Parameters
    ----------
    find
        Returns the server.
    value
        The message.
    timeout_s
        How long to wait; None: for as long as it takes.
    picture
        The message's picture.
    """

    def __init__(
        self,
        find: Callable[[], Target],
        value: Message,
        timeout_s: float | None,
        picture: bytes | None = None,
    ) -> None:
        self._client = ReconnectingClient(find)
        self._value = value
        self._end = math.inf if timeout_s is None else time.monotonic() + timeout_s
        self._source = value.get("source")
        self._picture = picture
        #: The question's id while it is open; its key while the server is storing it.
        self._id: str | None = None
        self._is_stored = False

    def ask(self) -> str | None:
        """Ask, wait, and revoke the question if it was not answered."""
        try:
            self._send()
            return self._wait()
        except SendError as error:
            # As with every message, the program must not fail because nothing can be sent.
            log.warning("The user could not be asked: %s", error)
            return None
        finally:
            if self._id is not None:
                with suppress(SendError):
                    self._revoke(ingest_path(self._id, self._source))
            self._client.close()

    def _revoke(self, path: str) -> None:
        """Revoke the question, which the server may be storing only now."""
        end = time.monotonic() + (0 if self._is_stored else STORING_S)
        while True:
            try:
                self._client.request("DELETE", path)
                return
            except Refused as error:
                if error.status != 404 or time.monotonic() >= end:
                    raise
            time.sleep(REVOKE_EVERY_S)

    def _send(self) -> None:
        if "key" in self._value:
            # Revoke an earlier question with this key: its answer must not count for this one.
            with suppress(Refused):
                self._persist("DELETE", ingest_path(self._value["key"], self._source))
        value = with_key(self._value)
        # If the program is interrupted before the server has told the id, the key revokes it.
        self._id = value["key"]
        try:
            answer = self._persist("POST", "/ingest", value)
            self._id = self._client.id_in(answer)
        except SendError:
            self._id = None
            raise
        self._is_stored = True
        if self._picture is not None:
            try:
                path = image_path(self._id, self._source)
                self._client.request("PUT", path, self._picture)
            except SendError as error:
                log.warning("A question is asked without its picture: %s", error)

    def _wait(self) -> str | None:
        while True:
            assert self._id is not None
            left_s = self._end - time.monotonic()
            wait_s = math.ceil(min(max(left_s, 0), WAIT_S))
            path = ingest_path(self._id, self._source)
            try:
                row = self._persist("GET", f"{path}{'&' if '?' in path else '?'}wait={wait_s}")
            except Refused as error:
                if error.status == 404:
                    # The question was revoked, or has expired.
                    self._id = None
                    return None
                if error.status == 405:
                    raise Refused("its server is too old to ask something.", 405) from None
                raise
            if isinstance(answer := row.get("answer"), str):
                self._id = None
                return answer
            if row.get("dismissed") is not None or left_s <= 0:
                return None

    def _persist(self, method: str, path: str, value: Message | None = None) -> dict[str, Any]:
        """Send a request, again if need be until the timeout, and return the server's answer."""
        while True:
            try:
                return self._client.request(method, path, value)
            except (NoServer, Unreachable, Refused) as error:
                if isinstance(error, NoServer):
                    # The server that has the question may be restarting.
                    temporary = self._is_stored
                else:
                    temporary = isinstance(error, Unreachable) or error.temporary
                if not temporary or time.monotonic() >= self._end:
                    raise
                asked_s = error.retry_after_s if isinstance(error, Refused) else None
                wait_s = max(RETRY_S, asked_s or 0.0)
                time.sleep(max(0.0, min(wait_s, self._end - time.monotonic())))
