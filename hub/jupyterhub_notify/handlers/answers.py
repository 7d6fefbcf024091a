"""Functions shared by answers: validators, links to pages, addresses, JSON without defaults."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from pydantic import BaseModel
from starlette._utils import get_route_path

from ..identity.caller import Caller
from ..storage.pages import Page

__all__ = [
    "base_url",
    "entity_tag",
    "json_list",
    "json_one",
    "not_modified",
    "offset_headers",
    "page_headers",
    "whole_headers",
]


def base_url(request: Request) -> str:
    """Return the service's address as its callers see it, without a slash at the end."""
    public: str | None = request.app.state.settings.public_url
    return (public or str(request.base_url)).rstrip("/")


def entity_tag(request: Request, caller: Caller, *versions: object) -> str:
    """Return the validator of an answer.

    Parameters
    ----------
    request
        The request.
    caller
        The caller: the same address has a different answer for each.
    *versions
        Values that change whenever the answer does.

    Returns
    -------
    str
        The value of the header ``ETag``.
    """
    scope = request.scope
    # The parts of `base_url` and `request.url`, without building either: most polls need no more
    # than this.
    base = request.app.state.settings.public_url
    base = base or (scope["scheme"], request.headers.get("host"), scope.get("root_path"))
    parts = [request.app.state.version, base, scope["path"], scope["query_string"]]
    parts += [caller.kind, caller.name, sorted(caller.groups), versions]
    digest = hashlib.blake2s(repr(parts).encode(), digest_size=12).hexdigest()
    return f'"{digest}"'


def _headers(tag: str | None) -> dict[str, str]:
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if tag is not None:
        headers["ETag"] = tag
    return headers


def not_modified(request: Request, tag: str) -> Response | None:
    """Return a 304 if the caller has the answer with this validator; else `None`."""
    known = request.headers.get("if-none-match")
    if known is None:
        return None
    tags = {part.strip().removeprefix("W/") for part in known.split(",")}
    if tag in tags or "*" in tags:
        return Response(status_code=304, headers=_headers(tag))
    return None


def json_one(model: BaseModel, *, tag: str | None = None, status: int = 200) -> Response:
    """Return a model as JSON, without fields that have their default."""
    return Response(
        model.model_dump_json(exclude_defaults=True),
        status_code=status,
        media_type="application/json",
        headers=_headers(tag),
    )


def json_list(
    models: Sequence[BaseModel], *, tag: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    """Return a list of models as JSON, without fields that have their default."""
    body = b"[%s]" % b",".join(
        model.model_dump_json(exclude_defaults=True).encode() for model in models
    )
    return Response(
        body, media_type="application/json", headers={**_headers(tag), **(headers or {})}
    )


def whole_headers(request: Request, count: int) -> dict[str, str]:
    """Return ``Link`` and ``X-Total-Count`` of a list that has no pages."""
    return page_headers(request, Page[Any](items=[], total=count))


def offset_headers(request: Request, *, total: int, limit: int, offset: int) -> dict[str, str]:
    """Return ``Link`` and ``X-Total-Count`` of a page given by its offset."""
    url = base_url(request) + quote(get_route_path(request.scope))
    query = [item for item in request.query_params.multi_items() if item[0] != "offset"]

    def link(relation: str, at: int) -> str:
        pairs = [*query, ("offset", str(at))] if at else query
        return f'<{url}{"?" if pairs else ""}{urlencode(pairs)}>; rel="{relation}"'

    links = [link("first", 0)]
    if offset + limit < total:
        links.append(link("next", offset + limit))
    if offset:
        links.append(link("prev", max(0, offset - limit)))
    return {"Link": ", ".join(links), "X-Total-Count": str(total)}


def page_headers(request: Request, page: Page[Any]) -> dict[str, str]:
    """Return ``Link`` and ``X-Total-Count`` of a page given by its cursor."""
    url = base_url(request) + quote(get_route_path(request.scope))
    query = [(name, value) for name, value in request.query_params.multi_items()]
    query = [item for item in query if item[0] != "cursor"]

    def link(relation: str, cursor: object | None) -> str:
        pairs = query if cursor is None else [*query, ("cursor", str(cursor))]
        return f'<{url}{"?" if pairs else ""}{urlencode(pairs)}>; rel="{relation}"'

    links = [link("first", None)]
    if page.next is not None:
        links.append(link("next", page.next))
    if page.previous is not None:
        links.append(link("prev", page.previous))
    return {"Link": ", ".join(links), "X-Total-Count": str(page.total)}
