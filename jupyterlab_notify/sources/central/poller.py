"""The poller: keeps storage and a central service in step while a tab is open.

The manager wakes it when the first tab opens and puts it to sleep when the last one closes. The
user's actions wait in the outbox until the service has accepted them. The service's lists are
applied, but never override what the user has done in the meantime.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from ...exceptions import NotifyError
from ..source import Source, SourceContext
from .broadcasts import BroadcastSync
from .channels import ChannelChoices
from .client import CentralClient
from .failure import Failure, NoToken
from .follower import EventFollower
from .messages import MessageSync
from .outbox import OutboxSender
from .quiet import QuietSync
from .schedule import Backoff
from .servers import has_ended, make_owner
from .session import CentralSession, CentralSettings, Interrupted
from .welcome import WelcomeSync

if TYPE_CHECKING:
    from ...models import ChannelsChange

#: Welcome messages are requested within this time after an event says that they have changed.
WELCOME_SPREAD_S = 1.0
#: The minimum time between two such requests, since such events may come in quick succession.
WELCOME_SPACING_S = 10.0


class _Step(NamedTuple):
    """A part of a pass that may fail on its own."""

    run: Callable[[], Awaitable[None]]
    backoff: Backoff


# Longer than a screen: it owns the task and the state that the parts of a pass share.
class CentralPoller(Source):
    """Polls one central service on behalf of one user.

    Parameters
    ----------
    settings
        The service and how to reach it.
    context
        The parts that the source works with.
    client
        The client of the service.
    version
        This package's version.
    last_logged
        The problem with the service that was logged at the start, if any.
    """

    name = "central"

    def __init__(
        self,
        settings: CentralSettings,
        context: SourceContext,
        *,
        client: CentralClient,
        version: str = "",
        last_logged: str | None = None,
    ) -> None:
        self._version = version
        self._started_at = time.time()
        self._settings = settings
        self._log = context.log
        self._session = CentralSession(settings, context, client, make_owner())
        self._schedule = self._session.schedule
        self._broadcasts = BroadcastSync(self._session)
        self._welcome = WelcomeSync(self._session, self._broadcasts)
        self._messages = MessageSync(self._session)
        self._channels = ChannelChoices(self._session)
        quiet = QuietSync(self._session)
        self._outbox = OutboxSender(self._session, self._broadcasts, self._welcome)
        self._follower = EventFollower(
            self._session,
            on_reload=self._reload,
            on_welcome=self._note_welcome,
            on_changed=self._replan,
        )
        self._greeting: asyncio.Task[None] | None = None
        #: Time at which to request welcome messages, if an event says that they have changed.
        self._welcome_due_at: float | None = None
        self._welcome_requested_at = float("-inf")
        self._send_step = self._make_step(self._outbox.send)
        self._send_quiet_step = self._make_step(quiet.send)
        self._welcome_step = self._make_step(self._sync_welcome)
        self._steps = (
            # The cursor comes before the lists, so that events cover changes while they are read.
            self._make_step(self._prepare_events),
            # Broadcasts come first: they need no token, and they announce outages.
            self._make_step(self._broadcasts.sync),
            self._send_step,
            self._make_step(self._messages.sync),
            self._welcome_step,
            self._make_step(quiet.sync),
        )
        self._task: asyncio.Task[None] | None = None
        self._nudged = asyncio.Event()
        self._fetches: dict[str, asyncio.Task[None]] = {}
        self._lease_renewed_at = float("-inf")
        #: The time in which steps of the last pass have failed.
        self._lost_s = 0.0
        self._last_success: float | None = None
        self._last_failure: tuple[float, str] | None = None
        self._last_logged = last_logged

    def _make_step(self, run: Callable[[], Awaitable[None]]) -> _Step:
        return _Step(run, Backoff(self._settings.interval_s))

    # When to poll

    def start(self) -> None:
        """Tell the service once that this lab has started and polls by itself."""
        self._greeting = asyncio.ensure_future(self._say_hello())

    async def _say_hello(self) -> None:
        # Spread out, because a hub may start many labs at the same time.
        await asyncio.sleep(random.uniform(0, self._session.context.timings.hello_spread_s))
        try:
            await self._session.learn_features()
            if self._session.has("hello"):
                await self._session.client.hello(
                    {
                        "extension": "jupyterlab-notify-center",
                        "version": self._version,
                        "server": os.environ.get("JUPYTERHUB_SERVER_NAME", ""),
                        "started": _rfc3339(self._started_at),
                    }
                )
        except Failure as failure:
            # The service is polled when a tab opens, and the problem is reported then.
            self._log.debug("The hello to the central service failed: %s", failure)
        if not self._is_awake():
            await self._session.client.close_idle()

    async def _prepare_events(self) -> None:
        """Request the cursor at which the event stream starts, if the service offers events."""
        try:
            await self._session.learn_features()
            if self._session.has("events") and self._follower.cursor is None:
                self._follower.cursor = await self._session.client.cursor()
        except NoToken:
            return
        except Failure as failure:
            # The messages' step reports a refused token; broadcasts are public.
            if not failure.unauthorized:
                raise

    def _reload(self) -> None:
        """Plan a whole pass soon, because the events' cursor is useless."""
        self._follower.cursor = None
        # The service's database may have been restored from a backup. Then ETags and totals may
        # repeat earlier values although the lists differ.
        self._messages.compare_in_full()
        self._schedule.plan_within(self._session.context.timings.hello_spread_s)
        self._nudged.set()

    async def _sync_welcome(self) -> None:
        await self._welcome.sync()
        if not self._follower.is_open:
            return
        # The next pass is half an hour away.
        if self._welcome.is_doubtful:
            # The messages were probably reset elsewhere. A sooner request might be answered by the
            # same replica.
            self._note_welcome(self._schedule.spacing_s)
        elif self._welcome.is_behind:
            self._note_welcome()

    def _note_welcome(self, wait_s: float = 0.0) -> None:
        if self._welcome_due_at is None:
            # Such events may come in bursts, and to all labs at once.
            now = time.monotonic()
            begin = max(now + wait_s, self._welcome_requested_at + WELCOME_SPACING_S)
            self._welcome_due_at = begin + random.uniform(0, WELCOME_SPREAD_S)
            wait_s = self._welcome_due_at - now
            # Wake a little later, since the loop's clock may differ.
            asyncio.get_running_loop().call_later(wait_s + 0.01, self._nudged.set)

    def _replan(self) -> None:
        """Poll rarely while the event stream is open, and normally while it is not."""
        is_open = self._follower.is_open
        steps = (*self._steps, self._send_quiet_step)
        was_failing = self._schedule.backoff.failures or any(s.backoff.failures for s in steps)
        self._schedule.plan(relaxed=is_open)
        if is_open and was_failing:
            # The service is back, so no back-off need run to its end.
            for step in steps:
                step.backoff.resume()
            self._schedule.succeed()
            self._schedule.plan_within(self._session.context.timings.hello_spread_s)
        self._nudged.set()

    def wake(self) -> None:
        """Start polling."""
        self._session.awake = True
        self._schedule.wake()
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._run())

    def sleep(self) -> None:
        """Stop polling. A request under way may end."""
        self._session.awake = False
        self._nudged.set()

    async def stop(self) -> None:
        """Stop at once."""
        self.sleep()
        await self._follower.stop()
        await self._session.receipts.stop()
        tasks = [t for t in (self._task, self._greeting, *self._fetches.values()) if t is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
        await self._session.client.close()

    def nudge(self) -> None:
        """Send the user's actions soon."""
        self._nudged.set()

    async def _run(self) -> None:
        renewal_s = self._session.context.timings.lease_renewal_s
        while self._is_awake():
            await self._renew_lease()
            wait_s = self._schedule.wait_s
            if wait_s <= 0:
                await self._attempt(self._pass, whole=True)
            else:
                with suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(self._nudged.wait(), min(wait_s, renewal_s))
                    self._nudged.clear()
                    if self._is_awake() and not self._schedule.is_quiet:
                        await self._attempt(self._send_now, whole=False)
            if not self._is_awake():
                await self._follower.stop()
                await self._session.client.close_idle()
            elif self._follower.cursor is not None:
                self._follower.start()

    def _is_awake(self) -> bool:
        return self._session.awake

    async def _renew_lease(self) -> None:
        """Renew this server's lease on its service, and drop services that no server polls."""
        session, leases, owner = self._session, self._session.storage.leases, self._session.owner
        now = time.monotonic()
        if now - self._lease_renewed_at < session.context.timings.lease_renewal_s:
            return
        self._lease_renewed_at = now
        try:
            pollers = await session.submit(leases.pollers, write=False)
            ended = [name for name in pollers if has_ended(name)]
            gone = await session.submit(lambda tx: leases.renew(tx, owner, ended), write=True)
        except Exception:
            self._log.debug("Renewing the lease on the central service failed", exc_info=True)
        else:
            session.emit_event("revoked", gone)

    # The steps of a pass

    async def _attempt(self, step: Callable[[], Awaitable[Failure | None]], *, whole: bool) -> None:
        if whole:
            self._schedule.begin()
        problem: Failure | None = None
        answered = self._session.client.answered
        try:
            problem = await step()
        except Interrupted:
            self._schedule.restart()
        except NoToken as failure:
            # Broadcasts need no token, and nothing is wrong with the service.
            self._report(str(failure))
            if whole:
                self._schedule.plan()
        except Failure as failure:
            self._fail(failure)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            self._fail(self._explain(error))
        else:
            # A part that failed on its own, or had nothing to send, is no sign that the service
            # is back.
            has_answered = self._session.client.answered > answered
            if has_answered:
                self._schedule.succeed()
            self._succeed(problem, whole, has_answered)

    def _explain(self, error: Exception) -> Failure:
        """Return the failure for an error in this server rather than at the service."""
        if isinstance(error, NotifyError):
            return Failure(str(error))
        self._log.debug("Following the central service failed", exc_info=True)
        return Failure(f"The central service's answer cannot be stored ({type(error).__name__}).")

    def _succeed(self, problem: Failure | None, whole: bool, has_answered: bool) -> None:
        if whole:
            self._schedule.plan(relaxed=self._follower.is_open, lost_s=self._lost_s)
            if has_answered:
                self._last_success = time.time()
            if problem is None and self._last_logged is not None:
                self._last_logged = None
                self._log.info("The central service answers again.")
        if problem is not None:
            self._report(str(problem))

    def _fail(self, failure: Failure) -> None:
        self._schedule.fail(failure)
        self._report(str(failure))

    def _report(self, message: str) -> None:
        self._last_failure = (time.time(), message)
        if message != self._last_logged:
            self._last_logged = message
            self._log.warning("%s It is tried again automatically.", message)

    async def _pass(self) -> Failure | None:
        """Run all steps; return a failure that did not concern the whole service.

        A step that fails on its own neither stops nor delays the others. A service may refuse the
        token, which broadcasts do not need, or be out of order in one part only. If no request was
        answered, all parts wait, for the longest time that any part has asked for.
        """
        problem: Failure | None = None
        client = self._session.client
        answered = client.answered
        failed: list[tuple[_Step, Failure]] = []
        self._broadcasts.answered = False
        self._lost_s = 0.0
        for step in self._steps:
            self._session.check_wanted()
            if step.backoff.is_active:
                problem = problem or step.backoff.failure
                continue
            begun_at = time.monotonic()
            try:
                failure = await self._try(step)
            except Failure:
                self._broadcasts.answered = False
                raise
            if failure is not None:
                self._lost_s += time.monotonic() - begun_at
                problem = problem or failure
                failed.append((step, failure))
        self._broadcasts.answered = False
        if failed and client.answered == answered:
            # All requests failed, so the back-off of the whole service applies.
            for step, _ in failed:
                step.backoff.succeed()
            raise max((failure for _, failure in failed), key=lambda f: f.retry_after_s or 0.0)
        return problem or self._session.notice

    async def _try(self, step: _Step) -> Failure | None:
        """Run a step; return its failure, for which its own back-off waits.

        Raises
        ------
        Failure
            If no other request may be made now either.
        """
        try:
            await step.run()
        except Interrupted:
            raise
        except Failure as failure:
            if failure.concerns_all:
                raise
            # The back-off keeps the failure. With its traceback it would also keep the answer, and
            # form a reference cycle with this frame.
            problem = failure.with_traceback(None)
        except Exception as error:
            problem = self._explain(error)
        else:
            step.backoff.succeed()
            return None
        step.backoff.fail(problem)
        return problem

    async def _send_now(self) -> Failure | None:
        """Send the user's actions at once, and request welcome messages if they have changed."""
        steps = [self._send_step, self._send_quiet_step]
        now = time.monotonic()
        if self._welcome_due_at is not None and now >= self._welcome_due_at:
            self._welcome_due_at, self._welcome_requested_at = None, now
            steps.append(self._welcome_step)
        problem: Failure | None = None
        for step in steps:
            if not step.backoff.is_active:
                problem = await self._try(step) or problem
        return problem

    async def fetch_body(self, id_: str) -> None:
        """Fetch the body of a message that was not fetched yet; the user is waiting for it.

        Raises
        ------
        Unavailable
            If the service does not return it now.
        NotFound
            If the message was revoked.
        """
        task = self._fetches.get(id_)
        if task is None:
            task = self._fetches[id_] = asyncio.ensure_future(self._fetch_body(id_))
            task.add_done_callback(lambda _: self._fetches.pop(id_, None))
        # If one caller stops waiting, the others still get the body.
        await asyncio.shield(task)

    async def _fetch_body(self, id_: str) -> None:
        if not await self._messages.fetch_body(id_):
            return
        if not self._is_awake():
            await self._session.client.close_idle()
        elif self._schedule.backoff.failures:
            # The service is back, so there is no need to wait any longer.
            self._schedule.resume()
            self._nudged.set()

    async def channels(self, change: ChannelsChange | None) -> dict[str, Any] | None:
        """Apply a change, if there is one, and return the user's channels; None if none exist."""
        try:
            return await self._channels.ask(change)
        finally:
            if not self._is_awake():
                await self._session.client.close_idle()

    def status(self, outbox: int) -> dict[str, Any]:
        """Return the status, in the shape of ``models.CentralStatus``."""
        failure = self._last_failure
        return {
            "url": self._settings.url,
            "lastSuccess": None if self._last_success is None else _rfc3339(self._last_success),
            "lastFailure": None
            if failure is None
            else {"at": _rfc3339(failure[0]), "message": failure[1]},
            "outbox": outbox,
            "welcome": "central" if self._welcome.is_offered else "files",
            "events": self._follower.is_open,
        }


def _rfc3339(seconds: float) -> str:
    then = datetime.fromtimestamp(seconds, timezone.utc)
    return then.strftime("%Y-%m-%dT%H:%M:%S.") + f"{then.microsecond // 1000:03d}Z"
