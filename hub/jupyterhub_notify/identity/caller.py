"""The caller of a request, and the interface of an identity provider.

Handlers ask a provider once for each request and hand the `Caller` down; no layer below looks at
a token, a header or a cookie.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.routing import BaseRoute

Kind = Literal["user", "service", "anonymous"]

#: How a caller was recognized. `lab` means a token that the Hub made for a user's server: it never
#: administers. `login` means a browser's login through the Hub's OAuth: a change needs an XSRF
#: token.
Method = Literal["none", "login", "lab", "token", "proxy", "token-file"]

#: Stands for all in `publish_as` and `send_groups`. Providers drop a service or group of this name.
ANY = "*"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """A caller and their permissions; what they may see follows from both.

    Parameters
    ----------
    name
        The user's or service's name; empty for an anonymous caller.
    kind
        A user, a service, or nobody.
    groups
        The groups that a user belongs to.
    admin
        Whether the caller may administer the service: broadcasts, welcome messages, all
        notifications.
    publish_as
        The services in whose names the caller may publish and see, change and revoke
        notifications; `ANY` stands for all.
    send_groups
        The groups whose members the caller may send to; `ANY` stands for every user.
    method
        How the caller was recognized.
    """

    name: str
    kind: Kind
    groups: frozenset[str] = frozenset()
    admin: bool = False
    publish_as: frozenset[str] = frozenset()
    send_groups: frozenset[str] = frozenset()
    method: Method = "none"

    @property
    def is_anonymous(self) -> bool:
        """Return whether the caller is unknown."""
        return self.kind == "anonymous"

    def may_publish_as(self, service: str) -> bool:
        """Return whether the caller may publish in this service's name."""
        return ANY in self.publish_as or service in self.publish_as

    def may_send_to_everyone(self) -> bool:
        """Return whether the caller may send to every user."""
        return ANY in self.send_groups

    def may_send_to_group(self, group: str) -> bool:
        """Return whether the caller may send to the members of this group."""
        return ANY in self.send_groups or group in self.send_groups

    def may_send_to_user(self, groups: Iterable[str]) -> bool:
        """Return whether the caller may send to a user who belongs to these groups."""
        return ANY in self.send_groups or not self.send_groups.isdisjoint(groups)


ANONYMOUS = Caller(name="", kind="anonymous")


class IdentityError(Exception):
    """The caller cannot be recognized; `str()` is one sentence for the answer, without a token.

    Parameters
    ----------
    message
        What is wrong.
    retry_after_s
        For the header `Retry-After`, in seconds.
    """

    status: int = 401
    code: str = "unauthenticated"

    def __init__(self, message: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Unauthenticated(IdentityError):
    """The request carries a token, header or cookie that is not valid: 401."""


class CrossSiteRequest(IdentityError):
    """A browser's change without the XSRF token of the page: 403."""

    status = 403
    code = "cross-site-request"


class NotAdmitted(IdentityError):
    """A token of the Hub that is valid, but may not reach this service: 403."""

    status = 403
    code = "not-admitted"


class IdentityUnavailable(IdentityError):
    """The caller cannot be identified now, since the Hub does not answer: 503."""

    status = 503
    code = "identity-unavailable"


class IdentityProvider(Protocol):
    """Identifies the caller of a request; the configuration chooses the provider."""

    async def identify(self, connection: HTTPConnection) -> Caller:
        """Return the caller of this request.

        A request without any credentials is `ANONYMOUS`; handlers answer 401 to what an anonymous
        caller may not do.

        Raises
        ------
        IdentityError
            If the credentials are not valid (401), the request comes from another site's page or
            has a token that may not reach the service (403), or the Hub does not answer (503).
        """

    def login_url(self, connection: HTTPConnection) -> str | None:
        """Return the login's address, which leads back to this page; None if there is no login."""

    def xsrf_token(self, connection: HTTPConnection) -> str:
        """Return the token that a page sends back as `X-XSRFToken`, or as `_xsrf` in the query.

        It is empty without a login.
        """

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes that a login needs, below the service's prefix."""

    async def start(self) -> None:
        """Open what the provider needs while the service runs."""

    async def stop(self) -> None:
        """Close what `start` has opened."""
