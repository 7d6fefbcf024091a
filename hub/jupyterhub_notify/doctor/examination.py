"""Examines a running hub, with the service's own token and the bot's."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urljoin

import aiohttp

from ..hubapi import HubApi, HubUnreachable, path, read_whole
from ..models.doctor import Problem, Report, ServerReport
from .requirements import BOT, CENTRAL_URL, LAST_LINES, SERVICE, SERVICE_SCOPES, no_bot

__all__ = ["Examination"]

#: Number of servers examined at a time (each costs the Hub two requests), and in all.
AT_ONCE = 10
MOST_SERVERS = 1000
PAGE = 200

#: Time in seconds that a server may take to answer.
TIMEOUT_S = 5.0
LARGEST = 256 * 1024


class Examination:
    """Names what is missing at a hub.

    Parameters
    ----------
    api
        The Hub's API, with the service's own token.
    proxy_url
        The address of the hub's proxy, which leads to users' servers; None if it is not known.
    said_hello
        The servers whose labs have asked the service: by user and server, the version and moment.
    """

    def __init__(
        self,
        api: HubApi,
        proxy_url: str | None,
        said_hello: Mapping[tuple[str, str], tuple[str, datetime]],
    ) -> None:
        self._api = api
        self._proxy_url = proxy_url
        self._said_hello = said_hello
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def report(self) -> Report:
        """Examine everything and report it."""
        problems: list[Problem] = []
        servers: list[ServerReport] = []
        try:
            problems += await self._own_scopes()
            bot = await self._bot_is_there()
            if not bot:
                problems.append(no_bot())
            running = await self._running()
            servers = await self._look_at(running, bot=bot)
        except HubUnreachable as error:
            problems.append(
                Problem(
                    what="hub",
                    problem=str(error),
                    remedy="Set JUPYTERHUB_API_URL to where the service reaches the Hub.",
                )
            )
        problems += self._of_servers(servers)
        return Report(ok=not problems, problems=problems, servers=servers)

    async def _own_scopes(self) -> list[Problem]:
        answer = await self._api.request("GET", "/user")
        if not answer.ok or not isinstance(answer.body, dict):
            return [
                Problem(
                    what="service",
                    problem="The Hub does not know the service's token.",
                    remedy=f"Give the service {SERVICE!r} in jupyterhub_config.py the token that"
                    " the service has in JUPYTERHUB_API_TOKEN.",
                )
            ]
        held = set(answer.body.get("scopes") or ())
        return [
            Problem(
                what="scopes",
                problem=f"The service lacks the scope {scope}.",
                remedy=LAST_LINES,
            )
            for scope in SERVICE_SCOPES
            if not _holds(held, scope)
        ]

    async def _bot_is_there(self) -> bool:
        answer = await self._mint(["access:servers"])
        return answer is not None

    async def _mint(self, scopes: list[str]) -> tuple[str, str] | None:
        """Return a token of the bot and its number, or None if the bot lacks the scopes."""
        answer = await self._api.request(
            "POST",
            path("users", BOT, "tokens"),
            body={"expires_in": 60, "scopes": scopes, "note": "jupyterhub-notify doctor"},
        )
        if not answer.ok or not isinstance(answer.body, dict) or not answer.body.get("token"):
            return None
        token, number = str(answer.body["token"]), str(answer.body.get("id"))
        # The Hub grants only the scopes that the bot holds; asked with the token, it tells which.
        about = await self._api.request("GET", "/user", token=token)
        held = set((about.body or {}).get("scopes") or ()) if about.ok else set()
        if not any(scope.startswith("access:servers") for scope in held):
            await self._discard(number)
            return None
        if scopes == ["access:servers"]:
            # This token opens every server, and was made only to see whether that is possible.
            await self._discard(number)
        return token, number

    async def _discard(self, number: str) -> None:
        await self._api.request("DELETE", path("users", BOT, "tokens", number))

    async def _running(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Return the servers that are ready: user, server, the Hub's model."""
        found: list[tuple[str, str, dict[str, Any]]] = []
        for offset in range(0, MOST_SERVERS, PAGE):
            query = {"state": "ready", "offset": str(offset), "limit": str(PAGE)}
            answer = await self._api.request("GET", "/users", query=query)
            users = answer.body if answer.ok and isinstance(answer.body, list) else []
            found += [
                (str(user["name"]), str(name), server)
                for user in users
                for name, server in (user.get("servers") or {}).items()
                if server.get("ready")
            ]
            if len(users) < PAGE:
                break
        return found[:MOST_SERVERS]

    async def _look_at(
        self, running: list[tuple[str, str, dict[str, Any]]], *, bot: bool
    ) -> list[ServerReport]:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(
            timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            return await asyncio.gather(
                *(self._one(session, *server, bot=bot) for server in running)
            )

    async def _one(
        self,
        session: aiohttp.ClientSession,
        user: str,
        server: str,
        model: dict[str, Any],
        *,
        bot: bool,
    ) -> ServerReport:
        hello = self._said_hello.get((user, server))
        started = _moment(model.get("started"))
        if hello is not None and (started is None or hello[1] >= started):
            return ServerReport(user=user, server=server, state="ok", version=hello[0])
        if not bot or self._proxy_url is None:
            return ServerReport(
                user=user,
                server=server,
                state="unknown",
                detail="It has not asked the service, and the service cannot ask it.",
            )
        async with self._turns:
            minted = await self._mint([f"access:servers!server={user}/{server}"])
            if minted is None:
                return ServerReport(user=user, server=server, state="unknown")
            token, number = minted
            try:
                # The Hub's own URL: a name may hold characters that can be escaped in several ways.
                base = urljoin(self._proxy_url, str(model.get("url") or "/"))
                return await self._ask(session, user, server, base, token)
            finally:
                await self._discard(number)

    async def _ask(
        self, session: aiohttp.ClientSession, user: str, server: str, base: str, token: str
    ) -> ServerReport:
        report = ServerReport(user=user, server=server, state="not-responding")
        try:
            status, body = await _get(session, f"{base}jupyterlab-notify/status", token)
            if status == 404:
                # The older extension accepts only POST.
                older, _ = await _get(
                    session, f"{base}jupyterlab-notifications-extension/ingest", token
                )
                state = "older-extension" if older == 405 else "no-extension"
                return report.model_copy(update={"state": state})
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
            return report
        if status in (401, 403):
            return report.model_copy(
                update={"state": "unknown", "detail": "It refused the token of notify-bot."}
            )
        if status != 200 or not isinstance(body, dict):
            return report.model_copy(update={"detail": f"It answered {status}."})
        return report.model_copy(update=_state(body))

    def _of_servers(self, servers: list[ServerReport]) -> list[Problem]:
        problems = []
        waiting = [s for s in servers if s.state == "needs-restart"]
        if waiting:
            names = ", ".join(f"{s.user}/{s.server}" for s in waiting[:20])
            problems.append(
                Problem(
                    what="environment",
                    problem=f"{len(waiting)} running servers have the extension and do not know"
                    f" the service: {names}.",
                    remedy="Restart those that were running before the service was added. If one"
                    f" that was started since is among them, {CENTRAL_URL} is missing in the"
                    f" spawner's environment. {LAST_LINES}",
                )
            )
        failing = [s for s in servers if s.state == "cannot-ask"]
        if failing:
            names = ", ".join(f"{s.user}/{s.server}" for s in failing[:20])
            problems.append(
                Problem(
                    what="servers",
                    problem=f"{len(failing)} running servers know the service and fail to ask it:"
                    f" {names}.",
                    remedy="See what each says. After a refusal (403) the scope"
                    " access:services!service=notify is missing in the user role or in"
                    f" Spawner.server_token_scopes: {LAST_LINES} Without any answer the service is"
                    " not reached from there: give configure(c) a lab_url.",
                )
            )
        return problems


def _state(body: Mapping[str, Any]) -> dict[str, Any]:
    version = _text(body.get("version"))
    central = body.get("central")
    if not isinstance(central, dict):
        return {"state": "needs-restart", "version": version}
    failure, success = central.get("lastFailure"), central.get("lastSuccess")
    if isinstance(failure, dict) and str(failure.get("at")) > str(success or ""):
        return {
            "state": "cannot-ask",
            "version": version,
            "detail": _text(failure.get("message")),
        }
    return {"state": "ok", "version": version}


def _text(value: Any) -> str | None:
    """Return a server's text shortened and without control characters: its user controls it."""
    if not isinstance(value, str):
        return None
    return re.sub(r"[^ -~\xa1-\u1fff]", "?", value)[:200]


def _holds(held: set[str], scope: str) -> bool:
    name = scope.partition("!")[0]
    return scope in held or name in held


def _moment(value: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)


async def _get(session: aiohttp.ClientSession, url: str, token: str) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {token}"}
    async with session.get(url, headers=headers, allow_redirects=False) as answer:
        content = await read_whole(answer.content, LARGEST)
    try:
        return answer.status, json.loads(content)
    except ValueError:
        return answer.status, None
