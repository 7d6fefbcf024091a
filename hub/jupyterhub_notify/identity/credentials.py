"""The credentials of a request: the token of its `Authorization` header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .caller import Unauthenticated

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

__all__ = ["bearer_token"]

#: JupyterHub's tokens are 32 to 43 letters and digits; other issuers' are longer.
LONGEST = 4096
HEADER = re.compile(r"(?:bearer|token)\s+(\S+)", re.IGNORECASE)
READABLE = re.compile(r"[!-~]+")


def bearer_token(connection: HTTPConnection) -> str | None:
    """Return the token of a request's `Authorization` header, or None if it has no header.

    Raises
    ------
    Unauthenticated
        If the header holds no token, or there are several headers.
    """
    headers = connection.headers.getlist("authorization")
    if not headers:
        return None
    match = HEADER.fullmatch(headers[0].strip()) if len(headers) == 1 else None
    token = match.group(1) if match else ""
    if not READABLE.fullmatch(token) or len(token) > LONGEST:
        raise Unauthenticated("The header Authorization must be 'Bearer' and a token.")
    return token
