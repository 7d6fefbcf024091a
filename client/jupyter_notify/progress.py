"""Show progress as one notification that is updated in place."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, TypeVar

from .endings import is_interrupt, is_plain_exit
from .loop_outcome import LoopFrame, Outcome, report_outcome, watched
from .message import MAX_MESSAGE, Message, compose, describe, duration, shorten, without_colours
from .pictures import picture_of
from .send_queue import HEARTBEAT_S, SendQueue, new_key
from .values import plain_number, to_number, to_text

T = TypeVar("T")

#: Time in seconds from which on the remaining time is estimated.
ESTIMATE_AFTER_S = 5.0


class Progress:
    """A progress notification, for use in a ``with`` statement.

    Its attributes can be set at any time at no cost: they are sampled a few times a second.

    Attributes
    ----------
    n
        How much is done.
    total
        How much there is to do; None if that is not known.
    title
        The title.
    note
        A text after the numbers, such as ``"loss 0.31"``.
    """

    def __init__(
        self,
        queue: SendQueue,
        title: object,
        total: float | None = None,
        **options: Any,
    ) -> None:
        self.n: Any = 0
        self.total: Any = None if total is None else to_number(total, "total")
        self.title = to_text(title, "title")
        self.note = ""
        options.setdefault("key", new_key())
        # Wrong options must raise here: in the background thread nobody would notice.
        self._base = compose(self.title, **options)
        self.key = str(self._base["key"])
        self._began = time.monotonic()
        self._pid = os.getpid()
        self._queue = queue
        self._closed = False
        queue.watch(self)

    def update(self, n: float = 1) -> None:
        """Advance by ``n``."""
        self.n += n

    def set(self, n: float, note: str | None = None) -> None:
        """Set how much is done."""
        self.n = n
        if note is not None:
            self.note = note

    def show(self, image: Any) -> None:
        """Show a picture beside the progress, in place of the one before.

        Parameters
        ----------
        image
            See ``pictures.to_picture``. A picture that cannot be drawn is left out with a warning.
        """
        picture = picture_of(image)
        if picture is not None and not self._closed and self._pid == os.getpid():
            self._queue.show(self.key, picture)

    def done(self, text: str | None = None) -> None:
        """End it as a success."""
        self._end("success", text or f"done{self._of()} in {self._took()}")

    def fail(self, reason: object = None) -> None:
        """End it as an error.

        Parameters
        ----------
        reason
            An exception or a text, if there is one.
        """
        text = describe(reason) if isinstance(reason, BaseException) else str(reason or "")
        self._end("error", f"failed{self._after()}" + f": {text}" * bool(text))

    def stop(self) -> None:
        """End it early and on purpose, as by ``break``."""
        self._end("success", f"ended{self._after()} in {self._took()}")

    def end_unknown(self) -> None:
        """End it where it is unknown whether it succeeded."""
        self._end("info", f"ended{self._after()} in {self._took()}")

    def retract(self) -> None:
        """End it and revoke its notification."""
        if self._closed or self._pid != os.getpid():
            return
        self._closed = True
        self._queue.retract(self.key, self._base.get("source"))

    def interrupt(self) -> None:
        """End it as interrupted."""
        self._end("warning", f"interrupted{self._after()}")

    def conclude(self, error: BaseException | None) -> None:
        """End it according to an exception, or as a success if there is none."""
        if error is None:
            self.done()
        elif is_interrupt(error):
            self.interrupt()
        elif is_plain_exit(error):
            # The program has ended as it meant to.
            self.stop()
        else:
            self.fail(error)

    def conclude_loop(self, outcome: Outcome) -> None:
        """End it according to the outcome of a loop that ended early."""
        if not outcome.known:
            self.end_unknown()
        elif outcome.failed:
            if outcome.error is None:
                self.fail()
            else:
                self.conclude(outcome.error)
        else:
            if outcome.last_step_done:
                self.n += 1
            if self.total and self.n >= self.total:
                self.done()
            else:
                self.stop()

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
        self.leave_unfinished()

    def leave_unfinished(self) -> None:
        """End it because no reference to it is left; take no lock, since a finalizer calls this."""
        if not getattr(self, "_closed", True) and self._pid == os.getpid():
            self._closed = True
            self._queue.submit_from_finalizer(
                self._last("warning", f"left unfinished{self._after()}")
            )

    # Values that the queue samples

    def state(self) -> object:
        """Return a value that changes whenever the message would."""
        return (self.n, self.total, self.title, self.note)

    def message(self) -> Message:
        """Return the message that shows the present progress."""
        parts = [f"{self.title}: {number(self.n)}{self._of_total()}"]
        took = time.monotonic() - self._began
        # These may be a library's numbers, or no numbers at all.
        n, total = plain_number(self.n), plain_number(self.total)
        if n is not None and total and 0 < n < total and took > ESTIMATE_AFTER_S:
            parts.append(f"about {duration(took / n * (total - n))} left")
        if self.note:
            parts.append(str(self.note))
        value = self._message("in-progress", ", ".join(parts))
        value["heartbeat"] = HEARTBEAT_S
        if n is not None and total:
            value["progress"] = min(1.0, max(0.0, n / total))
        return value

    def _message(self, type_: str, text: str) -> Message:
        return {**self._base, "type": type_, "message": shorten(without_colours(text), MAX_MESSAGE)}

    def _last(self, type_: str, text: str) -> Message:
        return self._message(type_, f"{self.title}: {text}" + (f", {self.note}" * bool(self.note)))

    def _end(self, type_: str, text: str) -> None:
        # A forked child has a copy; only the parent may end the progress.
        if self._closed or self._pid != os.getpid():
            return
        self._closed = True
        picture = self._queue.forget(self.key)
        self._queue.submit(self._last(type_, text), picture)

    def _took(self) -> str:
        return duration(time.monotonic() - self._began)

    def _of(self) -> str:
        return "" if plain_number(self.n) == 0 else f", {number(self.n)}"

    def _after(self) -> str:
        if plain_number(self.n) == 0:
            return ""
        return f" after {number(self.n)}{self._of_total()}"

    def _of_total(self) -> str:
        total = plain_number(self.total)
        return f" of {number(total)}" if total else ""


def number(n: Any) -> str:
    """Return the text of a number, or of any other object."""
    plain = plain_number(n)
    if plain is None:
        # For example an array.
        return shorten(str(n), 200)
    return f"{plain:,}" if isinstance(plain, int) else f"{plain:,.6g}"


def length(iterable: Any) -> int | None:
    """Return the number of items; None if it is not known."""
    try:
        return len(iterable)
    except Exception:
        # A data loader may have a __len__ that raises.
        return None


def track(
    queue: SendQueue, iterable: Iterable[T], title: object, total: float | None, **options: Any
) -> Iterator[T]:
    """Iterate over ``iterable`` and show the progress."""
    if total is None:
        total = length(iterable)
    # What cannot be iterated over must raise in this call, not in the first step.
    iterator = iter(iterable)

    def begin() -> Progress:
        return Progress(queue, title, total, **options)

    return watched(lambda is_kept: _steps(iterator, begin, is_kept))


def _steps(
    iterator: Iterator[T], begin: Callable[[], Progress], is_kept: Callable[[], bool]
) -> Iterator[T]:
    loop = LoopFrame(sys._getframe(1))
    progress = begin()
    try:
        # The attribute itself is the loop's variable, so a step costs only an assignment.
        for progress.n, item in enumerate(iterator):
            yield item
            progress.n += 1
    except GeneratorExit:
        report_outcome(loop, None if is_kept() else sys._getframe(1), progress.conclude_loop)
        raise
    except BaseException as error:
        progress.conclude(error)
        raise
    progress.done()
