"""What waits to be sent, and the one thread that sends it; the caller never waits and never fails.

Messages of one key are coalesced: only the newest is sent. What is in progress is *looked at*,
a few times a second, so that a step of a loop costs the loop nothing.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from .errors import NoServer, Refused, SendError, Unreachable
from .message import Message

if TYPE_CHECKING:
    from .connection import ReconnectingClient
    from .discovery import Target

#: Between two messages of one key: at most three updates and the end come in any second.
INTERVAL_S = 0.34
#: How long a notification stays in progress on the server after the last that it heard of us.
HEARTBEAT_S = 30
#: How often a notification in progress that stands still is sent again.
RENEWAL_S = 10.0
#: How many messages wait at most.
MAX_WAITING = 1000
#: For how long a message is tried again while the server does not answer.
MAX_AGE_S = 60.0
#: How long a server that was not there is not looked for again.
PAUSE_S = 10.0
#: How long the end of the program waits for what is not sent yet.
EXIT_TIMEOUT_S = 4.0

log = logging.getLogger("jupyter_notify")


class PendingNotification:
    """What became of a message that the background thread sends."""

    def __init__(self, key: str, queue: SendQueue) -> None:
        self.key = key
        #: The notification's id, once it is stored.
        self.id: str | None = None
        #: Why it is not.
        self.error: SendError | None = None
        self._queue = queue
        self._done = threading.Event()
        self._callbacks: list[Callable[[], object]] = []

    def wait(self, timeout_s: float = 10.0) -> str | None:
        """Wait until it is sent; return the notification's id, or None if it is not."""
        self._done.wait(timeout_s)
        return self.id

    def revoke(self) -> None:
        """Take it back."""
        self._queue.revoke(self.key)

    def __repr__(self) -> str:
        state = self.id or self.error or "not sent yet"
        return f"<PendingNotification {self.key}: {state}>"

    def _finish(self, id_: str | None, error: SendError | None) -> None:
        self.id, self.error = id_, error
        self._done.set()
        for call in self._callbacks:
            call()

    def _when_done(self, call: Callable[[], object]) -> None:
        with self._queue.lock:
            if not self._done.is_set():
                self._callbacks.append(call)
                return
        call()


class Trackable(Protocol):
    """Something in progress, that the thread looks at."""

    key: str

    def state(self) -> object:
        """Return what a message would say, to be compared."""

    def message(self) -> Message:
        """Return the message that says it."""

    def interrupt(self) -> None:
        """End it: the program ends."""


class _Waiting:
    """A message that waits, and who wants to know what becomes of it."""

    def __init__(self, value: Message | None) -> None:
        #: None takes the notification back.
        self.value = value
        self.sent: list[PendingNotification] = []
        self.since = time.monotonic()


class _Watched:
    """Something in progress, and what was last said of it."""

    def __init__(self, live: Trackable) -> None:
        self.live = weakref.ref(live)
        self.state: object = None
        self.message: Message | None = None
        self.sent_at = float("-inf")


