"""The thread of storage, and its interface for asyncio.

A home directory on NFS can block for seconds, and a Jupyter server that blocks its event
loop freezes every kernel's socket. All operations that wait when the thread becomes free share
one commit.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .exceptions import Busy, NoThread
from .storage import Operation, Storage

T = TypeVar("T")

log = logging.getLogger(__name__)

#: The most operations in one commit, and the most that may wait.
MAX_BATCH = 256
MAX_WAITING = 4096


class _Job(Generic[T]):
    __slots__ = ("call", "done", "write")

    def __init__(self, call: Operation[T], write: bool, done: asyncio.Future[T]) -> None:
        self.call, self.write, self.done = call, write, done


class Worker:
    """Runs storage operations one after the other in a thread of its own.

    Parameters
    ----------
    storage
        What the operations run on; after ``start`` only the thread uses it.
    after_batch
        Called in the thread after each batch; its result goes to ``deliver`` in the event loop
        before the callers of the operations continue.
    deliver
        Called in the event loop.
    max_waiting
        The most operations that may wait.
    """

    def __init__(
        self,
        storage: Storage,
        after_batch: Callable[[], Any],
        deliver: Callable[[Any], None],
        *,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._storage = storage
        self._after_batch = after_batch
        self._deliver = deliver
        self._max_waiting = max_waiting
        self._jobs: queue.SimpleQueue[list[_Job[Any]] | None] = queue.SimpleQueue()
        self._submitted: list[_Job[Any]] = []
        self._waiting = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._has_warned = False

    def start(self) -> None:
        """Start the thread, which opens the file; does nothing if it runs already."""
        if self._thread is not None or self._stopped:
            return
        self._loop = asyncio.get_running_loop()
        # A daemon thread: a hanging file system must not keep the server from stopping.
        thread = threading.Thread(target=self._work, name="jupyterlab_notify", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            # The system has no more threads for now. The next operation tries again.
            if not self._has_warned:
                self._has_warned = True
                log.warning("The thread of the notification database cannot start: %s", error)
            return
        self._thread, self._has_warned = thread, False

    async def stop(self, timeout_s: float = 3.0) -> None:
        """Finish waiting operations, close the file and end the thread."""
        self._stopped = True
        if self._thread is None:
            return
        self._hand_over()
        self._jobs.put(None)
        thread, self._thread = self._thread, None
        try:
            await asyncio.get_running_loop().run_in_executor(None, thread.join, timeout_s)
        except RuntimeError:
            # The system lets no thread start. Whoever stops the server waits for its end anyway.
            thread.join(timeout_s)

    def submit(self, operation: Operation[T], *, write: bool) -> asyncio.Future[T]:
        """Run ``operation`` in the thread; its future resolves after the batch is committed.

        Raises
        ------
        Busy
            If too many operations are waiting, the server is stopping, or no thread can start.
        """
        if self._stopped:
            raise Busy("The server is stopping.")
        if self._thread is None:
            self.start()
        if self._thread is None:
            raise NoThread
        assert self._loop is not None
        if self._waiting >= self._max_waiting:
            raise Busy("Too much is waiting to be stored; try again in a few seconds.")
        self._waiting += 1
        done: asyncio.Future[T] = self._loop.create_future()
        self._submitted.append(_Job(operation, write, done))
        if len(self._submitted) == 1:
            # Operations of one turn of the event loop are handed over together: waking the
            # thread for each would make both threads compete for the GIL and halve the throughput.
            self._loop.call_soon(self._hand_over)
        return done

    def _hand_over(self) -> None:
        if self._submitted:
            self._jobs.put(self._submitted)
            self._submitted = []

    def _work(self) -> None:
        ending = False
        # The first run opens the file; an empty batch does so before any request comes.
        self._run([])
        while not ending:
            batch = self._jobs.get()
            if batch is None:
                break
            while len(batch) < MAX_BATCH:
                try:
                    more = self._jobs.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    ending = True
                    break
                batch += more
            self._run(batch)
        self._storage.close()

    def _run(self, batch: list[_Job[Any]]) -> None:
        update: Any = None
        results: list[Any]
        try:
            results = self._storage.run([(job.call, job.write) for job in batch])
        except Exception as error:
            results = [error] * len(batch)
        try:
            update = self._after_batch()
        except Exception as error:
            # The batch is committed, and the next update will include its changes.
            log.warning("Telling the open tabs of changes failed: %s", error)
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(self._finish, batch, results, update)
        except RuntimeError:
            # The loop has ended, so nobody waits for the results.
            return

    def _finish(self, batch: list[_Job[Any]], results: list[Any], update: Any) -> None:
        self._waiting -= len(batch)
        try:
            if update is not None:
                self._deliver(update)
        finally:
            for job, result in zip(batch, results, strict=True):
                if job.done.done():
                    continue
                if isinstance(result, Exception):
                    job.done.set_exception(result)
                else:
                    job.done.set_result(result)
