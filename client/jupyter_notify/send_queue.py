"""A queue of messages and the background thread that sends them; the caller never waits or fails.

Messages with the same key are coalesced: only the newest is sent. The thread samples the progress
of loops a few times a second, so a step costs a loop nothing. The thread stops before a fork and
starts again after it. It imports nothing, so that it never holds the import lock.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import signal
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Protocol

from . import fork, workers
from .errors import MalformedAnswer, NoServer, Refused, SendError, Unreachable
from .message import Message

if TYPE_CHECKING:
    from . import connection
    from .connection import ReconnectingClient
    from .discovery import Target

#: The minimum time between two messages with one key: at most three updates and the final message
#: are sent in any second.
INTERVAL_S = 0.34
#: Time in seconds that the server keeps a notification in progress after our last message.
HEARTBEAT_S = 30
#: Interval in seconds at which a notification in progress is sent again while nothing changes.
RENEWAL_S = 10.0
#: The maximum number of waiting messages.
MAX_WAITING = 1000
#: The maximum size of all waiting pictures together, in bytes.
MAX_WAITING_PICTURES = 16 * 1024 * 1024
#: Time in seconds for which a message is retried while the server does not answer.
MAX_AGE_S = 60.0
#: Time in seconds for which a message is retried while the server asks to wait (429 and
#: `Retry-After`). This is longer, since the server itself causes the delay.
MAX_THROTTLED_AGE_S = 600.0
#: The longest pause before the server is looked for again.
PAUSE_S = 10.0
#: Time in seconds that the program waits at exit for messages that are not sent yet.
EXIT_TIMEOUT_S = 4.0
#: The same if the server asks to wait, as it does when a program sends very many messages.
EXIT_THROTTLED_TIMEOUT_S = 15.0
#: Interval in seconds at which the thread looks whether its process is over, where only the thread
#: itself can see that.
OVER_S = 0.1
#: The thread's name.
THREAD = "jupyterlab-notify"
#: Time in seconds that a fork waits for a running request. A fork during a request may hang the
#: child, so a busy machine gets some time. If the server hangs, only the first fork waits.
FORK_TIMEOUT_S = 1.0
#: Time in seconds that a caller waits in a pool's worker, since the worker may be killed right
#: after the call. If the server hangs, only the first message waits.
WORKER_TIMEOUT_S = 1.0

log = logging.getLogger("jupyter_notify")


class PendingNotification:
    """The result of a message that the background thread sends."""

    def __init__(self, key: str, queue: SendQueue, source: str | None = None) -> None:
        self.key = key
        self.source = source
        #: The notification's id, once it is stored.
        self.id: str | None = None
        #: The reason why it was not stored.
        self.error: SendError | None = None
        self._queue = queue
        self._done = threading.Event()
        self._pid = os.getpid()
        self._callbacks: list[Callable[[], object]] = []

    def wait(self, timeout_s: float = 10.0) -> str | None:
        """Wait until the message is sent; return its notification's id, or None without one."""
        # A forked child has only a copy, which is never updated.
        if self._pid == os.getpid():
            self._done.wait(timeout_s)
        return self.id

    def revoke(self) -> None:
        """Revoke the notification."""
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
    """Something in progress that the thread samples."""

    key: str

    def state(self) -> object:
        """Return a value that changes whenever the message would."""

    def message(self) -> Message:
        """Return the message that shows the present progress."""

    def interrupt(self) -> None:
        """End this as interrupted, because the program ends."""


class _Waiting:
    """A waiting message, and the results that depend on it."""

    def __init__(self, value: Message | None, source: str | None) -> None:
        #: The message; None revokes the notification.
        self.value = value
        #: The message's picture, which is sent after it.
        self.picture: bytes | None = None
        #: The message's source; each source has its own keys.
        self.source = source
        #: True if the notification may be gone already.
        self.may_be_gone = False
        self.sent: list[PendingNotification] = []
        #: Time at which the first attempt failed.
        self.failed_at: float | None = None
        #: True if a caller waits for the message, so that it need not keep the interval.
        self.urgent = False


class _Watched:
    """Something in progress, and the last message about it."""

    def __init__(self, live: Trackable) -> None:
        self.live = weakref.ref(live)
        self.state: object = None
        self.message: Message | None = None
        self.sent_at = float("-inf")
        #: A picture that is not sent yet.
        self.picture: bytes | None = None