class SendQueue:
    """What one process sends to one server, found when there is something to send.

    Parameters
    ----------
    find
        Returns the server.
    """

    def __init__(self, find: Callable[[], Target]) -> None:
        self._find = find
        self._warned = False
        self._complaints: set[str] = set()
        self._reset()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        """Begin anew: a forked child has neither the thread nor a right to what waits in it."""
        self.lock = threading.RLock()
        self._news = threading.Condition(self.lock)
        self._waiting: dict[str, _Waiting] = {}
        self._watched: dict[str, _Watched] = {}
        self._last: dict[str, float] = {}
        self._busy = False
        self._closing = False
        self._pause_until = float("-inf")
        self._failures = 0
        self._absent: SendError | None = None
        #: Whether a server was found, and did not stay away for longer than it is waited for.
        self._was_there = False
        #: What is to be said in the log: by the thread, which then holds no lock.
        self._unsaid: deque[str] = deque()
        #: Messages of what was left unfinished and is gone. An object that is collected may not
        #: wait for a lock, which the collected one's own thread may hold.
        self._left: deque[Message] = deque()
        self._client: ReconnectingClient | None = None
        self._thread: threading.Thread | None = None
        self._at_exit = False

    # What callers do

    def submit(self, value: Message) -> PendingNotification:
        """Let a message be sent; returns at once.

        Parameters
        ----------
        value
            A message with a key; one of the same key that still waits gives way to it.
        """
        return self._put(str(value["key"]), value)

    def revoke(self, key: str) -> PendingNotification:
        """Let a notification be taken back."""
        return self._put(key, None)

    def _put(self, key: str, value: Message | None) -> PendingNotification:
        sent = PendingNotification(key, self)
        with self.lock:
            if self._absent is not None and time.monotonic() < self._pause_until:
                sent._finish(None, self._absent)
                return sent
            before = self._waiting.pop(key, None)
            if before is None and len(self._waiting) >= MAX_WAITING:
                self._complain("Too many notifications wait to be sent; the newest are dropped.")
                sent._finish(None, Unreachable("Too many notifications wait to be sent."))
                return sent
            waiting = self._waiting[key] = _Waiting(value)
            if before is not None:
                waiting.since = before.since
                waiting.sent = before.sent
            waiting.sent.append(sent)
            self._wake()
        return sent

    def watch(self, live: Trackable) -> None:
        """Look at something in progress until ``forget``, and tell how far it is."""
        with self.lock:
            self._watched[live.key] = _Watched(live)
            self._wake()

    def leave(self, value: Message) -> None:
        """Let the last message of something be sent that is gone; takes no lock."""
        self._left.append(value)

    def forget(self, key: str) -> None:
        """Look at it no longer."""
        with self.lock:
            self._watched.pop(key, None)

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until nothing waits any more; return whether that came true."""
        end = time.monotonic() + timeout_s
        with self.lock:
            while self._waiting or self._left or self._busy or self._unsaid:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._news.wait(min(left, 0.1))
        return True

    @property
    def in_thread(self) -> bool:
        """Whether the caller is the thread that sends."""
        return threading.current_thread() is self._thread

    def close(self, timeout_s: float = EXIT_TIMEOUT_S) -> None:
        """Say of everything in progress that it was interrupted, and send what waits."""
        with self.lock:
            self._closing = True
            self._pause_until = float("-inf")
            watched = [each.live() for each in self._watched.values()]
            self._news.notify_all()
        for live in watched:
            if live is not None:
                live.interrupt()
        self.flush(timeout_s)

    # The thread

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="jupyterlab-notify", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                # The interpreter is ending: too late to send anything.
                self._thread = None
                self._fail_all(Unreachable("The program is ending."))
                return
            self._close_at_exit()
        self._news.notify_all()

    def _close_at_exit(self) -> None:
        if self._at_exit:
            return
        self._at_exit = True
        atexit.unregister(self.close)
        atexit.register(self.close)
        forked = sys.modules.get("multiprocessing.util")
        if forked is not None and sys.modules["multiprocessing"].parent_process() is not None:
            # A worker ends without running what was registered with atexit.
            forked.Finalize(None, self.close, exitpriority=100)

    def _run(self) -> None:
        mine = threading.current_thread()
        while True:
            try:
                while self._unsaid:
                    log.warning("%s", self._unsaid.popleft())
                with self.lock:
                    if self._thread is not mine:
                        return
                    due = self._next()
                    self._busy = due is not None
                    if due is None:
                        self._news.notify_all()
                        self._news.wait(self._idle_s())
                        continue
                due()
            except Exception as error:
                # Whatever it is, it is not the caller's fault, and it must not end this thread.
                self._complain(f"A notification could not be sent: {error!r}.")

    def _next(self) -> Callable[[], None] | None:
        """Return what is to be done now, if anything is."""
        now = time.monotonic()
        while self._left:
            value = self._left.popleft()
            self._put(str(value["key"]), value)
        if now < self._pause_until:
            return None
        self._last = {key: at for key, at in self._last.items() if now - at < INTERVAL_S}
        for key, waiting in list(self._waiting.items()):
            # An end is told at once; it comes once.
            if self._closing or key not in self._last or waiting.value is None:
                del self._waiting[key]
                return partial(self._deliver, key, waiting)
        for key, watched in list(self._watched.items()):
            if key in self._last:
                continue
            live = watched.live()
            if live is None:
                del self._watched[key]
                continue
            try:
                state = live.state()
                if watched.message is None or state != watched.state:
                    watched.message = live.message()
                    watched.state = state
                elif now - watched.sent_at < RENEWAL_S:
                    continue
            except Exception as error:
                # What a program counts with need not be a number. The others have their turn,
                # and it is not looked at again at once.
                self._complain(f"A notification could not be sent: {error!r}.")
                self._last[key] = now
                continue
            watched.sent_at = now
            return partial(self._update, key, watched.message)
        return None

    def _idle_s(self) -> float | None:
        """Return how long there is nothing to do, if nothing comes in."""
        now = time.monotonic()
        if now < self._pause_until:
            return self._pause_until - now
        if self._watched:
            return INTERVAL_S
        if self._waiting:
            return max(0.01, INTERVAL_S - (now - min(self._last.values(), default=now)))
        return None

    def _deliver(self, key: str, waiting: _Waiting) -> None:
        try:
            id_ = self._send(key, waiting.value)
        except Unreachable as error:
            self._again_later(key, waiting, error)
        except Refused as error:
            if error.temporary and not self._closing:
                self._again_later(key, waiting, error)
            else:
                self._complain(str(error))
                self._finish(waiting, None, error)
        except SendError as error:
            self._give_up(error)
            self._finish(waiting, None, error)
        except Exception as error:
            self._finish(waiting, None, Unreachable(f"It could not be sent: {error!r}."))
            raise
        else:
            self._finish(waiting, id_, None)

    def _update(self, key: str, message: Message) -> None:
        try:
            self._send(key, message)
        except Refused as error:
            self._complain(str(error))
            if error.status != 400:
                # It says the same of what comes next.
                self._pause(error)
        except Unreachable as error:
            self._pause(error)
        except SendError as error:
            self._give_up(error)

    def _send(self, key: str, value: Message | None) -> str | None:
        try:
            return self._ask(key, value)
        finally:
            # Once it is answered: of what took long to arrive, the next would come right after it.
            self._last[key] = time.monotonic()

    def _ask(self, key: str, value: Message | None) -> str | None:
        if self._client is None:
            from .connection import ReconnectingClient

            self._client = ReconnectingClient(self._find)
        try:
            self._client.look()
        except NoServer as error:
            if self._was_there:
                # It may be starting again.
                raise Unreachable(str(error)) from None
            raise
        self._absent, self._was_there = None, True
        if value is None:
            from urllib.parse import quote

            answer = self._client.request("DELETE", f"/ingest/{quote(key, safe='')}")
        else:
            answer = self._client.request("POST", "/ingest", value)
        self._failures = 0
        return str(answer["notification_id"])

    def _pause(self, error: SendError) -> None:
        """Leave a server that does not answer alone for a while."""
        if self._closing:
            return
        self._failures += 1
        asked = error.retry_after_s if isinstance(error, Refused) else None
        wait_s = asked if asked is not None else min(0.25 * 2**self._failures, PAUSE_S)
        self._pause_until = time.monotonic() + min(wait_s, PAUSE_S)

    def _again_later(self, key: str, waiting: _Waiting, error: SendError) -> None:
        self._pause(error)
        with self.lock:
            newer = self._waiting.get(key)
            if newer is not None:
                newer.sent = waiting.sent + newer.sent
                newer.since = waiting.since
            elif not self._closing and time.monotonic() - waiting.since < MAX_AGE_S:
                # Before what came later.
                self._waiting = {key: waiting, **self._waiting}
            else:
                self._was_there = False
                self._warn(error)
                self._finish(waiting, None, error)

    def _give_up(self, error: SendError) -> None:
        """There is no server: drop what waits, and look again in a while."""
        self._warn(error)
        with self.lock:
            self._fail_all(error)
            self._absent = error
            if not self._closing:
                self._pause_until = time.monotonic() + PAUSE_S

    def _fail_all(self, error: SendError) -> None:
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            self._finish(each, None, error)

    def _finish(self, waiting: _Waiting, id_: str | None, error: SendError | None) -> None:
        with self.lock:
            for sent in waiting.sent:
                sent._finish(id_, error)
            self._news.notify_all()

    # What is said, and how often

    def _warn(self, error: SendError) -> None:
        """Say that there is nobody to send to: once in the life of a process."""
        if self._warned:
            return
        self._warned = True
        self._unsaid.append(f"Notifications are not sent. {error}")

    def _complain(self, text: str) -> None:
        """Say what is wrong with a message: once for each thing that is."""
        if text not in self._complaints and len(self._complaints) < 20:
            self._complaints.add(text)
            self._unsaid.append(text)


def new_key() -> str:
    """Return a key for a message that was given none, so that it can be sent again."""
    return os.urandom(9).hex()


def with_key(value: Message) -> Message:
    """Return a message with a key."""
    return value if "key" in value else {**value, "key": new_key()}
