"""Answers requests for unknown addresses: with a page for a browser, with JSON for clients."""

from __future__ import annotations

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from ..identity.caller import Caller, IdentityError, IdentityProvider
from .errors import http_error, validation_error
from .pages import Pages, wants_page

__all__ = ["add_unknown_page"]

SENTENCE = "There is no page at this address."
MALFORMED = "A part of this address makes no sense: {}."


def add_unknown_page(app: FastAPI) -> None:
    """Make an application answer a browser's request for an unknown address with a page."""
    app.add_exception_handler(404, _not_found)
    app.add_exception_handler(RequestValidationError, _malformed)


async def _not_found(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if not _by_browser(request):
        return await http_error(request, error)
    return await _sentence(request, 404, "Not found", SENTENCE)


async def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if not _by_browser(request):
        return await validation_error(request, error)
    names = dict.fromkeys(str(one["loc"][-1]) for one in error.errors())
    return await _sentence(request, 422, "Not found", MALFORMED.format(", ".join(names)))


def _by_browser(request: Request) -> bool:
    return request.method in ("GET", "HEAD") and wants_page(request)


async def _sentence(request: Request, status: int, title: str, sentence: str) -> Response:
    pages: Pages = request.app.state.pages
    return pages.page(
        request,
        "notify/sentence.html",
        await _caller(request),
        status=status,
        title=title,
        sentence=sentence,
        link="Go to the notifications",
    )


async def _caller(request: Request) -> Caller | None:
    """Return the caller, for the tabs above the sentence; the sentence itself needs no login."""
    identity: IdentityProvider = request.app.state.identity
    try:
        caller = await identity.identify(request)
    except IdentityError:
        return None
    return None if caller.is_anonymous else caller
