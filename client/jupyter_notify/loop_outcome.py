"""Whether a loop over a generator was left by `break` or by an exception.

Python closes the generator in either case, and tells it no more than that. Where the loop is
left, though, the next thing that happens in its function, or in one that called it, shows which
it was; the interpreter reports that to a trace function, in the way that lets a debugger begin
in the middle of a function. It is asked for one event, and only when a loop is left early.
"""

from __future__ import annotations

import opcode
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

#: The instruction, from Python 3.11 on, by which a handler takes an exception over.
PUSH_EXC_INFO = opcode.opmap.get("PUSH_EXC_INFO")

Tell = Callable[[BaseException | None], None]


def outcome_of_loop(frame: FrameType | None, tell: Tell) -> None:
    """Call ``tell`` with the exception that a loop was left by, or with None.

    Parameters
    ----------
    frame
        The function with the loop, in which the generator is being closed.
    tell
        Called once, in the thread of the loop: before the function or one of its callers goes
        on, or when the program ends.
    """
    if frame is None or sys.gettrace() is not None:
        # A debugger or a coverage measurement is at work, which is not to be disturbed.
        tell(None)
        return
    _Watch(frame, tell).start()


class _Watch:
    def __init__(self, frame: FrameType, tell: Tell) -> None:
        self._tell = tell
        self._known = sys.exc_info()[1]
        # In the generator that exception is the GeneratorExit itself.
        if isinstance(self._known, GeneratorExit):
            self._known = self._known.__context__
        self._about_to_be_told = False
        self._frames: list[tuple[FrameType, Any]] = []
        each: FrameType | None = frame
        while each is not None:
            self._frames.append((each, each.f_trace))
            each = each.f_back

    def start(self) -> None:
        for frame, _ in self._frames:
            frame.f_trace = self._event
            # RecordedRequest for now: Python 3.12 does not take it up later.
            frame.f_trace_opcodes = True
        sys.settrace(_nothing)

    def _event(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "exception":
            self._found(arg[1])
        elif event == "return":
            self._about_to_be_told = False
            if frame is self._frames[-1][0]:
                self._at_the_top(frame)
            return self._event
        elif event == "opcode" and not self._about_to_be_told:
            # Within a line, and in what clears up behind one, nothing is known yet.
            return self._event
        elif frame.f_code.co_code[frame.f_lasti] == PUSH_EXC_INFO:
            # A handler gets the exception one instruction later.
            self._about_to_be_told = True
            return self._event
        else:
            error = sys.exc_info()[1]
            self._found(error if error is not self._known else None)
        return None

    def _found(self, error: BaseException | None) -> None:
        self._stop()
        self._tell(error)

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

    def _at_the_top(self, frame: FrameType) -> None:
        """Wait for what the interpreter does with an exception that nobody caught."""
        self._stop()
        if threading.current_thread() is not threading.main_thread():
            self._tell(None)
            return
        before = sys.excepthook
        tell = self._tell

        def hook(kind: type[BaseException], error: BaseException, traceback: Any) -> None:
            sys.excepthook = before
            tell(error)
            before(kind, error, traceback)

        sys.excepthook = hook


def _nothing(frame: FrameType, event: str, arg: Any) -> None:
    """Trace no function that is called meanwhile."""
