"""Make forks safe while the background thread runs.

A fork copies every lock in its present state, but only the thread that forks. A lock that another
thread holds at that moment (ours, the import lock, the memory allocator's) stays locked in the
child for ever.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


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
    for one in _alive():
        one.before_fork()


def _in_parent() -> None:
    for one in _alive():
        one.after_fork_in_parent()


def _in_child() -> None:
    for one in _alive():
        one.after_fork_in_child()
