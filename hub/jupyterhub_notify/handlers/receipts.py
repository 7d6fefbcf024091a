"""The route for receipts: all labs send theirs within seconds after a broadcast."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.requests import ClientDisconnect

from ..models.receipts import Receipts
from .dependencies import CallerOf, PartsOf

__all__ = ["router"]


class ReceiptsRoute(APIRoute):
    """Handles valid receipts itself, and leaves everything else to FastAPI.

    FastAPI would take three times as long for the same; its answers to errors stay its own.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that answers a request."""
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if request.headers.get("content-type") != "application/json":
                return await answer(request)
            try:
                body = Receipts.model_validate_json(await request.body())
            except (ValidationError, ClientDisconnect):
                return await answer(request)
            state = request.app.state
            caller = await state.identity.identify(request)
            await state.parts.receipts.take(caller, body.receipts)
            return Response(status_code=204)

        return handle


router = APIRouter(prefix="/v1", tags=["reading"], route_class=ReceiptsRoute)


@router.post("/receipts", status_code=204, summary="What became of messages")
async def take_receipts(body: Receipts, caller: CallerOf, parts: PartsOf) -> None:
    """Take what a lab says became of messages; the same may be sent again."""
    await parts.receipts.take(caller, body.receipts)
