"""Make forks safe while the background thread runs.

A fork copies every lock in its present state, but only the thread that forks. A lock that another
thread holds at that moment (ours, the import lock, the memory allocator's) stays locked in the
child for ever.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Iterator
from typing import Protocol

#: Time in seconds that a fork waits for another thread's import. A fork during an import may hang
#: the child. But the wait must end, since the other thread may itself wait for this one.
IMPORT_TIMEOUT_S = 5.0


class ForkAware(Protocol):
    """An object that is called at every fork."""

    def before_fork(self) -> None:
        """Stop threads; must not take long."""

    def after_fork_in_parent(self) -> None:
        """Resume."""

    def after_fork_in_child(self) -> None:
        """Start afresh, with new locks and no thread."""


#: Weak references, since Python cannot unregister a function from forks.
_objects: list[weakref.ref[ForkAware]] = []
_registered = False


#: Held while a thread imports what the sender needs: Python frees no module's lock in a child.
_importing = threading.RLock()
#: Whether the thread that forks holds ``_importing``, and whether it is the main thread.
_forking = threading.local()
#: True in a child that another thread than the main one has forked. It is over when that thread
#: ends: Python runs no exit function then, and any other thread would keep the process alive.
ends_with_threads = False


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Make forks of other threads wait until an import is done."""
    with _importing:
        yield


def register(one: ForkAware) -> None:
    """Call an object at every fork from now on, as long as it exists."""
    global _registered
    _objects[:] = [ref for ref in _objects if ref() is not None]
    _objects.append(weakref.ref(one))
    if not _registered and hasattr(os, "register_at_fork"):
        _registered = True
        os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)


def _alive() -> list[ForkAware]:
    return [one for one in (ref() for ref in list(_objects)) if one is not None]


def _before() -> None:
    # A signal's handler may end this function at any point; Python then forks all the same.
    _forking.holds = False
    _forking.is_main = threading.current_thread() is threading.main_thread()
    for one in _alive():
        one.before_fork()
    # Take this lock last, since an object may import while it holds its own lock.
    _forking.holds = _importing.acquire(timeout=IMPORT_TIMEOUT_S)


def _in_parent() -> None:
    if _forking.holds:
        _importing.release()
    for one in _alive():
        one.after_fork_in_parent()


def _in_child() -> None:
    global _importing, ends_with_threads
    _importing = threading.RLock()
    ends_with_threads = ends_with_threads or not _forking.is_main
    for one in _alive():
        one.after_fork_in_child()
