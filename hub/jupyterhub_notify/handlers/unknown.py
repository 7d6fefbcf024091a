"""Answer unknown addresses: with a page to a browser, with JSON to clients."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException

from ..identity.caller import Caller, IdentityError, IdentityProvider
from .pages import Pages, wants_page

__all__ = ["add_unknown_page"]

SENTENCE = "There is no page at this address."


def add_unknown_page(app: FastAPI) -> None:
    """Make an application answer browsers with a page where there is none."""
    app.add_exception_handler(404, _not_found)


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.method not in ("GET", "HEAD") or not wants_page(request):
        return await http_exception_handler(request, error)
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        "notify/sentence.html",
        await _caller(request),
        status=404,
        title="Not found",
        sentence=SENTENCE,
        link="Go to the notifications",
    )


async def _caller(request: Request) -> Caller | None:
    """Return who asks, for the tabs above the sentence; nobody needs to log in to read it."""
    identity: IdentityProvider = request.app.state.identity
    try:
        caller = await identity.identify(request)
    except IdentityError:
        return None
    return None if caller.is_anonymous else caller
