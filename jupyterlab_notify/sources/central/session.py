"""The state that the poller and its sync classes share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...exceptions import Unavailable
from ..source import SourceContext
from .client import CentralClient
from .failure import Failure
from .receipts import ReceiptSender
from .schedule import Schedule


@dataclass(frozen=True)
class CentralSettings:
    """The central service and how to reach it; see the traitlets of ``NotifyApp``."""

    url: str
    name: str
    aspect: str = "jupyterlab"
    interval_s: float = 60.0
    timeout_s: float = 10.0
    ca_bundle: str = ""
    token_file: str = ""
    token_variable: str = ""


@dataclass
class ListState:
    """The state of a list when it was last compared."""

    epoch: str = ""
    etag: str | None = None
    ids: tuple[str, ...] = ()
    total: int | None = None
    compared_at: float = field(default=float("-inf"))


class Interrupted(Exception):
    """The last tab was closed during a pass, or the service has asked for a pause."""


class CentralSession:
    """One central service on behalf of one user.

    Parameters
    ----------
    settings
        The service and how to reach it.
    context
        The parts that the source works with.
    client
        The client of the service.
    owner
        This server's name among those that share the database.
    """

    def __init__(
        self, settings: CentralSettings, context: SourceContext, client: CentralClient, owner: str
    ) -> None:
        self.settings = settings
        self.context = context
        self.storage = context.storage
        self.submit = context.submit
        self.client = client
        self.owner = owner
        self.schedule = Schedule(settings.interval_s)
        self.receipts = ReceiptSender(client, context.count_tabs)
        self.awake = False
        #: Time before which nothing that a user waits for may be requested.
        self._asked_until = float("-inf")
        #: The features that the service offers beyond Semaphore's routes; None if not known yet.
        self.features: frozenset[str] | None = None
        #: For each list, a sentence about what was left out, if anything was.
        self.notices: dict[str, str | None] = {}
        #: The service's ids of messages in events since the comparison of the lists began; None
        #: while no comparison runs. An event is newer than any list.
        self.changed_by_events: set[str] | None = None
        self._receipt_tasks: set[asyncio.Task[None]] = set()

    @property
    def notice(self) -> Failure | None:
        """A failure that says what was left out of the lists, if anything was."""
        text = " ".join(notice for notice in self.notices.values() if notice)
        return Failure(text) if text else None

    def check_wanted(self) -> None:
        """Raise ``Interrupted`` unless a tab is open and the service may be polled."""
        if not self.awake or self.schedule.paused_s > 0:
            raise Interrupted

    def check_not_paused(self) -> None:
        """Raise ``Unavailable`` while the service has asked for a pause; the user is waiting."""
        paused_s = max(self.schedule.paused_s, self._asked_until - time.monotonic())
        if paused_s > 0:
            raise Unavailable(
                f"The central service asks to wait for another {paused_s:.0f} s.",
                retry_after_s=paused_s,
            )

    def unavailable(self, failure: Failure) -> Unavailable:
        """Return the error that a waiting user gets, and note the pause that the service wants."""
        if failure.retry_after_s is not None:
            if failure.status >= 500:
                # An error of this one request must not delay the lists.
                self._asked_until = time.monotonic() + failure.retry_after_s
            else:
                self.schedule.pause(failure.retry_after_s)
        return Unavailable(str(failure), retry_after_s=failure.retry_after_s)

    def has(self, feature: str) -> bool:
        """Return whether the service is known to offer a feature."""
        return self.features is not None and feature in self.features

    async def learn_features(self) -> None:
        """Request the features that the service offers beyond Semaphore's routes, once."""
        if self.features is None:
            features = await self.client.features()
            self.features = features.names
            self.receipts.wanted = "receipts" in features.names and features.receipts != "off"

    def created(self, ids: Iterable[str]) -> None:
        """Report new notifications: as an event, and to the service if it wants receipts."""
        some = list(ids)
        self.emit_event("created", some)
        if some and self.receipts.wanted:
            task = asyncio.ensure_future(self._send_receipts(some))
            self._receipt_tasks.add(task)
            task.add_done_callback(self._receipt_tasks.discard)

    async def _send_receipts(self, ids: list[str]) -> None:
        remotes = await self.submit(lambda tx: self.storage.remote.remotes(tx, ids), write=False)
        self.receipts.add(remotes)

    def emit_event(self, action: str, ids: Iterable[str]) -> None:
        """Emit an event about notifications, if there are any."""
        if some := list(ids):
            self.context.emit_event(action, some)
