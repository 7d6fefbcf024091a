"""Queries Prometheus and InfluxDB for one value for each user, over their HTTP APIs."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterator
from typing import Any

import aiohttp

from .rules import Rule, expanded
from .users import is_name

__all__ = ["EngineError", "ask"]

TIMEOUT_S = 30
MAX_ANSWER = 32 * 1024 * 1024


class EngineError(Exception):
    """The engine does not answer, or its answer is not valid; the message has no secret."""


async def ask(session: aiohttp.ClientSession, rule: Rule) -> dict[str, float]:
    """Run a rule's query.

    Parameters
    ----------
    session
        The HTTP session.
    rule
        The rule, which names the engine and the query.

    Returns
    -------
    dict
        The value of each user; if there are several, the highest.

    Raises
    ------
    EngineError
        If there is no valid answer.
    """
    if rule.prometheus is not None:
        engine: Any = rule.prometheus
        path, form = "/api/v1/query", {"query": rule.query}
    else:
        engine = rule.influxdb
        path = "/query"
        form = {"q": rule.query, "db": engine.database, "epoch": "s"}
    try:
        async with session.post(
            engine.url.rstrip("/") + path,
            data=form,
            headers=expanded(engine.headers),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S),
            allow_redirects=False,
        ) as answer:
            content = await _read(answer)
            if answer.status != 200:
                raise EngineError(f"it answers {answer.status}: {_reason(content)}")
        data = json.loads(content)
        rows = _promql(data) if rule.prometheus is not None else _influxql(data)
        found: dict[str, float] = {}
        for labels, value in rows:
            user = labels.get(rule.user_label)
            # Leave out names that no user can have, and values such as NaN.
            if isinstance(user, str) and is_name(user) and math.isfinite(value):
                found[user] = max(value, found.get(user, value))
        return found
    except (aiohttp.ClientError, asyncio.TimeoutError) as error:
        raise EngineError(f"it cannot be reached: {type(error).__name__}") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise EngineError("its answer is not what the API says") from None


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in answer.content.iter_chunked(65536):
        content += part
        if len(content) > MAX_ANSWER:
            raise EngineError("its answer is larger than 32 MiB")
    return bytes(content)


def _reason(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"])[:200]
    except (ValueError, LookupError, TypeError):
        return "it gives no reason"


def _promql(data: dict[str, Any]) -> Iterator[tuple[dict[str, str], float]]:
    if data["data"]["resultType"] != "vector":
        raise EngineError("the query must give an instant vector: one value a user")
    for series in data["data"]["result"]:
        yield series["metric"], float(series["value"][1])


def _influxql(data: dict[str, Any]) -> Iterator[tuple[dict[str, str], float]]:
    for result in data["results"]:
        if "error" in result:
            raise EngineError(f"it says: {str(result['error'])[:200]}")
        for series in result.get("series", ()):
            # The last column has the value, and the last row that has one is the newest.
            values = [row[-1] for row in series["values"] if row[-1] is not None]
            if values:
                yield series.get("tags", {}), float(values[-1])
