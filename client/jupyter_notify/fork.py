"""Keep forks safe while a thread of ours runs.

A fork copies every lock as it is, but only the thread that forks. What another thread holds at that
moment (a lock of ours, of an import, of the memory allocator) stays locked in the child for ever.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class ForkAware(Protocol):
    """Something that must know of forks."""

    def before_fork(self) -> None:
        """Let threads rest; must not take long."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Begin anew, with locks of its own and no thread."""


#: Weak, since what is registered for forks can never be taken back.
_objects: list[weakref.ref[ForkAware]] = []
_registered = False


def register(one: ForkAware) -> None:
    """Tell an object of every fork from now on, as long as it lives."""
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
