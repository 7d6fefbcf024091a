"""How a loop over a generator was left: by `break`, by an exception, or with its last step done.

Python closes the generator in each case, and tells it no more than that. What happens next in the
loop's function, or in one that called it, shows which it was; the interpreter reports that to a
trace function, in the way that lets a debugger begin in the middle of a function. It is asked for
few events, and only when a loop is left early. Where there is no proof, the outcome is unknown.
"""

from __future__ import annotations

import opcode
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

#: The instruction, from Python 3.11 on, by which a handler takes an exception over.
PUSH_EXC_INFO = opcode.opmap.get("PUSH_EXC_INFO")
#: Those by which a function returns, rather than being left by an exception.
RETURNS = {opcode.opmap.get(name) for name in ("RETURN_VALUE", "RETURN_CONST", "YIELD_VALUE")}
#: Those by which `break` and `return` drop the loop's iterator.
DROPS = {opcode.opmap.get(name) for name in ("POP_TOP", "POP_ITER")}
END_FOR = opcode.opmap.get("END_FOR")
#: Those that drop a variable: a generator that is kept in one outlives its loop.
VARIABLES = tuple(
    opcode.opmap[name]
    for name in opcode.opmap
    if name.startswith(("STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "DELETE_"))
)


@dataclass(frozen=True)
class Outcome:
    """How a loop was left.

    Parameters
    ----------
    known
        Whether there is proof of it.
    failed
        Whether an exception left it.
    error
        That exception, if it could be had.
    last_step_done
        Whether whoever drove the generator had done all with the last item that it was given, as
        ``zip`` and ``islice`` have when they come to their end.
    """

    known: bool = True
    failed: bool = False
    error: BaseException | None = None
    last_step_done: bool = False


Tell = Callable[[Outcome], None]
UNKNOWN = Outcome(known=False)


class LoopFrame:
    """The function in which a generator's loop runs.

    It is remembered by its identity: a reference from the generator back to it would keep both
    alive, and the generator would not be closed when the loop is left.
    """

    def __init__(self, frame: FrameType | None) -> None:
        self._id = id(frame)
        self._code: CodeType | None = None if frame is None else frame.f_code

    def is_frame(self, frame: FrameType) -> bool:
        """Whether it is this function's frame."""
        return self._id == id(frame) and self._code is frame.f_code


def tell_outcome(loop: LoopFrame, frame: FrameType | None, tell: Tell) -> None:
    """Find out how a loop was left.

    Parameters
    ----------
    loop
        Where the loop began.
    frame
        Where the generator is being closed.
    tell
        Called once, in the thread of the loop: before the function or one of its callers goes
        on, when its task ends, or when the program does.
    """
    if frame is None or not loop.is_frame(frame) or sys.gettrace() is not None:
        # It was kept longer than its loop. Or a debugger or a coverage measurement is at work,
        # which is not to be disturbed.
        tell(UNKNOWN)
        return
    code = frame.f_code.co_code
    at = frame.f_lasti
    if at < 0 or code[at] in VARIABLES:
        tell(UNKNOWN)
        return
    dropped = code[at] in DROPS and not (at >= 2 and code[at - 2] == END_FOR)
    _Watch(frame, tell, last_step_done=not dropped).start()


class _Watch:
    def __init__(self, frame: FrameType, tell: Tell, last_step_done: bool) -> None:
        self._tell = tell
        self._last_step_done = last_step_done
        self._known = sys.exc_info()[1]
        # In the generator that exception is the GeneratorExit itself.
        if isinstance(self._known, GeneratorExit):
            self._known = self._known.__context__
        self._about_to_be_told = False
        #: Whether a function was left by an exception that no function has seen yet.
        self._unwinding = False
        self._task = _current_task()
        self._frames: list[tuple[FrameType, Any]] = []
        each: FrameType | None = frame
        while each is not None:
            self._frames.append((each, each.f_trace))
            each = each.f_back

    def start(self) -> None:
        for frame, _ in self._frames:
            frame.f_trace = self._event
            # Asked for now: Python 3.12 does not take it up later.
            frame.f_trace_opcodes = True
        sys.settrace(_nothing)

    def _event(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "exception":
            self._failed(arg[1])
        elif event == "return":
            self._about_to_be_told = False
            if frame.f_code.co_code[frame.f_lasti] not in RETURNS:
                self._unwinding = True
            if frame is self._frames[-1][0]:
                self._at_the_top()
            return self._event
        elif self._unwinding:
            # What called it in between is written in C, and has kept the exception.
            self._swallowed()
        elif event == "opcode" and not self._about_to_be_told:
            # Within a line, and in what clears up behind one, nothing is known yet.
            return self._event
        elif frame.f_code.co_code[frame.f_lasti] == PUSH_EXC_INFO:
            # A handler gets the exception one instruction later.
            self._about_to_be_told = True
            return self._event
        else:
            error = sys.exc_info()[1]
            if error is not self._known and error is not None:
                self._failed(error)
            else:
                self._stop()
                self._tell(Outcome(last_step_done=self._last_step_done))
        return None

    def _failed(self, error: BaseException | None) -> None:
        self._stop()
        self._tell(Outcome(failed=True, error=error))

    def _swallowed(self) -> None:
        """Ask the task that ran it, if one did; else all that is known is that it failed."""
        self._stop()
        task = self._task
        if task is None:
            self._tell(Outcome(failed=True))
            return

        def ended(task: Any) -> None:
            error = None
            if task.cancelled():
                import asyncio

                error = asyncio.CancelledError()
            else:
                # Asked as exception(), asyncio would take it for seen and not report it.
                error = getattr(task, "_exception", None)
            self._tell(Outcome(failed=True, error=error))

        task.add_done_callback(ended)

    def _stop(self) -> None:
        sys.settrace(None)
        for frame, before in self._frames:
            frame.f_trace_opcodes = False
            # An attribute that was None cannot be set to None.
            if before is None:
                del frame.f_trace
            else:
                frame.f_trace = before
        self._frames.clear()

    def _at_the_top(self) -> None:
        """Wait for what the interpreter does with an exception that nobody caught."""
        self._stop()
        if not self._unwinding:
            self._tell(Outcome(last_step_done=self._last_step_done))
            return
        if threading.current_thread() is not threading.main_thread():
            self._tell(Outcome(failed=True))
            return
        before = sys.excepthook
        tell = self._tell

        def hook(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
            sys.excepthook = before
            tell(Outcome(failed=True, error=error))
            before(kind, error, traceback)

        sys.excepthook = hook


def _current_task() -> Any:
    """Return the task of asyncio in which we run; None if it is none."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or asyncio._get_running_loop() is None:
        return None
    return asyncio.current_task()


def _nothing(frame: FrameType, event: str, arg: Any) -> None:
    """Trace no function that is called meanwhile."""
