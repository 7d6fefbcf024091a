"""The login of a browser through the Hub (OAuth), and the XSRF token of the service's pages.

Nothing is kept in memory, so any replica can end a login that another has begun.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from .caller import Caller, IdentityError
from .signing import Signer

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

    from .hub import HubAdapter
    from .lookup import TokenLookup

__all__ = ["BrowserLogin", "LoginPages"]

#: Time in seconds that a login may take, and for which it is valid (the Hub may end it earlier).
LOGIN_S = 600
HELD_S = 14 * 24 * 3600

#: The cookie of the browser's session at the Hub; its value changes with a logout there.
SESSION_COOKIE = "jupyterhub-session-id"


@dataclass(frozen=True, slots=True)
class BrowserLogin:
    """The login in a browser's cookies.

    Parameters
    ----------
    token
        The token that the Hub gave at the login.
    session
        The browser's session at the Hub.
    """

    token: str
    session: str


class LoginPages:
    """The routes of the login, its cookies and its XSRF token.

    Parameters
    ----------
    hub
        The Hub.
    lookup
        Looks up the owner of a login's token.
    """

    def __init__(self, hub: HubAdapter, lookup: TokenLookup[Caller]) -> None:
        self._hub = hub
        self._lookup = lookup
        self._signer = Signer(hub.api_token)

    def login(self, connection: HTTPConnection) -> BrowserLogin | None:
        """Return the login that a request's cookies hold, or None."""
        cookie = connection.cookies.get(self._hub.cookie_name)
        token = self._signer.value("login", cookie) if cookie else None
        if not token:
            return None
        return BrowserLogin(token, connection.cookies.get(SESSION_COOKIE, ""))

    def xsrf_token(self, connection: HTTPConnection) -> str:
        """Return the XSRF token of the login that a request's cookies hold, or an empty string."""
        login = self.login(connection)
        return self._proof(login) if login is not None else ""

    def has_proof(self, connection: HTTPConnection, login: BrowserLogin) -> bool:
        """Return whether a request brings the XSRF token of its login."""
        given = connection.headers.get("x-xsrftoken") or connection.query_params.get("_xsrf") or ""
        return self._signer.same(self._proof(login), given)

    def _proof(self, login: BrowserLogin) -> str:
        token = hashlib.sha256(login.token.encode()).hexdigest()
        return self._signer.digest("xsrf", f"{login.session}:{token}")

    def login_url(self, connection: HTTPConnection) -> str:
        """Return the login's address, which leads back to this page."""
        path = connection.url.path
        query = f"?{connection.url.query}" if connection.url.query else ""
        return f"{self._hub.base_url}login?next={quote(path + query, safe='/')}"

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes, below the service's prefix."""
        return [
            Route("/login", self._begin, methods=["GET"]),
            Route("/oauth_callback", self._end, methods=["GET"]),
            Route("/logout", self._log_out, methods=["POST"]),
        ]

    async def _begin(self, request: Request) -> Response:
        state = secrets.token_urlsafe(16)
        login = self._hub.begin_login(state)
        kept = {
            "state": state,
            "next": self._own_page(request.query_params.get("next", "")),
            "verifier": login.verifier,
            "until": time.time() + LOGIN_S,
        }
        response = RedirectResponse(login.url, 302, headers=NEVER_KEPT)
        self._set_cookie(
            request,
            response,
            # A cookie for each login that has begun, since two tabs may log in at the same time.
            self._state_cookie(state),
            self._signer.sign("state", json.dumps(kept)),
            LOGIN_S,
        )
        return response

    async def _end(self, request: Request) -> Response:
        query = request.query_params
        state, code = query.get("state", ""), query.get("code", "")
        if query.get("error"):
            return _sentence(403, "The Hub did not let you log in to this service.")
        kept = self._kept(request, state)
        if not kept or not code:
            return _sentence(400, "This login was not begun here, or too long ago: begin it again.")
        try:
            token = await self._hub.end_login(code, kept["verifier"])
            session = request.cookies.get(SESSION_COOKIE, "")
            caller = await self._lookup.get(token, session=session)
        except IdentityError as error:
            return _sentence(error.status, str(error))
        if caller is None or caller.is_anonymous:
            return _sentence(403, "Your account may not use this service.")
        response = RedirectResponse(self._own_page(kept["next"]), 302, headers=NEVER_KEPT)
        signed = self._signer.sign("login", token)
        self._set_cookie(request, response, self._hub.cookie_name, signed, HELD_S)
        self._drop_cookie(request, response, self._state_cookie(state))
        return response

    async def _log_out(self, request: Request) -> Response:
        login = self.login(request)
        if login is not None and not self.has_proof(request, login):
            return _sentence(403, "The header X-XSRFToken of the service's page is missing.")
        response = RedirectResponse(self._hub.base_url, 303, headers=NEVER_KEPT)
        self._drop_cookie(request, response, self._hub.cookie_name)
        return response

    def _kept(self, request: Request, state: str) -> dict[str, Any] | None:
        cookie = request.cookies.get(self._state_cookie(state), "")
        value = self._signer.value("state", cookie)
        kept: dict[str, Any] | None = json.loads(value) if value else None
        if not kept or not self._signer.same(kept["state"], state) or kept["until"] < time.time():
            return None
        return kept

    def _state_cookie(self, state: str) -> str:
        return f"{self._hub.cookie_name}-state-{hashlib.sha256(state.encode()).hexdigest()[:8]}"

    def _own_page(self, path: str) -> str:
        """Return the path if it belongs to this service, else the path of the first page."""
        base_url = self._hub.base_url
        try:
            parts = urlsplit(path)
        except ValueError:
            return base_url
        own = path.startswith(base_url) and not parts.scheme and not parts.netloc
        plain = "\\" not in path and path.isprintable() and ".." not in parts.path.split("/")
        return path if own and plain else base_url

    def _set_cookie(
        self, request: Request, response: Response, name: str, value: str, age_s: int
    ) -> None:
        # The administrator's options have precedence, as for the Hub's own cookies.
        options = {str(k).lower(): v for k, v in self._hub.cookie_options.items()}
        response.set_cookie(
            name,
            value,
            max_age=age_s,
            path=self._hub.cookie_path,
            domain=options.get("domain"),
            secure=bool(options.get("secure", self._is_secure(request))),
            httponly=True,
            samesite=str(options.get("samesite", "lax")).lower(),  # type: ignore[arg-type]
        )

    def _drop_cookie(self, request: Request, response: Response, name: str) -> None:
        self._set_cookie(request, response, name, "", 0)

    def _is_secure(self, request: Request) -> bool:
        if self._hub.cookie_name.startswith("__Host-"):
            return True
        forwarded = request.headers.get("x-forwarded-proto", request.url.scheme)
        return forwarded.split(",")[0].strip() == "https"


NEVER_KEPT = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def _sentence(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status, headers=NEVER_KEPT)
