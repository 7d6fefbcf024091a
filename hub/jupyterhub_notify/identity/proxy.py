"""Identities from a header that a trusted proxy sets, as Gafaelfawr's ingress does."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import structlog

from .caller import ANONYMOUS, ANY, Caller, Unauthenticated

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.routing import BaseRoute

__all__ = ["ProxyIdentity"]

#: Maximum length of a name in the header.
LONGEST = 256


class ProxyIdentity:
    """Takes a user's name from a header, if the request comes from the proxy.

    Parameters
    ----------
    peers
        The addresses and networks of the proxy; the header is ignored in requests from others.
    user_header, groups_header
        The headers with the user's name, and with the user's groups separated by commas.
    admins, admin_groups
        The users and groups who may administer.
    routes_are_checked
        Whether the proxy lets a request through to ``/v1/admin`` only with the right to
        administer, and to ``/v1/services`` only with the right to publish, as Gafaelfawr does for
        Semaphore. Then a request to these routes has that right, under the user's own name.
    """

    def __init__(
        self,
        peers: Iterable[str],
        *,
        user_header: str = "X-Auth-Request-User",
        groups_header: str = "X-Auth-Request-Groups",
        admins: Iterable[str] = (),
        admin_groups: Iterable[str] = (),
        routes_are_checked: bool = False,
    ) -> None:
        self._networks = [ipaddress.ip_network(peer, strict=False) for peer in peers]
        self._user_header = user_header
        self._groups_header = groups_header
        self._admins = frozenset(admins)
        self._admin_groups = frozenset(admin_groups)
        self._routes_are_checked = routes_are_checked
        self._log = structlog.get_logger("jupyterhub_notify.identity")
        self._said = False

    async def identify(self, connection: HTTPConnection) -> Caller:
        """Return the caller of this request; see `IdentityProvider.identify`."""
        names = connection.headers.getlist(self._user_header)
        if not names:
            return ANONYMOUS
        if not self._is_proxy(connection):
            if not self._said:
                self._said = True
                peer = connection.client.host if connection.client else None
                self._log.warning(
                    "A user's header came from a peer that is no trusted proxy; it is ignored.",
                    header=self._user_header,
                    peer=peer,
                )
            return ANONYMOUS
        name = names[0].strip()
        if len(names) > 1 or not name or len(name) > LONGEST or not name.isprintable():
            raise Unauthenticated(f"The header {self._user_header} must hold one user's name.")
        groups = self._groups(connection)
        path = str(connection.scope.get("path", ""))
        path = path.removeprefix(str(connection.scope.get("root_path", "")))
        admin = (
            name in self._admins
            or not self._admin_groups.isdisjoint(groups)
            or (self._routes_are_checked and _is_below(path, "/v1/admin"))
        )
        publishes = self._routes_are_checked and _is_below(path, "/v1/services") and name != ANY
        return Caller(
            name=name,
            # Gafaelfawr gives the users of services names that begin so.
            kind="service" if name.startswith("bot-") else "user",
            groups=groups,
            admin=admin,
            publish_as=frozenset({ANY} if admin else {name} if publishes else ()),
            send_groups=frozenset({ANY} if admin or publishes else ()),
            method="proxy",
        )

    def _is_proxy(self, connection: HTTPConnection) -> bool:
        try:
            peer = ipaddress.ip_address(connection.client.host if connection.client else "")
        except ValueError:
            return False
        mapped = getattr(peer, "ipv4_mapped", None)
        return any((mapped or peer) in network for network in self._networks)

    def _groups(self, connection: HTTPConnection) -> frozenset[str]:
        told = ",".join(connection.headers.getlist(self._groups_header))
        return frozenset(g for g in (group.strip() for group in told.split(",")) if g and g != ANY)

    def login_url(self, connection: HTTPConnection) -> str | None:
        """Return None: the proxy logs browsers in before it forwards them."""
        del connection
        return None

    def xsrf_token(self, connection: HTTPConnection) -> str:
        """Return an empty string: there is no XSRF token for the proxy's login."""
        del connection
        return ""

    def routes(self) -> Sequence[BaseRoute]:
        """Return no routes: the proxy has those of the login."""
        return []

    async def start(self) -> None:
        """Do nothing."""

    async def stop(self) -> None:
        """Do nothing."""


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
