"""Something that goes on for a while, as one notification that is updated in place."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, TypeVar

from .errors import BadUsage
from .loop_outcome import outcome_of_loop
from .message import MAX_MESSAGE, Message, compose, describe, duration, shorten
from .send_queue import HEARTBEAT_S, SendQueue, new_key

T = TypeVar("T")

#: Before that, how long it will take cannot be told.
ESTIMATE_AFTER_S = 5.0


class Progress:
    """A notification that shows how far something is; use it in a ``with``.

    Its attributes can be changed at any time and cost nothing: they are looked at a few times
    a second.

    Attributes
    ----------
    n
        How much is done.
    total
        How much there is to do; None if that is not known.
    title
        What it is.
    note
        Said after the numbers, as ``"loss 0.31"``.
    """

    def __init__(
        self,
        queue: SendQueue,
        title: object,
        total: float | None = None,
        **options: Any,
    ) -> None:
        if total is not None and not total >= 0:
            raise BadUsage(f"The total must not be negative, as {total!r} is.")
        self.n: float = 0
        self.total = total
        self.title = str(title)
        self.note = ""
        options.setdefault("key", new_key())
        # Wrong options are found here, and not in a thread where nobody hears of it.
        self._base = compose(self.title, **options)
        self.key = str(self._base["key"])
        self._began = time.monotonic()
        self._pid = os.getpid()
        self._queue = queue
        self._closed = False
        queue.watch(self)

    def update(self, n: float = 1) -> None:
        """Go on by ``n``."""
        self.n += n

    def set(self, n: float, note: str | None = None) -> None:
        """Say how much is done."""
        self.n = n
        if note is not None:
            self.note = note

    def done(self, text: str | None = None) -> None:
        """End it in success."""
        self._end("success", text or f"done{self._of()} in {self._took()}")

    def fail(self, reason: BaseException | str) -> None:
        """End it in error."""
        text = reason if isinstance(reason, str) else describe(reason)
        self._end("error", f"failed{self._after()}: {text}")

    def stop(self) -> None:
        """End it before its end, because whoever drives it wanted it so."""
        self._end("success", f"ended{self._after()} in {self._took()}")

    def interrupt(self) -> None:
        """End it because the program ends, or was told to."""
        self._end("warning", f"interrupted{self._after()}")

    def conclude(self, error: BaseException | None) -> None:
        """End it as an exception says, or in success if there is none."""
        if error is None:
            self.done()
        elif isinstance(error, KeyboardInterrupt | GeneratorExit):
            self.interrupt()
        elif isinstance(error, SystemExit) and error.code in (None, 0):
            self.stop()
        elif type(error).__name__ == "CancelledError":
            # Of asyncio or of concurrent.futures, neither of which is imported for this.
            self.interrupt()
        else:
            self.fail(error)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.conclude(error)

    def __del__(self) -> None:
        if not getattr(self, "_closed", True) and self._pid == os.getpid():
            self._queue.leave(self._last("warning", f"left unfinished{self._after()}"))

    # What the queue looks at

    def state(self) -> object:
        """Return what a message would say, to be compared."""
        return (self.n, self.total, self.title, self.note)

    def message(self) -> Message:
        """Return how far it is."""
        n, total = self.n, self.total
        said = [f"{self.title}: {_number(n)}" + (f" of {_number(total)}" if total else "")]
        took = time.monotonic() - self._began
        if total and 0 < n < total and took > ESTIMATE_AFTER_S:
            said.append(f"about {duration(took / n * (total - n))} left")
        if self.note:
            said.append(str(self.note))
        value = self._message("in-progress", ", ".join(said))
        value["heartbeat"] = HEARTBEAT_S
        if total:
            value["progress"] = min(1.0, max(0.0, n / total))
        return value

    def _message(self, type_: str, text: str) -> Message:
        return {**self._base, "type": type_, "message": shorten(text, MAX_MESSAGE)}

    def _last(self, type_: str, text: str) -> Message:
        return self._message(type_, f"{self.title}: {text}" + (f", {self.note}" * bool(self.note)))

    def _end(self, type_: str, text: str) -> None:
        # A forked child has a copy of it, which is not its own to end.
        if self._closed or self._pid != os.getpid():
            return
        self._closed = True
        self._queue.forget(self.key)
        self._queue.submit(self._last(type_, text))

    def _took(self) -> str:
        return duration(time.monotonic() - self._began)

    def _of(self) -> str:
        return f", {_number(self.n)}" if self.n else ""

    def _after(self) -> str:
        if not self.n:
            return ""
        return f" after {_number(self.n)}" + (f" of {_number(self.total)}" if self.total else "")


def _number(n: float) -> str:
    try:
        return f"{n:,}" if isinstance(n, int) else f"{n:,.6g}"
    except (TypeError, ValueError):
        # An array of one number is none that can be formatted.
        return str(n)


def track(
    queue: SendQueue, iterable: Iterable[T], title: object, total: float | None, **options: Any
) -> Iterator[T]:
    """Return what ``iterable`` gives, and show how far it is."""
    if total is None:
        try:
            total = len(iterable)  # type: ignore[arg-type]  # what has none is asked too
        except TypeError:
            total = None
    iterator = iter(iterable)
    # Wrong options are found by the call, not by the first step.
    return _steps(iterator, lambda: Progress(queue, title, total, **options))


def _steps(iterator: Iterator[T], begin: Callable[[], Progress]) -> Iterator[T]:
    progress = begin()
    try:
        # The attribute is the loop's own variable: no step costs more than storing it.
        for progress.n, item in enumerate(iterator):
            yield item
            progress.n += 1
    except GeneratorExit:
        conclude_after_loop(progress, sys._getframe(1))
        raise
    except BaseException as error:
        progress.conclude(error)
        raise
    progress.done()


def conclude_after_loop(progress: Progress, frame: Any) -> None:
    """End a loop's progress that was left early: by `break`, or by an exception."""

    def conclude(error: BaseException | None) -> None:
        if error is None:
            progress.stop()
        else:
            progress.conclude(error)

    outcome_of_loop(frame, conclude)
