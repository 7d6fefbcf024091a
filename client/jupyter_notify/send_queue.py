"""What waits to be sent, and the one thread that sends it; the caller never waits and never fails.

Messages of one key are coalesced: only the newest is sent. What is in progress is *looked at*,
a few times a second, so that a step of a loop costs the loop nothing. The thread ends before a fork
and begins anew after it; it imports nothing, so that it never holds the lock of an import.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Protocol

from . import fork
from .errors import MalformedAnswer, NoServer, Refused, SendError, Unreachable
from .message import Message

if TYPE_CHECKING:
    from . import connection
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
#: For how long while the server asks to wait (429 and `Retry-After`); that time is of its making.
MAX_ASKED_AGE_S = 600.0
#: How long a server that was not there is not looked for again.
PAUSE_S = 10.0
#: How long the end of the program waits for what is not sent yet.
EXIT_TIMEOUT_S = 4.0
#: And how long if the server asks to wait, as it does with a program that sends very much.
EXIT_ASKED_TIMEOUT_S = 15.0
#: How long a fork waits for a request that is under way.
FORK_TIMEOUT_S = 0.2

log = logging.getLogger("jupyter_notify")


class PendingNotification:
    """What became of a message that the background thread sends."""

    def __init__(self, key: str, queue: SendQueue, source: str | None = None) -> None:
        self.key = key
        self.source = source
        #: The notification's id, once it is stored.
        self.id: str | None = None
        #: Why it is not.
        self.error: SendError | None = None
        self._queue = queue
        self._done = threading.Event()
        self._pid = os.getpid()
        self._callbacks: list[Callable[[], object]] = []

    def wait(self, timeout_s: float = 10.0) -> str | None:
        """Wait until it is sent; return the notification's id, or None if it is not."""
        # A forked child has only a copy, which nobody will bring news to.
        if self._pid == os.getpid():
            self._done.wait(timeout_s)
        return self.id

    def revoke(self) -> None:
        """Take it back."""
        self._queue.revoke(self.key, self.source)

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

    def __init__(self, value: Message | None, source: str | None) -> None:
        #: None takes the notification back.
        self.value = value
        #: Who says it; a key is of one source.
        self.source = source
        #: Whether it may be gone already.
        self.may_be_gone = False
        self.sent: list[PendingNotification] = []
        #: When it was first tried in vain.
        self.failed_at: float | None = None


class _Watched:
    """Something in progress, and what was last said of it."""

    def __init__(self, live: Trackable) -> None:
        self.live = weakref.ref(live)
        self.state: object = None
        self.message: Message | None = None
        self.sent_at = float("-inf")