# Longer than a screen: one lock guards the queue, the thread and its end.
class SendQueue:
    """The queue of one process; the server is looked for when there is something to send.

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
        """Start afresh: a forked child has no thread, and the waiting messages are its parent's."""
        self.lock = threading.RLock()
        self._changed = threading.Condition(self.lock)
        self._waiting: dict[str, _Waiting] = {}
        self._watched: dict[str, _Watched] = {}
        self._last: dict[str, float] = {}
        #: Keys of what was in progress and has just ended.
        self._ended: set[str] = set()
        #: True from when a caller waited in vain until the server answers.
        self._waited_in_vain = False
        self._busy = False
        self._closing = False
        #: True if the thread is to stop for a fork.
        self._stopping = False
        #: The number of requests so far, and that number when a fork waited until the timeout.
        self._requests = 0
        self._waited_at: int | None = None
        self._pause_until = float("-inf")
        #: True if the server has asked for the pause.
        self._throttled = False
        self._failures = 0
        self._absent: SendError | None = None
        #: True once a server was found; false again once it has been away longer than messages are
        #: retried.
        self._was_there = False
        #: Warnings for the log. The thread logs them, at a moment when it holds no lock.
        self._to_log: deque[str] = deque()
        #: Final messages of objects that were garbage-collected unfinished. A finalizer must not
        #: wait for a lock, because its own thread may hold it.
        self._abandoned: deque[Message] = deque()
        self._client: ReconnectingClient | None = None
        self._thread: threading.Thread | None = None
        self._at_exit = False
        #: State of ``close``, and the time that messages after it may delay the end.
        self._closed = False
        self._left_s = EXIT_TIMEOUT_S
        #: True while a caller sends the waiting messages, since no thread can be started.
        self._draining = False
        #: Time at which the process was found to be over.
        self._over_at: float | None = None

    # For callers

    def submit(self, value: Message, picture: bytes | None = None) -> PendingNotification:
        """Queue a message; returns at once.

        Parameters
        ----------
        value
            A message with a key. It replaces a waiting one with the same key.
        picture
            The message's picture; None keeps the picture that the notification has.
        """
        return self._put(str(value["key"]), value, value.get("source"), picture)

    def revoke(self, key: str, source: str | None = None) -> PendingNotification:
        """Queue the revocation of a notification."""
        return self._put(key, None, source)

    def retract(self, key: str, source: str | None = None) -> None:
        """Stop watching something, and revoke its notification if it was shown at all."""
        with self.lock:
            watched = self._watched.pop(key, None)
            if watched is not None and watched.message is not None:
                self._put(key, None, source)
                if key in self._waiting:
                    self._waiting[key].may_be_gone = True

    def _put(
        self,
        key: str,
        value: Message | None,
        source: str | None,
        picture: bytes | None = None,
    ) -> PendingNotification:
        sent = PendingNotification(key, self, source)
        if sys.is_finalizing():
            # Python has frozen the thread, perhaps while it held the lock.
            sent._finish(None, Unreachable("The program has ended."))
            return sent
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
                waiting.picture = before.picture if value is not None else None
            if picture is not None:
                self._attach(waiting, picture)
            waiting.sent.append(sent)
            ended = key in self._ended
            self._ended.discard(key)
            if _is_final(value) and workers.may_be_killed():
                # Do not wait for a message that must keep the interval of its key anyway.
                waiting.urgent = ended or value is None or key not in self._last
            self._wake()
            late = self._is_late()
        if late:
            self._send_late()
        elif waiting.urgent and not self.in_thread:
            self._wait_for(sent)
        return sent

    def _wait_for(self, sent: PendingNotification) -> None:
        """Wait until a message is sent, unless that would take long."""
        if self._waited_in_vain or time.monotonic() < self._pause_until:
            return
        sent.wait(WORKER_TIMEOUT_S)
        self._waited_in_vain = not sent._done.is_set()

    def _attach(self, waiting: _Waiting, picture: bytes) -> None:
        """Give a waiting message its picture, unless pictures take too much memory already."""
        waiting.picture = None
        held = sum(len(each.picture) for each in self._waiting.values() if each.picture)
        if held + len(picture) <= MAX_WAITING_PICTURES:
            waiting.picture = picture
        else:
            self._complain("Too many pictures wait to be sent; the newest are dropped.")

    def watch(self, live: Trackable) -> None:
        """Sample something in progress until ``forget``, and send its progress."""
        with self.lock:
            self._watched[live.key] = _Watched(live)
            self._wake()

    def show(self, key: str, picture: bytes) -> None:
        """Give something in progress another picture."""
        with self.lock:
            if key in self._watched:
                self._watched[key].picture = picture
                self._wake()

    def submit_from_finalizer(self, value: Message) -> None:
        """Queue the final message of a garbage-collected object; takes no lock."""
        self._abandoned.append(value)

    def forget(self, key: str) -> bytes | None:
        """Stop watching something; return its picture if that was not sent yet."""
        with self.lock:
            watched = self._watched.pop(key, None)
            if watched is not None:
                self._ended = {key}
        return None if watched is None else watched.picture

    def flush(self, timeout_s: float = 10.0) -> bool:
        """Wait until no message waits; return False if that takes longer than the timeout."""
        end = time.monotonic() + timeout_s
        with self.lock:
            while self._waiting or self._abandoned or self._busy or self._to_log:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(min(left, 0.1))
        return True

    @property
    def in_thread(self) -> bool:
        """Return whether the caller is the background thread."""
        return threading.current_thread() is self._thread

    def close(self, timeout_s: float = EXIT_TIMEOUT_S) -> None:
        """Mark everything in progress as interrupted, and send what waits."""
        self._begin_closing()
        began = time.monotonic()
        self.flush(timeout_s)
        self._left_s = max(0.0, self._left_s - (time.monotonic() - began))
        if self._throttled:
            self.flush(max(0.0, began + EXIT_THROTTLED_TIMEOUT_S - time.monotonic()))
        with self.lock:
            self._closed = True
            left = len(self._waiting)
            if self._client is not None and not self._busy:
                self._client.close()
        if left:
            log.warning("%d notifications were not sent before the program ended.", left)

    def _begin_closing(self) -> None:
        """Mark everything in progress as interrupted, and send without pauses from now on."""
        with self.lock:
            self._closing = True
            if not self._throttled:
                self._pause_until = float("-inf")
            watched = [each.live() for each in self._watched.values()]
            self._changed.notify_all()
        for live in watched:
            if live is not None:
                live.interrupt()

    # After the program's last line

    def _is_over(self) -> bool:
        """Return whether nothing but this thread is left of the process, and nothing to send."""
        if not fork.ends_with_threads:
            return False
        if any(one.name != THREAD and one.is_alive() for one in threading.enumerate()):
            return False
        if self._over_at is None:
            self._over_at = time.monotonic()
            self._begin_closing()
        left = self._waiting or self._abandoned or self._to_log
        return not left or time.monotonic() - self._over_at > EXIT_TIMEOUT_S

    def _is_late(self) -> bool:
        """Return whether this message may get no other chance to be sent.

        That is so in a function that runs at exit, after ours or without it, and when Python no
        longer starts threads.
        """
        if self._draining or self._stopping or (self._closing and not self._closed):
            return False
        main = threading.main_thread()
        ended = threading.current_thread() is main and not main.is_alive()
        return self._thread is None or ended

    def _send_late(self) -> None:
        """Wait for the unsent messages, or send them in this thread, for a bounded time."""
        began = time.monotonic()
        if self._thread is not None:
            self.flush(self._left_s)
        else:
            self._drain(began + self._left_s)
        # A server that hangs delays the end once, not for each message.
        self._left_s = max(0.0, self._left_s - (time.monotonic() - began))

    def _drain(self, end: float) -> None:
        with self.lock:
            self._draining = True
            if self._client is not None:
                self._client.close()
            left_s = max(0.01, end - time.monotonic())
            self._client = connection.ReconnectingClient(self._find, left_s)
        try:
            while (self._waiting or self._abandoned) and time.monotonic() < end:
                with self.lock:
                    due = self._next()
                    idle_s = self._idle_s() or 0.0
                if due is not None:
                    due()
                else:
                    time.sleep(min(idle_s, max(0.0, end - time.monotonic())))
        finally:
            with self.lock:
                self._draining = False
                self._client.close()
                self._client = None
                self._fail_all(Unreachable("Python starts no thread that could send it."))

    # Forks

    def before_fork(self) -> None:
        """Stop the thread, so that the child inherits no lock that the thread holds."""
        with self.lock:
            thread = self._thread
            if thread is None or thread is threading.current_thread():
                return
            self._stopping = True
            self._changed.notify_all()
            if self._busy and self._waited_at == self._requests:
                # A server that hangs must not delay every fork.
                return
            self._waited_at = self._requests
        thread.join(FORK_TIMEOUT_S)

    def after_fork_in_parent(self) -> None:
        """Start the thread again, if there is anything left to send."""
        with self.lock:
            self._stopping = False
            if self._waiting or self._watched or self._abandoned or self._to_log:
                self._wake()

    def after_fork_in_child(self) -> None:
        """Start afresh, without the thread and the messages: the parent sends the messages."""
        client = self._client
        self._reset()
        if client is not None:
            # This closes the child's copy of the connection only.
            client.close()

    # The thread

    def _wake(self) -> None:
        if self._thread is None and not self._stopping:
            import_all()
            self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
            try:
                self._thread.start()
            except RuntimeError:
                # Python is ending and starts no more threads, or the system allows no more.
                self._thread = None
                return
            self._close_at_exit()
        self._changed.notify_all()

    def _close_at_exit(self) -> None:
        if self._at_exit:
            return
        self._at_exit = True
        atexit.unregister(self.close)
        atexit.register(self.close)
        workers.call_at_end(self.close)

    def _run(self) -> None:
        mine = threading.current_thread()
        while True:
            try:
                while self._to_log:
                    log.warning("%s", self._to_log.popleft())
                with self.lock:
                    if self._thread is not mine:
                        return
                    if self._stopping or self._is_over():
                        self._thread, self._busy = None, False
                        self._changed.notify_all()
                        return
                    due = self._next()
                    self._busy = due is not None
                    self._requests += self._busy
                    if due is None:
                        self._changed.notify_all()
                        self._changed.wait(self._idle_s())
                        continue
                due()
            except Exception as error:
                # No error may end this thread, and the caller could do nothing about one.
                self._complain(f"A notification could not be sent: {error!r}.")

    def _next(self) -> Callable[[], None] | None:
        """Return the next request to make now, if there is one."""
        now = time.monotonic()
        while self._abandoned:
            value = self._abandoned.popleft()
            self._put(str(value["key"]), value, value.get("source"))
        if now < self._pause_until:
            return None
        self._last = {key: at for key, at in self._last.items() if now - at < INTERVAL_S}
        for key, waiting in list(self._waiting.items()):
            # A revocation need not keep the interval: only one can follow.
            soon = self._closing or waiting.urgent or waiting.value is None
            if soon or key not in self._last:
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
                elif watched.picture is None and now - watched.sent_at < RENEWAL_S:
                    continue
            except Exception as error:
                # A program may count with objects that are no numbers. Go on with other progress,
                # and sample this progress again only after the interval.
                self._complain(f"A notification could not be sent: {error!r}.")
                self._last[key] = now
                continue
            watched.sent_at = now
            return partial(self._update, key, watched.message, watched)
        return None

    def _idle_s(self) -> float | None:
        """Return how long there is nothing to do unless a caller wakes the thread."""
        idle_s = self._undisturbed_s()
        if fork.ends_with_threads:
            return OVER_S if idle_s is None else min(idle_s, OVER_S)
        return idle_s

    def _undisturbed_s(self) -> float | None:
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
            if waiting.picture is not None and id_ is not None:
                self._send_picture(key, waiting.picture, waiting.source)
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

    def _send_picture(self, key: str, picture: bytes, source: str | None) -> None:
        """Send the picture of a message that was just stored.

        Raises
        ------
        Unreachable, Refused
            If the server may accept the picture later. The message is then sent once more as well,
            which changes nothing.
        """
        assert self._client is not None
        try:
            self._client.request("PUT", connection.image_path(key, source), picture)
        except Refused as error:
            if error.temporary:
                raise
            self._complain(f"A notification has no picture: {error}")
        except MalformedAnswer as error:
            self._complain(f"A notification has no picture: {error}")

    def _update(self, key: str, message: Message, watched: _Watched) -> None:
        try:
            self._send(key, message, message.get("source"))
            if (picture := watched.picture) is not None:
                self._send_picture(key, picture, message.get("source"))
                with self.lock:
                    # Another picture may have come in the meantime.
                    if watched.picture is picture:
                        watched.picture = None
        except Refused as error:
            self._complain(str(error))
            if error.status != 400:
                # After any status but 400, the next message will probably fail in the same way.
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
            # The interval counts from the answer: otherwise the next request would follow a slow
            # request at once.
            self._last[key] = time.monotonic()

    def _ask(self, key: str, value: Message | None, source: str | None) -> str | None:
        if self._client is None:
            self._client = connection.ReconnectingClient(self._find)
        try:
            self._client.connect()
        except NoServer as error:
            if self._was_there:
                # The server may be restarting.
                raise Unreachable(str(error)) from None
            raise
        self._absent, self._was_there = None, True
        if value is None:
            answer = self._client.request("DELETE", connection.ingest_path(key, source))
        else:
            answer = self._client.request("POST", "/ingest", value)
        self._failures, self._throttled, self._waited_in_vain = 0, False, False
        return self._client.id_in(answer)

    def _pause(self, error: SendError) -> None:
        """Pause for as long as the server asks, or with a growing back-off."""
        retry_after_s = error.retry_after_s if isinstance(error, Refused) else None
        if retry_after_s is not None:
            self._throttled = True
            # Wait a little even after "0 seconds": the server's clock and ours differ.
            self._pause_until = time.monotonic() + max(retry_after_s, 0.1)
        elif not self._closing:
            self._failures += 1
            self._pause_until = time.monotonic() + min(0.25 * 2**self._failures, PAUSE_S)

    def _again_later(self, key: str, waiting: _Waiting, error: SendError) -> None:
        self._pause(error)
        now = time.monotonic()
        waiting.failed_at = waiting.failed_at or now
        throttled = isinstance(error, Refused) and error.retry_after_s is not None
        age_s = MAX_THROTTLED_AGE_S if throttled else MAX_AGE_S
        with self.lock:
            newer = self._waiting.get(key)
            if newer is not None:
                newer.sent = waiting.sent + newer.sent
                newer.failed_at = waiting.failed_at
                newer.picture = newer.picture or (newer.value and waiting.picture) or None
            elif (throttled or not self._closing) and now - waiting.failed_at < age_s:
                # The message goes back to the front of the queue.
                self._waiting = {key: waiting, **self._waiting}
            else:
                self._was_there = False
                self._warn(error)
                self._finish(waiting, None, error)

    def _give_up(self, error: SendError) -> None:
        """Drop the waiting messages, since there is no server, and look again after a pause."""
        self._warn(error)
        with self.lock:
            self._fail_all(error)
            self._absent = error
            if not self._closing:
                self._throttled = False
                self._pause_until = time.monotonic() + PAUSE_S

    def _fail_all(self, error: SendError) -> None:
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            self._finish(each, None, error)

    def _finish(self, waiting: _Waiting, id_: str | None, error: SendError | None) -> None:
        with self.lock:
            for sent in waiting.sent:
                sent._finish(id_, error)
            self._changed.notify_all()

    # Warnings, each of them once

    def _warn(self, error: SendError) -> None:
        """Warn that there is no server, once in the life of a process."""
        if self._warned:
            return
        self._warned = True
        self._to_log.append(f"Notifications are not sent. {error}")

    def _complain(self, text: str) -> None:
        """Warn about a message, once for each kind of problem."""
        if text not in self._complaints and len(self._complaints) < 20:
            self._complaints.add(text)
            self._to_log.append(text)


def _is_final(value: Message | None) -> bool:
    """Return whether a message does not show something in progress, so that none must follow."""
    return value is None or value.get("type") != "in-progress"


def new_key() -> str:
    """Return a random key for a message without one: with a key, sending it twice is safe."""
    return os.urandom(9).hex()


def with_key(value: Message) -> Message:
    """Return a message, adding a key if it has none."""
    return value if "key" in value else {**value, "key": new_key()}


def import_all() -> None:
    """Import in the caller's thread what the background thread uses.

    If a fork happened while the background thread imports, the import lock would stay held in the
    child.
    """
    global connection
    with fork.importing(), _without_signals():
        from . import connection, discovery
        from .runtime_files import runtime_dir

        assert discovery
        # Encoding a host name imports a codec on first use.
        "localhost".encode("idna")
        with contextlib.suppress(OSError, RuntimeError):
            # Leave out the environment's variables, so that ``jupyter_core`` is imported: the
            # variables may change later.
            runtime_dir({})


@contextlib.contextmanager
def _without_signals() -> Iterator[None]:
    """Block signals: a handler may send or fork too, and would find a half-imported module."""
    if _imported or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield
        _imported.append(True)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


#: Not empty once everything was imported.
_imported: list[bool] = []
