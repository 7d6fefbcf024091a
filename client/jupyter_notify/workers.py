"""Recognize the worker processes of ``multiprocessing`` and its forks, and run code at their end.

None of these libraries is imported: a process that has not imported one is not its worker.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

#: Celery uses ``billiard``. Libraries that pickle functions with ``dill`` use ``multiprocess``.
LIBRARIES = ("multiprocessing", "billiard", "multiprocess")


def call_at_end(call: Callable[[], object]) -> None:
    """Call something when this process ends, if it is a worker: workers run no ``atexit``."""
    for library in LIBRARIES:
        util, process = _loaded(library, "util"), _loaded(library, "process")
        if util is not None and process is not None and _is_worker(process):
            util.Finalize(None, call, exitpriority=100)


def may_be_killed() -> bool:
    """Return whether this process is a worker of a pool.

    At the end of ``with Pool() as pool`` all workers are killed, most of them just after they have
    returned a result. Celery kills a worker that has done its maximum number of tasks.
    """
    for library in LIBRARIES:
        process = _loaded(library, "process")
        if process is not None and _is_worker(process):
            return "PoolWorker" in str(process.current_process().name)
    return False


def _loaded(library: str, module: str) -> ModuleType | None:
    return sys.modules.get(f"{library}.{module}")


def _is_worker(process: ModuleType) -> bool:
    return getattr(process.current_process(), "_parent_pid", None) is not None
