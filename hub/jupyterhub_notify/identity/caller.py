"""The caller of a request, and what a provider of identities must offer.

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

#: The way in which a caller was recognized. `lab` is a token that the Hub made for a user's server:
#: it never administers. `login` is a browser's, through the Hub's OAuth: a change needs an XSRF
#: token.
Method = Literal["none", "login", "lab", "token", "proxy", "token-file"]

#: In `publish_as` and `send_groups`: every one. Providers drop a service or group of this name.
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
        """Return whether nobody is known to ask."""
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
    """A caller who cannot be recognized; `str()` is one sentence for the answer, without a token.

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
    """A token of the Hub's that is valid and may not reach this service: 403."""

    status = 403
    code = "not-admitted"


class IdentityUnavailable(IdentityError):
    """The caller cannot be told now, as the Hub does not answer: 503."""

    status = 503
    code = "identity-unavailable"


class IdentityProvider(Protocol):
    """Tells who sends a request; one is chosen by the configuration."""

    async def identify(self, connection: HTTPConnection) -> Caller:
        """Return who sends this request.

        A request without any credentials is `ANONYMOUS`; what an anonymous caller may not is a
        401 of the handler's.

        Raises
        ------
        IdentityError
            If the credentials are not valid (401), the request comes from another site's page or
            with a token that may not reach the service (403), or nobody can tell now (503).
        """

    def login_url(self, connection: HTTPConnection) -> str | None:
        """Return where a browser logs in and comes back to this page; None if nowhere."""

    def xsrf_token(self, connection: HTTPConnection) -> str:
        """Return what a page sends back as `X-XSRFToken`, or as `_xsrf` in the query.

        It is empty where nobody has logged in.
        """

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes that a login needs, below the service's prefix."""

    async def start(self) -> None:
        """Open what lives as long as the service."""

    async def stop(self) -> None:
        """Close it."""
