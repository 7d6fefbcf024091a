"""Blocking calls, each in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from ..exceptions import NoThread

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Run a call that may block in a thread of its own, and return its result.

    The thread is a daemon, as asyncio's own are not: a file system that hangs must not keep
    the server from stopping.

    Raises
    ------
    NoThread
        If the system lets no thread start for now.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: BaseException | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            # There is a result where there is no error.
            done.set_result(result)  # type: ignore[arg-type]  # its type is that of the call

    def work() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = call()
        except Exception as raised:
            error = raised
        # The loop may have ended, so nobody waits for the result.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(finish, result, error)

    try:
        threading.Thread(target=work, name="jupyterlab_notify_source", daemon=True).start()
    except RuntimeError:
        raise NoThread from None
    return await done
