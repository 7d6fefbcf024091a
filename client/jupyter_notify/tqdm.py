"""A drop-in replacement for ``from tqdm import tqdm`` that shows its bar in JupyterLab as well.

Where tqdm is installed, the class extends it and keeps its bar in the terminal. Otherwise it
extends a small class with the same interface, and shows only the notification.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .loop_outcome import RETURNED, LoopFrame, Outcome, report_outcome, watched
from .message import without_colours
from .progress import Progress, length, number
from .send_queue import SendQueue
from .values import is_blank, plain_number

T = TypeVar("T")


class MinimalBar(Generic[T]):
    """The commonly used part of tqdm's interface, without a bar in the terminal."""

    def __init__(
        self,
        iterable: Iterable[T] | None = None,
        desc: str | None = None,
        total: float | None = None,
        leave: bool | None = True,
        *_: Any,
        initial: float = 0,
        disable: bool | None = False,
        postfix: Any = None,
        **__: Any,
    ) -> None:
        if total is None and hasattr(iterable, "__len__"):
            total = length(iterable)
        if total == float("inf"):
            # As in tqdm, this means that the total is unknown.
            total = None
        self.iterable = iterable
        self.desc = desc or ""
        self.total = total
        self.leave = leave
        self.n = initial
        self.initial = initial
        self.disable = bool(disable)
        self.postfix = ""
        if isinstance(postfix, dict):
            self.set_postfix(postfix)

    def __iter__(self) -> Iterator[T]:
        assert self.iterable is not None, "There is nothing to iterate over."
        for item in self.iterable:
            yield item
            self.n += 1
        self.close()

    def __len__(self) -> int:
        return int(self.total or 0)

    def __bool__(self) -> bool:
        return self.total is None or self.total > 0

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def update(self, n: float | None = 1) -> bool | None:
        """Advance by ``n``."""
        self.n += n or 0
        return None

    def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
        """Set the title."""
        self.desc = desc or ""

    def set_description_str(self, desc: str | None = None, refresh: bool | None = True) -> None:
        """Set the title."""
        self.desc = desc or ""

    def set_postfix(
        self, ordered_dict: Any = None, refresh: bool | None = True, **values: Any
    ) -> None:
        """Set the text after the numbers, from names and values."""
        shown = {**(dict(ordered_dict) if ordered_dict else {}), **dict(sorted(values.items()))}
        self.postfix = ", ".join(
            f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"
            for name, value in shown.items()
        )

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Set the text after the numbers."""
        self.postfix = str(s)

    def reset(self, total: float | None = None) -> None:
        """Start again from zero."""
        self.n = 0
        self.total = self.total if total is None else total

    def refresh(self, *_: Any, **__: Any) -> bool:
        """Do nothing: the bar is sampled."""
        return True

    def clear(self, *_: Any, **__: Any) -> None:
        """Do nothing: there is no bar in the terminal."""

    def unpause(self) -> None:
        """Do nothing: time is not measured here."""

    def close(self) -> None:
        """End it."""
        self.disable = True

    @classmethod
    def write(cls, s: str, file: Any = None, end: str = "\n", nolock: bool = False) -> None:
        """Print a line."""
        print(s, file=file or sys.stdout, end=end)


if TYPE_CHECKING or importlib.util.find_spec("tqdm") is None:
    Base = MinimalBar[Any]
else:
    from tqdm.std import tqdm as Base


class _Bar(Progress):
    """The progress of a bar, read from the bar whenever it is sampled."""

    def __init__(self, bar: tqdm, queue: SendQueue, **options: Any) -> None:
        self._bar = weakref.ref(bar)
        super().__init__(queue, _title(bar) or "Progress", _known(bar.total), **options)
        self.n = bar.n

    def read_bar(self) -> None:
        """Copy what the bar shows."""
        bar = self._bar()
        if bar is not None:
            self.n, self.total = bar.n, _known(bar.total)
            self.title = _title(bar) or self.title
            self.note = ", ".join(filter(None, (str(bar.postfix or ""), *bar._nested_bars())))

    def state(self) -> object:
        self.read_bar()
        return super().state()


class _OpenBars(threading.local):
    """The open bars of a thread, the outermost first."""

    def __init__(self) -> None:
        self.bars: list[weakref.ref[tqdm]] = []
        self._pid = os.getpid()

    def innermost(self) -> tqdm | None:
        if self._pid != os.getpid():
            # A forked child has only copies of its parent's bars, which show nothing.
            self.bars, self._pid = [], os.getpid()
        self.bars = [ref for ref in self.bars if ref() is not None]
        return self.bars[-1]() if self.bars else None

    def remove(self, bar: tqdm) -> None:
        # Compared by identity, because tqdm's `==` compares what the bars show.
        others = ((ref, ref()) for ref in self.bars)
        self.bars = [ref for ref, one in others if one is not None and one is not bar]


_open = _OpenBars()


class tqdm(Base):
    """A progress bar; ``notify_options`` are the options of ``notify.progress``.

    A nested bar is shown in the notification of the outer one. The notification of a bar with
    ``leave=False`` is revoked at its end.
    """

    def __init__(self, *args: Any, notify_options: dict[str, Any] | None = None, **kw: Any) -> None:
        self._progress: _Bar | None = None
        self._nested: weakref.ref[tqdm] | None = None
        self._iterating = False
        self._dropped = False
        #: Identity of the exception that was being handled when the bar began, which does not
        #: count as a failure of its loop.
        self._handled = id(sys.exc_info()[1])
        super().__init__(*args, **kw)
        if self.disable:
            return
        outer = _open.innermost()
        if outer is not None and notify_options is None:
            outer._nested = weakref.ref(self)
        else:
            from .api import notify

            self._progress = _Bar(self, notify.queue, **(notify_options or {}))
        _open.bars.append(weakref.ref(self))

    def __iter__(self) -> Iterator[Any]:
        return watched(self._steps)

    def _steps(self, is_kept: Callable[[], bool]) -> Iterator[Any]:
        loop = LoopFrame(sys._getframe(1))
        self._iterating = True
        try:
            yield from super().__iter__()
        except GeneratorExit:
            self._report_end(loop, None if is_kept() else sys._getframe(1))
            raise
        except BaseException as error:
            if self._progress is not None:
                self._progress.read_bar()
                self._progress.conclude(error)
            raise
        finally:
            self._iterating = False
        # Look only now: a nested bar may have been given a notification of its own meanwhile.
        if self._progress is not None:
            self._promote_nested()
            self._end(self._progress)

    def _report_end(self, loop: LoopFrame, frame: FrameType | None) -> None:
        """End the bar by its loop's outcome, which the frame that closes the generator shows."""
        # Garbage collection will close this bar before the outcome is known; it must not end
        # the progress then.
        progress, self._progress = self._progress, None
        if progress is None:
            return
        progress.read_bar()
        retracts = self.leave is False

        def conclude(outcome: Outcome) -> None:
            if retracts and outcome.known and not outcome.failed:
                progress.retract()
            else:
                progress.conclude_loop(outcome)

        report_outcome(loop, frame, conclude)

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is not None and self._progress is not None:
            self._progress.read_bar()
            self._progress.conclude(error)
        super().__exit__(kind, error, traceback)

    def close(self) -> None:
        """End the bar by how far it has come, unless an exception has ended it before."""
        progress = getattr(self, "_progress", None)
        super().close()
        _open.remove(self)
        if progress is not None and not self._iterating:
            self._promote_nested()
            self._end(progress)

    def __del__(self) -> None:
        self._dropped = True
        # tqdm closes a bar to which no reference is left.
        getattr(super(), "__del__", self.close)()

    def _end(self, progress: _Bar) -> None:
        progress.read_bar()
        n, total = plain_number(progress.n), plain_number(progress.total)
        # Fractions may add up to a little less.
        early = bool(n is not None and total and n < total * (1 - 1e-9))
        error = self._raised()
        if error is not None and (early or not self._dropped):
            # The bar is closed while an exception leaves the block, as by `finally`. Its last step
            # may have been counted before that was done.
            progress.conclude(error)
        elif self.leave is False:
            progress.retract()
        elif early and self._dropped:
            progress.leave_unfinished()
        elif early:
            progress.stop()
        elif self._dropped and not total:
            progress.end_unknown()
        else:
            progress.done()

    def _raised(self) -> BaseException | None:
        """Return the exception that is being handled since this bar began, if there is one."""
        error = sys.exc_info()[1]
        if self._iterating or id(error) == self._handled or isinstance(error, RETURNED):
            return None
        return error

    def _promote_nested(self) -> None:
        """Give a bar its own notification that was taken for a nested bar but outlives this one."""
        bar = self._nested() if self._nested is not None else None
        self._nested = None
        total = None if bar is None else _known(bar.total)
        if bar is None or bar.disable or not total or bar.n >= total:
            return
        from .api import notify

        bar._progress = _Bar(bar, notify.queue)

    def _nested_bars(self) -> Iterator[str]:
        """Return the texts of the bars nested in this one."""
        bar = self._nested() if self._nested is not None else None
        if bar is None or bar.disable:
            return
        desc = _title(bar)
        yield f"{desc}: {_counted(bar.n, bar.total)}" if desc else _counted(bar.n, bar.total)
        yield from bar._nested_bars()


def _title(bar: tqdm) -> str:
    """Return a bar's description, which a program may have set to anything."""
    text = str(bar.desc or "").strip().rstrip(": ")
    return "" if is_blank(without_colours(text)) else text


def _known(total: Any) -> Any:
    """Return a bar's total; None if it is none, such as the -1 of a length that is not known."""
    number = plain_number(total)
    return None if number is None or number < 0 else total


def _counted(n: Any, total: Any) -> str:
    return f"{number(n)} of {number(total)}" if _known(total) else number(n)


def trange(*args: Any, **options: Any) -> tqdm:
    """Return ``tqdm(range(*args), **options)``."""
    return tqdm(range(*args), **options)
