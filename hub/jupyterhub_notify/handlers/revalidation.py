"""Answers *unchanged* before looking at anything else of a request: most polls need only that."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from .answers import entity_tag, not_modified
from .dependencies import CallerOf

__all__ = ["RevalidatedRoute", "ViewTag"]


#: The key in a request's scope that keeps its validator: to make one a replica asks the database.
KEPT = "jupyterhub_notify.view_tag"


async def _view_tag(request: Request, caller: CallerOf) -> str:
    """Return the validator of an answer that shows the caller's present view."""
    tag: str | None = request.scope.get(KEPT)
    if tag is None:
        parts = request.app.state.parts
        user = caller.name if caller.kind == "user" else None
        version = await parts.feed.version_of(user)
        tag = entity_tag(request, caller, version, parts.content.revision)
        request.scope[KEPT] = tag
    return tag


ViewTag = Annotated[str, Depends(_view_tag)]


class RevalidatedRoute(APIRoute):
    """A route with answers that have a `ViewTag`, or no validator at all.

    Parameters need not be checked before a 304: they are part of the validator, so it can only come
    from an earlier answer to the same parameters.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the function that answers a request."""
        answer = super().get_route_handler()
        if "GET" not in (self.methods or ()):
            return answer

        async def handle(request: Request) -> Response:
            known = request.headers.get("if-none-match")
            if known is None:
                return await answer(request)
            if "*" not in known:
                caller = await request.app.state.identity.identify(request)
                tag = await _view_tag(request, caller)
                return not_modified(request, tag) or await answer(request)
            # "*" matches any answer, so find out whether there is one.
            response = await answer(request)
            tag = response.headers.get("etag", "")
            return (not_modified(request, tag) if tag else None) or response

        return handle
