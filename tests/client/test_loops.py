"""Loops that were left: success is told only where there is proof of it."""

from __future__ import annotations

import json
from pathlib import Path

from .interpreters import in_each_python, run_program

PROGRAM = Path(__file__).parent / "programs" / "loops.py"

FAILED = ("error", "failed after 2 of 10: ValueError: bad")
BROKEN = ("success", "ended after 2 of 10")
THREE = ("success", "ended after 3 of 10")
UNKNOWN = ("info", "ended after 2 of 10")
INTERRUPTED = ("warning", "interrupted after 2 of 10")

EXPECTED = {
    "whole": ("success", "done, 10"),
    "break": BROKEN,
    "return": BROKEN,
    "suppressed": FAILED,
    "caught": FAILED,
    "in a function": FAILED,
    "break while handling": BROKEN,
    "finally": ("error", "failed after 2 of 10: KeyError: 'k'"),
    "nested break": BROKEN,
    # The iterator that drives the loop may end before the tracked one does.
    "zip shorter": THREE,
    # Here a fourth item was taken before the other one was found to be at its end.
    "zip first": ("success", "ended after 4 of 10"),
    "zip all": ("success", "done, 10"),
    "islice": THREE,
    "islice in a list": THREE,
    "dict": THREE,
    "comprehension": THREE,
    "zip break": BROKEN,
    "zip fails": FAILED,
    "map fails": FAILED,
    "enumerate": BROKEN,
    # C code has swallowed the exception, so that only the failure is known.
    "in a property": ("error", "failed after 2 of 10"),
    "thread": FAILED,
    "kept and failed": UNKNOWN,
    "kept and replaced": UNKNOWN,
    "kept by a traceback": UNKNOWN,
    "kept and closed": UNKNOWN,
    "kept, closed and failed": ("info", "ended after 1 of 10"),
    **{f"{how} again {n}": FAILED for how in ("suppressed", "caught") for n in range(2)},
    "return while handling": BROKEN,
    "raised again": FAILED,
    "raised again by name": FAILED,
    "return, then a failure": BROKEN,
    "return to a call that fails": BROKEN,
    "asyncio.run": FAILED,
    "awaited by another": FAILED,
    "gather": FAILED,
    "gather beside": BROKEN,
    "create_task": FAILED,
    "in a deeper task": FAILED,
    "cancelled": INTERRUPTED,
    "timed out": INTERRUPTED,
    "a task that is fine": BROKEN,
    "another task that is fine": BROKEN,
    "never retrieved": FAILED,
    "break, then a wait": BROKEN,
    "failure, then a wait": FAILED,
    "as completed": FAILED,
    "first to fail": FAILED,
    "beside the first": INTERRUPTED,
    "break in a manager": BROKEN,
    "failure in a manager": FAILED,
    "raises StopIteration": ("error", "failed after 2 of 10"),
    # An asynchronous generator does not see what the one who drives it does.
    "generator driven": ("success", "done, 10"),
    "generator left": UNKNOWN,
    "generator's driver fails": UNKNOWN,
    "forgiven": FAILED,
    "nothing to forgive": BROKEN,
    # Loops that are left together are told alike.
    "inner failure": FAILED,
    "middle of a failure": ("error", "failed: ValueError: bad"),
    "outer of a failure": ("error", "failed: ValueError: bad"),
    "inner return": BROKEN,
    "outer of a return": ("success", "ended"),
    "outer of a break": ("success", "done, 2"),
    "in a function of a loop": FAILED,
    "loop of a function": ("error", "failed: ValueError: bad"),
    # Python code, not an event loop of C, sees what a coroutine returns as an exception.
    "driven by hand": BROKEN,
    "cancelled by trio": INTERRUPTED,
    "break in an asynchronous manager": BROKEN,
}

#: A comprehension has a frame of its own before Python 3.12. Then its outcome may be unknown.
COMPREHENSIONS = (
    "list in a module",
    "list in a function",
    "set that is caught",
    "list in a list",
    "second of two",
    "dict comprehension",
    "in a call",
    "list that awaits",
)
#: A generator expression has a frame of its own in every version of Python.
GENERATOR_EXPRESSION = "generator expression"
#: Breaks of a loop in another.
INNER_BREAKS = "inner break"
#: A loop that did not fail, but whose success is not proven either.
CLOSED = "closed where it waits"
#: From Python 3.11 on.
GROUPS = {"task group": FAILED, "beside it": INTERRUPTED, "fine in a group": BROKEN}


@in_each_python
def test_a_loop_is_told_as_it_was_left(interpreter: str) -> None:
    ran = run_program(interpreter, PROGRAM)
    assert (ran.returncode, ran.stderr) == (0, "")
    told = json.loads(ran.stdout)
    newer = told.pop("version") >= [3, 12]
    for title in (*COMPREHENSIONS, GENERATOR_EXPRESSION):
        ((*said,),) = told.pop(title)
        proven = newer and title != GENERATOR_EXPRESSION
        assert tuple(said) in ((FAILED,) if proven else (FAILED, UNKNOWN)), title
    assert told.pop(INNER_BREAKS) == [list(BROKEN)] * 2
    ((*said,),) = told.pop(CLOSED)
    assert tuple(said) in (UNKNOWN, ("error", "failed after 2 of 10")), said
    for title, expected in GROUPS.items():
        if title in told or newer:
            assert told.pop(title) == [list(expected)]
    # Each is told once.
    assert told == {title: [list(said)] for title, said in EXPECTED.items()}
