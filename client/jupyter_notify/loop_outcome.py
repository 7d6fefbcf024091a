"""Find out how a loop over a generator ended: by `break`, by an exception, or after its last step.

Python closes the generator in each case and does not tell it why. What happens next in the loop's
function, or in a caller, shows the reason. A trace function observes that, as a debugger does when
it attaches to a running function. The trace function is set only when a loop ends early, and for
few events. Without proof, the outcome is unknown.
"""

from __future__ import annotations

import functools
import opcode
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import CodeType, FrameType
from typing import Any, TypeVar

T = TypeVar("T")

#: The instruction, from Python 3.11 on, with which an exception handler starts.
PUSH_EXC_INFO = opcode.opmap.get("PUSH_EXC_INFO")
#: The instructions, before Python 3.11, that name the place of an exception handler, and the bytes
#: of a unit of the distance to it.
SETUPS = {opcode.opmap[name] for name in opcode.opmap if name.startswith("SETUP_")}
UNIT = 2 if sys.version_info >= (3, 10) else 1
#: The instructions with which a function returns, as opposed to raising an exception.
RETURNS = {opcode.opmap.get(name) for name in ("RETURN_VALUE", "RETURN_CONST", "YIELD_VALUE")}
#: The instructions with which `break` and `return` discard the loop's iterator.
DROPS = {opcode.opmap.get(name) for name in ("POP_TOP", "POP_ITER")}
#: The instructions, from Python 3.12 on, that may run before an exception is raised once more: a
#: failed comprehension restores its function's variables, a coroutine looks at the exception.
CLEAN_UP = {
    opcode.opmap[name]
    for name in opcode.opmap
    if name
    in ("CACHE", "CALL_INTRINSIC_1", "COPY", "EXTENDED_ARG", "NOP", "POP_ITER", "POP_TOP", "SWAP")
    or name.startswith("STORE_")
}
EXTENDED_ARG = opcode.opmap["EXTENDED_ARG"]
CO_ASYNC_GENERATOR = 0x200
#: The flags of generators, coroutines and asynchronous generators: Python code that drives one of
#: them learns of its return by an exception.
CO_DRIVEN = 0x20 | 0x80 | CO_ASYNC_GENERATOR
RERAISE = opcode.opmap.get("RERAISE")
#: The instruction, before Python 3.11, before which a coroutine waits.
YIELD_FROM = opcode.opmap.get("YIELD_FROM")
YIELD_VALUE = opcode.opmap.get("YIELD_VALUE")
#: The instructions at which a generator waits.
WAITS = {opcode.opmap.get(name) for name in ("YIELD_VALUE", "YIELD_FROM", "SEND", "RESUME")}
#: Exceptions with which generators and coroutines pass on what they return.
RETURNED = (StopIteration, StopAsyncIteration)
END_FOR = opcode.opmap.get("END_FOR")
#: The instructions that change a variable. A generator kept in a variable outlives its loop.
VARIABLES = tuple(
    opcode.opmap[name]
    for name in opcode.opmap
    if name.startswith(("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "DELETE_"))
)


@dataclass(frozen=True)
class Outcome:
    """The end of a loop.

    Parameters
    ----------
    known
        Whether there is proof of the outcome.
    failed
        Whether an exception ended the loop.
    error
        The exception, if it could be found.
    last_step_done
        Whether the last item was processed completely, as when ``zip`` or ``islice`` is exhausted.
    """

    known: bool = True
    failed: bool = False
    error: BaseException | None = None
    last_step_done: bool = False


Report = Callable[[Outcome], None]
UNKNOWN = Outcome(known=False)


class LoopFrame:
    """The frame of the function whose loop drives a generator.

    Only its identity is kept. With a reference to the frame, the generator and the frame would keep
    each other alive, and the generator would not be closed when the loop ends.
    """

    def __init__(self, frame: FrameType | None) -> None:
        self._id = id(frame)
        self._code: CodeType | None = None if frame is None else frame.f_code

    def is_frame(self, frame: FrameType) -> bool:
        """Return whether ``frame`` is this frame."""
        return self._id == id(frame) and self._code is frame.f_code


def watched(make: Callable[[Callable[[], bool]], Iterator[T]]) -> Iterator[T]:
    """Return a generator that can ask whether a call closes it, and not the end of its loop.

    Parameters
    ----------
    make
        Makes the generator. It is given a function that returns whether anything refers to the
        generator. At the end of its loop nothing does, unless the generator outlives the loop.
    """
    refs: list[weakref.ref[Iterator[T]]] = []
    generator = make(lambda: any(ref() is not None for ref in refs))
    refs.append(weakref.ref(generator))
    return generator


def report_outcome(loop: LoopFrame, frame: FrameType | None, report: Report) -> None:
    """Find out how a loop ended.

    Parameters
    ----------
    loop
        The frame in which the loop began.
    frame
        The frame in which the generator is being closed.
    report
        Called once, in the thread of the loop: before the function or one of its callers
        continues, when its task ends, or when the program does.
    """
    if frame is None or not loop.is_frame(frame):
        # The generator outlived its loop.
        report(UNKNOWN)
        return
    code = frame.f_code.co_code
    at = frame.f_lasti
    if at < 0 or code[at] in VARIABLES:
        report(UNKNOWN)
        return
    waits = code[at] in WAITS or _waits_next(code, at)
    if frame.f_code.co_flags & CO_ASYNC_GENERATOR and waits:
        # The asynchronous generator was closed where it waits. That happens in a task of its own,
        # which does not show what the generator's driver does.
        report(UNKNOWN)
        return
    dropped = code[at] in DROPS and not (at >= 2 and code[at - 2] == END_FOR)
    outer = _watching.tracer
    if sys.gettrace() is _ignore_call and outer is not None and outer.sees(frame):
        # A loop within this one was just left by the same `return` or exception.
        outer.report_also(report, last_step_done=not dropped)
    elif sys.gettrace() is not None:
        # A debugger or a coverage tool is tracing, which must not be disturbed.
        report(UNKNOWN)
    else:
        raising = dropped and _raises_again(code, at)
        _Tracer(frame, report, last_step_done=not dropped, raising=raising, waits=waits).start()


def _waits_next(code: bytes, at: int) -> bool:
    """Return whether a coroutine waits at the next instruction, as before Python 3.11."""
    return YIELD_FROM is not None and code[at + 2 : at + 3] == bytes([YIELD_FROM])


def _starts_handler(code: bytes, at: int) -> bool:
    """Return whether an exception handler starts with an instruction."""
    return at in _handlers(code) if PUSH_EXC_INFO is None else code[at] == PUSH_EXC_INFO


@functools.lru_cache(maxsize=16)
def _handlers(code: bytes) -> frozenset[int]:
    """Return where exception handlers start, before Python 3.11."""
    found, more = [], 0
    for at in range(0, len(code), 2):
        distance = code[at + 1] | more
        more = distance << 8 if code[at] == EXTENDED_ARG else 0
        if code[at] in SETUPS:
            found.append(at + 2 + distance * UNIT)
    return frozenset(found)


def _raises_again(code: bytes, at: int) -> bool:
    """Return whether nothing but clean-up follows until an exception is raised once more."""
    while at < len(code) and code[at] in CLEAN_UP:
        at += 2
    return at < len(code) and code[at] == RERAISE


class _Tracer:
    """Traces the frames of a loop and its callers until the loop's outcome is clear."""

    def __init__(
        self,
        frame: FrameType,
        report: Report,
        last_step_done: bool,
        raising: bool,
        waits: bool,
    ) -> None:
        #: The callbacks of the loops, each with whether its loop's last step was done.
        self._reports = [(report, last_step_done)]
        #: True if the frame was waiting: there, only an exception can end the loop.
        self._waits = waits
        #: The exceptions that were being handled.
        self._known: list[BaseException] = []
        error = sys.exc_info()[1]
        # Within the generator, the current exception is the GeneratorExit itself.
        if isinstance(error, GeneratorExit):
            error = error.__context__
        while error is not None and all(error is not one for one in self._known):
            self._known.append(error)
            error = error.__context__
        #: True if a handler has just started, and the next instruction shows its exception.
        self._in_handler = False
        #: True if the frame cleans up, and then raises its exception once more.
        self._raising = raising
        #: True while an exception has left a function and has not been seen in another one yet.
        self._unwinding = False
        #: True once a generator has returned, which its caller sees as a StopIteration.
        self._returned = False
        self._task = _current_task()
        self._frames: list[tuple[FrameType, Any]] = []
        each: FrameType | None = frame
        while each is not None:
            self._frames.append((each, each.f_trace))
            each = each.f_back

    def sees(self, frame: FrameType) -> bool:
        """Return whether this tracer traces a frame."""
        return any(one is frame for one, _ in self._frames)

    def report_also(self, report: Report, last_step_done: bool) -> None:
        """Report the outcome of another loop, too, which was left with the first."""
        self._reports.append((report, last_step_done))

    def start(self) -> None:
        _watching.tracer = self
        for frame, _ in self._frames:
            frame.f_trace = self._event
            # Requested before tracing starts, because Python 3.12 ignores it afterwards.
            frame.f_trace_opcodes = True
        sys.settrace(_ignore_call)

    def _event(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "exception":
            if isinstance(arg[1], RETURNED):
                # An `await` or `async for` is done. If this is an error, the next events show it.
                return self._event
            self._failed(arg[1])
        elif event == "return":
            self._in_handler = False
            if self._leaves(frame) and frame is self._frames[0][0]:
                # The loop's function returns. What its caller does then is not the loop's.
                self._went_on()
                return None
            if frame is self._frames[-1][0]:
                self._at_the_top()
            return self._event
        elif self._unwinding:
            # A caller in between is written in C and has swallowed the exception.
            self._swallowed()
        elif _starts_handler(frame.f_code.co_code, frame.f_lasti):
            # The handler has the exception one instruction later.
            self._in_handler = True
            return self._event
        elif event == "opcode" and not (self._in_handler or self._raising):
            # Within a line, and in the clean-up after a loop, nothing is known yet.
            return self._event
        elif _raises_again(frame.f_code.co_code, frame.f_lasti):
            self._raising = True
            return self._event
        else:
            error = self._new_error()
            if error is not None:
                self._failed(error)
            else:
                self._went_on()
        return None

    def _new_error(self) -> BaseException | None:
        """Return the exception that is handled now, if it was raised when the loop ended."""
        error = sys.exc_info()[1]
        if self._returned and isinstance(error, RETURNED):
            return None
        # An exception that was handled already may have been raised again.
        known = any(error is one for one in self._known) and not self._in_handler
        return None if known else error

    def _went_on(self) -> None:
        """Report that a function or a caller goes on without an exception."""
        self._stop()
        # A coroutine that is closed where it waits ends without a visible exception.
        self._report(UNKNOWN if self._waits else Outcome())

    def _report(self, outcome: Outcome) -> None:
        for report, last_step_done in self._reports:
            done = last_step_done and outcome.known and not outcome.failed
            report(replace(outcome, last_step_done=done))

    def _leaves(self, frame: FrameType) -> bool:
        """Note how a function is left: because it returns or waits, or by an exception.

        Returns
        -------
        bool
            Whether it returns.
        """
        code, at = frame.f_code.co_code, frame.f_lasti
        if _waits_next(code, at):
            # The coroutine waits, and goes on with that instruction.
            return False
        by = code[at]
        if by not in RETURNS:
            self._unwinding = True
            return False
        if by == YIELD_VALUE:
            return False
        self._returned = bool(self._returned or frame.f_code.co_flags & CO_DRIVEN)
        return True

    def _failed(self, error: BaseException | None) -> None:
        self._stop()
        self._report(Outcome(failed=True, error=error))

    def _swallowed(self) -> None:
        """Report the error of the task that ran the loop; without a task, only that it failed."""
        self._stop()
        task = self._task
        if task is None:
            self._report(Outcome(failed=True))
            return

        def ended(task: Any) -> None:
            error = None
            if task.cancelled():
                import asyncio

                error = asyncio.CancelledError()
            else:
                # Calling exception() would mark it as retrieved, and asyncio would not report it.
                error = getattr(task, "_exception", None)
            self._report(Outcome(failed=True, error=error))

        task.add_done_callback(ended)

    def _stop(self) -> None:
        _watching.tracer = None
        sys.settrace(None)
        for frame, before in self._frames:
            frame.f_trace_opcodes = False
            # ``f_trace`` cannot be set to None, only deleted.
            if before is None:
                del frame.f_trace
            else:
                frame.f_trace = before
        self._frames.clear()

    def _at_the_top(self) -> None:
        """Report the outcome in the outermost frame; ``sys.excepthook`` shows an exception."""
        if not self._unwinding:
            self._went_on()
            return
        self._stop()
        if threading.current_thread() is not threading.main_thread():
            self._report(Outcome(failed=True))
            return
        before = sys.excepthook
        report = self._report

        def hook(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
            sys.excepthook = before
            report(Outcome(failed=True, error=error))
            before(kind, error, traceback)

        sys.excepthook = hook


class _Watching(threading.local):
    """The tracer that is at work in a thread."""

    tracer: _Tracer | None = None


_watching = _Watching()


def _current_task() -> Any:
    """Return the current asyncio task; None outside of one."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return None
    return asyncio.current_task()


def _ignore_call(frame: FrameType, event: str, arg: Any) -> None:
    """Leave functions that are called in the meantime untraced."""
