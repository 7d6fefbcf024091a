"""Listens at once, and answers that the service is starting until the application is there.

A hub ends if a service that it starts does not answer soon enough, and imports and the database may
take longer than that. So this module is small, and imports the application in a thread.
"""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import structlog

from ._version import __version__
from .config import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

__all__ = ["NotYet", "Starting", "Unusable"]

#: Seconds until the database is tried again: the first and the longest pause.
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 15.0

RETRY_AFTER_S = 2

#: Number of new objects after which the garbage collector runs. At Python's default of 700 it would
#: run at every fourth request.
GARBAGE = 10_000


class NotYet(Exception):
    """Something that the service needs is not there yet; the service tries again.

    Parameters
    ----------
    message
        One sentence for clients; it names no host.
    reason
        More for the log.
    """

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Unusable(Exception):
    """A fault that another try would not mend, so the service ends.

    Parameters
    ----------
    message
        One sentence.
    code
        The exit code.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Starting:
    """The application as the server sees it: it answers 503 until the real one is there.

    Parameters
    ----------
    settings
        The settings of the site.
    end
        Stops the server; called if the application cannot be made at all.
    """

    def __init__(self, settings: Settings, end: Callable[[], None]) -> None:
        #: The reason why the service ended by itself.
        self.failure: Exception | None = None
        self._settings = settings
        self._end = end
        self._app: FastAPI | None = None
        self._message = "The service is starting"
        self._log = structlog.get_logger("jupyterhub_notify.starting")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or follow the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, send)
        else:
            await send({"type": "websocket.close", "code": 1013})

    def begin_stop(self) -> None:
        """End streams and long requests, for which the server would wait."""
        if self._app is not None:
            self._app.state.parts.begin_stop()

    # --- The application's life

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        stop = asyncio.Event()
        life = asyncio.create_task(self._run(stop))
        await receive()
        stop.set()
        if self._app is None:
            life.cancel()
        with suppress(asyncio.CancelledError):
            await life
        await send({"type": "lifespan.shutdown.complete"})

    async def _run(self, stop: asyncio.Event) -> None:
        """Try until the application is there, then wait for the end."""
        wait_s, said = FIRST_WAIT_S, ""
        while not stop.is_set():
            try:
                async with self._opened() as app:
                    if said:
                        self._log.info("The database is there; the service begins")
                    # Everything loaded by now stays, so the collector need not look at it again.
                    gc.freeze()
                    # A request leaves little garbage, and ten thousand streams hold many objects
                    # that each run would look at.
                    gc.set_threshold(GARBAGE, *gc.get_threshold()[1:])
                    self._app = app
                    await stop.wait()
            except NotYet as error:
                self._message = f"The service is starting: {error}"
                if said != str(error):
                    said = str(error)
                    self._log.warning(f"{error}; the service tries again", reason=error.reason)
                await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))
                wait_s = min(2 * wait_s, LONGEST_WAIT_S)
            except Exception as error:
                self.failure = error
                self._end()
                return

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[FastAPI]:
        opening = await asyncio.to_thread(_import)
        app = await opening.open_app(self._settings)
        try:
            async with app.router.lifespan_context(app):
                yield app
        except opening.NOT_THERE as error:
            if self._app is not None:
                raise
            raise opening.not_yet(error) from None

    # --- What is answered meanwhile

    async def _answer(self, scope: Scope, send: Send) -> None:
        prefix = self._settings.prefix.rstrip("/")
        path = scope["path"].removeprefix(prefix)
        page = any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])
        if path == "/health/live":
            await _send(send, 200, {"status": "ok"})
        elif path in ("", "/") and not page:
            # JupyterHub checks here whether the service runs, and takes any 5xx for a failure.
            await _send(send, 200, _index(self._settings, scope))
        elif page:
            await _send(send, 503, self._message, refresh=True)
        else:
            detail = [{"msg": self._message, "type": "starting"}]
            await _send(send, 503, {"detail": detail})


def _import() -> Any:
    from . import opening

    return opening


def _index(settings: Settings, scope: Scope) -> Any:
    from .models.features import index

    return index(
        version=__version__,
        receipts=settings.receipts,
        root=scope.get("root_path", "") or settings.prefix.rstrip("/"),
    ).model_dump(mode="json")


async def _send(send: Send, status: int, content: Any, *, refresh: bool = False) -> None:
    import json

    kind, body = "application/json", json.dumps(content)
    if isinstance(content, str):
        kind, body = "text/plain; charset=utf-8", content
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
    if status == 503:
        headers.append((b"retry-after", str(RETRY_AFTER_S).encode()))
    if refresh:
        # The browser then asks again by itself.
        headers.append((b"refresh", str(RETRY_AFTER_S).encode()))
    data = body.encode()
    headers.append((b"content-length", str(len(data)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
