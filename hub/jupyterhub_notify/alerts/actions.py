"""Calls what a rule begins and ends: once each if all goes well, again with the same key if not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import aiohttp

from .rules import Request, expanded

__all__ = ["call", "filled"]

TIMEOUT_S = 10

#: In a body: the mapping that it is in has an entry of this value for each user acted upon.
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
        To call with.
    request
        What.
    user, value
        Whom it is about.
    users
        All whom the rule acts upon once this call is done.
    key
        The same for each try of the same step, sent as ``Idempotency-Key``.

    Returns
    -------
    str or None
        Why it failed, without a secret; ``None`` if it did not.
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
        As the rule has it.
    user, value
        What stands for ``{user}`` and ``{value}`` in its texts.
    users
        What ``$each_user`` stands for.

    Returns
    -------
    Any
        The body.
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
