"""Checks of a caller's permissions, which services make before they act."""

from __future__ import annotations

from ..errors import NotAllowed, NotAuthenticated
from ..identity.caller import Caller

__all__ = ["require_admin", "require_publisher", "require_sender", "require_user"]


def require_known(caller: Caller) -> None:
    """Refuse an anonymous caller."""
    if caller.is_anonymous:
        raise NotAuthenticated("This needs a token: Authorization: Bearer …")


def require_user(caller: Caller) -> str:
    """Return the user's name; refuse a caller who is no user."""
    require_known(caller)
    if caller.kind != "user":
        raise NotAllowed("Only a user has notifications, and this is a service's token")
    return caller.name


def require_publisher(caller: Caller, service: str) -> None:
    """Refuse a caller who may not publish in this service's name."""
    require_known(caller)
    if not caller.may_publish_as(service):
        raise NotAllowed("This caller may not act for this service", ["path", "service"])


def require_admin(caller: Caller) -> None:
    """Refuse a caller who may not administer."""
    require_known(caller)
    if not caller.admin:
        raise NotAllowed("This needs a caller who may administer the notification service")


def require_sender(caller: Caller) -> None:
    """Refuse a caller who may not send broadcasts to anybody."""
    require_known(caller)
    if not caller.admin and not caller.send_groups:
        raise NotAllowed("This caller may not send broadcasts")
