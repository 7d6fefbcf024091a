"""Dependencies of handlers: the caller, and the parts of the service."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Request

from ..identity.caller import Caller
from ..models.common import Name, Text
from ..parts import Parts
from ..storage.pages import CURSOR_PATTERN

__all__ = ["CallerOf", "CursorQuery", "LimitQuery", "PartsOf", "Reference", "ServiceName"]


async def _caller(request: Request) -> Caller:
    caller: Caller = await request.app.state.identity.identify(request)
    return caller


# A coroutine: FastAPI calls a plain function in a thread, which costs more than a whole 304.
async def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


CallerOf = Annotated[Caller, Depends(_caller)]
PartsOf = Annotated[Parts, Depends(_parts)]
CursorQuery = Annotated[
    str | None,
    Query(
        title="Cursor",
        description="Beginning of the page, as a link to it says",
        pattern=CURSOR_PATTERN,
        max_length=40,
    ),
]
LimitQuery = Annotated[
    int | None,
    Query(title="Row limit", description="Most entries to return", ge=1, le=10_000),
]
ServiceName = Annotated[Name, Path(title="Service", description="The service in whose name to act")]
Reference = Annotated[
    Text,
    Path(
        title="Id or key",
        description="The notification's or broadcast's id or key",
        min_length=1,
        max_length=2000,
    ),
]