# Longer than a screen: one lock guards the queue, the thread and its end.
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
        fork.register(self)

    def _reset(self) -> None:
        """Begin anew: a forked child has neither the thread nor a right to what waits in it."""
        self.lock = threading.RLock()
        self._news = threading.Condition(self.lock)
        self._waiting: dict[str, _Waiting] = {}
        self._watched: dict[str, _Watched] = {}
        self._last: dict[str, float] = {}
        self._busy = False
        self._closing = False
        #: Whether the thread is to end before a fork.
        self._resting = False
        #: How many requests were begun, and at which of them a fork has waited in vain.
        self._requests = 0
        self._waited_at: int | None = None
        self._pause_until = float("-inf")
        #: Whether the server has asked for the pause.
        self._asked = False
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
        return self._put(str(value["key"]), value, value.get("source"))

    def revoke(self, key: str, source: str | None = None) -> PendingNotification:
        """Let a notification be taken back."""
        return self._put(key, None, source)

    def retract(self, key: str, source: str | None = None) -> None:
        """Let something that is no longer in progress vanish, if it was shown at all."""
        with self.lock:
            watched = self._watched.pop(key, None)
            if watched is not None and watched.message is not None:
                self._put(key, None, source)
                if key in self._waiting:
                    self._waiting[key].may_be_gone = True

    def _put(self, key: str, value: Message | None, source: str | None) -> PendingNotification:
        sent = PendingNotification(key, self, source)
        with self.lock:
            if self._absent is not None and time.monotonic() < self._pause_until:
                sent._finish(None, self._absent)
                return sent
            before = self._waiting.pop(key, None)
            if before is None and len(self._waiting) >= MAX_WAITING:
                self._complain("Too many notifications wait to be sent; the newest are dropped.")
                sent._finish(None, Unreachable("Too many notifications wait to be sent."))
                return sent
            waiting = self._waiting[key] = _Waiting(value, source)
            if before is not None:
                waiting.failed_at = before.failed_at
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
            if not self._asked:
                self._pause_until = float("-inf")
            watched = [each.live() for each in self._watched.values()]
            self._news.notify_all()
        for live in watched:
            if live is not None:
                live.interrupt()
        began = time.monotonic()
        self.flush(timeout_s)
        if self._asked:
            self.flush(max(0.0, began + EXIT_ASKED_TIMEOUT_S - time.monotonic()))
        with self.lock:
            left = len(self._waiting)
            if self._client is not None and not self._busy:
                self._client.close()
        if left:
            log.warning("%d notifications were not sent before the program ended.", left)

    # Forks

    def before_fork(self) -> None:
        """End the thread, so that no lock is copied that it holds."""
        with self.lock:
            thread = self._thread
            if thread is None or thread is threading.current_thread():
                return
            self._resting = True
            self._news.notify_all()
            if self._busy and self._waited_at == self._requests:
                # A server that hangs must not delay every fork.
                return
            self._waited_at = self._requests
        thread.join(FORK_TIMEOUT_S)

    def after_fork_in_parent(self) -> None:
        """Begin anew with what is left to do."""
        with self.lock:
            self._resting = False
            if self._waiting or self._watched or self._left or self._unsaid:
                self._wake()

    def after_fork_in_child(self) -> None:
        """Have neither the thread nor what waits in it: that is the parent's to send."""
        client = self._client
        self._reset()
        if client is not None:
            # The child's copy of the connection; the parent goes on using its own.
            client.close()

    # The thread

    def _wake(self) -> None:
        if self._thread is None and not self._resting:
            _import_all()
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
        for library in ("multiprocessing", "billiard"):
            # A worker (Celery's are billiard's) ends without running what atexit was given.
            util = sys.modules.get(f"{library}.util")
            process = sys.modules.get(f"{library}.process")
            if util is not None and process is not None and _is_worker(process):
                util.Finalize(None, self.close, exitpriority=100)

    def _run(self) -> None:
        mine = threading.current_thread()
        while True:
            try:
                while self._unsaid:
                    log.warning("%s", self._unsaid.popleft())
                with self.lock:
                    if self._thread is not mine:
                        return
                    if self._resting:
                        self._thread, self._busy = None, False
                        self._news.notify_all()
                        return
                    due = self._next()
                    self._busy = due is not None
                    self._requests += self._busy
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
            self._put(str(value["key"]), value, value.get("source"))
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
            id_ = self._send(key, waiting.value, waiting.source)
        except Unreachable as error:
            self._again_later(key, waiting, error)
        except Refused as error:
            if error.temporary and (not self._closing or error.retry_after_s is not None):
                self._again_later(key, waiting, error)
            else:
                if not (waiting.may_be_gone and error.status == 404):
                    self._complain(str(error))
                self._finish(waiting, None, error)
        except MalformedAnswer as error:
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
            self._send(key, message, message.get("source"))
        except Refused as error:
            self._complain(str(error))
            if error.status != 400:
                # It says the same of what comes next.
                self._pause(error)
        except Unreachable as error:
            self._pause(error)
        except MalformedAnswer as error:
            self._complain(str(error))
            self._pause(error)
        except SendError as error:
            self._give_up(error)

    def _send(self, key: str, value: Message | None, source: str | None) -> str | None:
        try:
            return self._ask(key, value, source)
        finally:
            # Once it is answered: of what took long to arrive, the next would come right after it.
            self._last[key] = time.monotonic()

    def _ask(self, key: str, value: Message | None, source: str | None) -> str | None:
        if self._client is None:
            self._client = connection.ReconnectingClient(self._find)
        try:
            self._client.connect()
        except NoServer as error:
            if self._was_there:
                # It may be starting again.
                raise Unreachable(str(error)) from None
            raise
        self._absent, self._was_there = None, True
        if value is None:
            answer = self._client.request("DELETE", connection.ingest_path(key, source))
        else:
            answer = self._client.request("POST", "/ingest", value)
        self._failures, self._asked = 0, False
        return self._client.id_in(answer)

    def _pause(self, error: SendError) -> None:
        """Leave a server that does not answer alone for a while, or for as long as it asks."""
        asked_s = error.retry_after_s if isinstance(error, Refused) else None
        if asked_s is not None:
            self._asked = True
            # Its clock and ours need not begin a second together.
            self._pause_until = time.monotonic() + max(asked_s, 0.1)
        elif not self._closing:
            self._failures += 1
            self._pause_until = time.monotonic() + min(0.25 * 2**self._failures, PAUSE_S)

    def _again_later(self, key: str, waiting: _Waiting, error: SendError) -> None:
        self._pause(error)
        now = time.monotonic()
        waiting.failed_at = waiting.failed_at or now
        asked = isinstance(error, Refused) and error.retry_after_s is not None
        age_s = MAX_ASKED_AGE_S if asked else MAX_AGE_S
        with self.lock:
            newer = self._waiting.get(key)
            if newer is not None:
                newer.sent = waiting.sent + newer.sent
                newer.failed_at = waiting.failed_at
            elif (asked or not self._closing) and now - waiting.failed_at < age_s:
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
                self._asked = False
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


def _import_all() -> None:
    """Import in the caller's thread what the sending one uses.

    A fork while that one imports something would leave the import's lock held in the child.
    """
    global connection
    from . import connection, discovery
    from .runtime_files import runtime_dir

    assert discovery
    # The name of a host is encoded by a codec that is imported when it is first used.
    "localhost".encode("idna")
    with contextlib.suppress(OSError, RuntimeError):
        # As if no variable named it, since one may be set or removed later.
        runtime_dir({})


def _is_worker(process: ModuleType) -> bool:
    return getattr(process.current_process(), "_parent_pid", None) is not None
