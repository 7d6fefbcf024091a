"""Identities of a JupyterHub: its tokens, and its login for pages.

Scopes decide: `access:services!service=notify` lets its holder in, `custom:notify:publish` lets a
user or service publish under its own name (`!group=NAME`: to the members of one group),
`custom:notify:admin` lets it administer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .caller import (
    ANONYMOUS,
    ANY,
    Caller,
    CrossSiteRequest,
    Method,
    NotAdmitted,
    Unauthenticated,
)
from .credentials import bearer_token
from .login import LoginPages
from .lookup import TokenLookup

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.routing import BaseRoute

    from .hub import HubAdapter

__all__ = ["ADMINISTER", "PUBLISH", "JupyterHubIdentity"]

ADMINISTER = "custom:notify:admin"
PUBLISH = "custom:notify:publish"

#: Scopes of every administrator; a token without them does not have all scopes of its owner.
OF_ADMINISTRATORS = frozenset({"admin:users", "admin:servers", "read:tokens"})

SAFE = ("GET", "HEAD", "OPTIONS")
#: Values of `Sec-Fetch-Mode` for requests that no script made. Plain http has no such header.
NAVIGATION = ("navigate", "unspecified")


#: The number of unread messages needs no XSRF token: the hub's own pages show it, and have none.
UNPROVEN = "/v1/unread"


class JupyterHubIdentity:
    """Asks the Hub who a token belongs to.

    Parameters
    ----------
    hub
        The Hub.
    at_once
        Maximum number of tokens looked up at a time.
    max_age_s
        Time in seconds for which the Hub's answers are cached.
    """

    def __init__(self, hub: HubAdapter, *, at_once: int = 10, max_age_s: float = 300.0) -> None:
        self.hub = hub
        self._tokens = TokenLookup(self._of_token, at_once=at_once, max_age_s=max_age_s)
        self._logins = TokenLookup(self._of_login, at_once=at_once, max_age_s=max_age_s)
        self._pages = LoginPages(hub, self._logins)

    async def identify(self, connection: HTTPConnection) -> Caller:
        """Return the caller of this request; see `IdentityProvider.identify`."""
        token = bearer_token(connection)
        if token is not None:
            caller = await self._tokens.get(token)
            if caller is None:
                raise Unauthenticated("The Hub does not know this token: it is wrong or expired.")
        else:
            login = self._pages.login(connection)
            if login is None:
                return ANONYMOUS
            caller = await self._logins.get(login.token, session=login.session)
            if caller is None:
                if _is_read(connection):
                    # As without a login: the page then sends the browser to the login.
                    return ANONYMOUS
                raise Unauthenticated("The login has ended: log in again.")
            if _needs_proof(connection) and not self._pages.has_proof(connection, login):
                raise CrossSiteRequest("The header X-XSRFToken of the service's page is missing.")
        if caller.is_anonymous:
            raise NotAdmitted(
                "This token may not reach the service: it lacks the scope "
                "'access:services!service=notify'."
            )
        return caller

    def login_url(self, connection: HTTPConnection) -> str | None:
        """Return the login's address, which leads back to this page."""
        return self._pages.login_url(connection)

    def xsrf_token(self, connection: HTTPConnection) -> str:
        """Return the token that a page sends back as `X-XSRFToken`, or as `_xsrf` in the query."""
        return self._pages.xsrf_token(connection)

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the login: `login`, `oauth_callback`, `logout`."""
        return self._pages.routes()

    async def start(self) -> None:
        """Do nothing: connections are opened when they are needed."""

    async def stop(self) -> None:
        """Close the connections to the Hub."""
        await self._tokens.stop()
        await self._logins.stop()
        await self.hub.close()

    async def _of_token(self, token: str) -> Caller | None:
        model = await self.hub.user(token)
        if model is None:
            return None
        method: Method = "token"
        scopes = set(model.get("scopes") or ())
        # A token that can only read needs no further question to the Hub.
        if (
            model.get("kind") == "user"
            and (_administers(model, scopes) or _publishes(scopes))
            and await self.hub.belongs_to_a_server(token, model)
        ):
            method = "lab"
        return self._caller(model, scopes, method)

    async def _of_login(self, token: str) -> Caller | None:
        model = await self.hub.user(token)
        if model is None:
            return None
        return self._caller(model, set(model.get("scopes") or ()), "login")

    def _caller(self, model: Mapping[str, Any], scopes: set[str], method: Method) -> Caller:
        if not self.hub.admits(scopes) and not _of_ours(scopes):
            return ANONYMOUS
        name = str(model["name"])
        service = model.get("kind") == "service"
        groups = frozenset(str(g) for g in model.get("groups") or () if g != ANY)
        if method == "lab":
            return Caller(name=name, kind="user", groups=groups, method=method)
        admin = _administers(model, scopes) or (method == "login" and model.get("admin") is True)
        return Caller(
            name=name,
            kind="service" if service else "user",
            groups=groups,
            admin=admin,
            publish_as=_names(name, scopes, admin=admin),
            send_groups=_groups(scopes, admin=admin),
            method=method,
        )


def _is_read(connection: HTTPConnection) -> bool:
    return connection.scope.get("method", "GET") in SAFE


def _needs_proof(connection: HTTPConnection) -> bool:
    """Return whether a request with a cookie must bring the page's XSRF token.

    A script's read must bring it too: other users' servers may have the same origin as this
    service, and scripts of their pages could read everything that the browser's cookie opens.
    """
    if not _is_read(connection):
        return True
    mode = connection.headers.get("sec-fetch-mode", "unspecified")
    if connection.headers.get("sec-fetch-site", "unspecified") == "same-origin":
        # A script of the same origin can read the answer even to a "no-cors" request. Only a
        # picture is certainly no script's request.
        if mode == "no-cors" and connection.headers.get("sec-fetch-dest") == "image":
            return False
        if connection.url.path.endswith(UNPROVEN):
            return False
    return mode not in NAVIGATION


def _administers(model: Mapping[str, Any], scopes: set[str]) -> bool:
    """Return whether a token's scopes let its holder administer, whatever it was made for."""
    return ADMINISTER in scopes or (
        model.get("admin") is True
        and model.get("kind") == "user"
        and scopes.issuperset(OF_ADMINISTRATORS)
    )


def _publishes(scopes: set[str]) -> bool:
    return any(scope.partition("!")[0] == PUBLISH for scope in scopes)


def _of_ours(scopes: set[str]) -> bool:
    return ADMINISTER in scopes or _publishes(scopes)


def _names(name: str, scopes: set[str], *, admin: bool) -> frozenset[str]:
    if admin:
        return frozenset({ANY})
    return frozenset({name}) if _publishes(scopes) and name != ANY else frozenset()


def _groups(scopes: set[str], *, admin: bool) -> frozenset[str]:
    if admin or PUBLISH in scopes:
        return frozenset({ANY})
    prefix = f"{PUBLISH}!group="
    named = (scope[len(prefix) :] for scope in scopes if scope.startswith(prefix))
    return frozenset(group for group in named if group != ANY)
