"""Makes the HTTP calls of a rule's action: once, or after a failure again with the same key."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import aiohttp

from .rules import Request, expanded

__all__ = ["call", "filled"]

TIMEOUT_S = 10

#: A name in a body. Its mapping gets an entry of its value for each user acted upon.
EACH_USER = "$each_user"


async def call(
    session: aiohttp.ClientSession,
    request: Request,
    *,
    user: str,
    value: float | None,
    users: Sequence[str],
    key: str,
) -> str | None:
    """Make one call.

    Parameters
    ----------
    session
        The HTTP session.
    request
        The call.
    user, value
        The user that the call is about, and the user's value.
    users
        All users whom the rule acts upon once this call is done.
    key
        The ``Idempotency-Key``; each try of a step has the same.

    Returns
    -------
    str or None
        Why the call failed, without secrets; ``None`` if it succeeded.
    """
    url = request.url.replace("{user}", quote(user, safe="")).replace("{value}", str(value))
    try:
        async with session.request(
            request.method,
            url,
            json=None if request.body is None else filled(request.body, user, value, users),
            headers={**expanded(request.headers), "Idempotency-Key": key},
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            allow_redirects=False,
        ) as answer:
            gone = request.method == "DELETE" and answer.status == 404
            if answer.status < 300 or gone:
                return None
            return f"it answers {answer.status}"
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
        return f"it cannot be reached: {type(error).__name__}"


def filled(body: Any, user: str, value: float | None, users: Sequence[str]) -> Any:
    """Fill a body in.

    Parameters
    ----------
    body
        The body in the rule.
    user, value
        The values for ``{user}`` and ``{value}`` in its texts.
    users
        The users for ``$each_user``.

    Returns
    -------
    Any
        The filled body.
    """
    if isinstance(body, str):
        return body.replace("{user}", user).replace("{value}", str(value))
    if isinstance(body, list):
        return [filled(item, user, value, users) for item in body]
    if isinstance(body, dict):
        result = {}
        for name, item in body.items():
            if name == EACH_USER:
                result.update({one: filled(item, one, value, users) for one in users})
            else:
                result[name] = filled(item, user, value, users)
        return result
    return body
