"""The settings that `configure(c)` makes, in one place for the modules that look for them."""

from __future__ import annotations

from ..configure import ACCESS, BOT, BOT_SCOPES, CENTRAL_URL, CUSTOM_SCOPES, SERVICE, SERVICE_SCOPES
from ..models.doctor import Problem

__all__ = [
    "ACCESS",
    "BOT",
    "BOT_SCOPES",
    "CENTRAL_URL",
    "CUSTOM_SCOPES",
    "LAST_LINES",
    "SERVICE",
    "SERVICE_SCOPES",
    "no_bot",
]

LAST_LINES = (
    "Make configure(c) the last line of jupyterhub_config.py, and restart the hub: what is"
    " assigned after it replaces what it has set."
)


def no_bot() -> Problem:
    """Return the problem that nothing can be pushed to servers that do not ask."""
    return Problem(
        what="roles",
        problem=f"The user {BOT} does not have the scope access:servers, so that servers which do"
        " not ask the service cannot be reached.",
        remedy=f"Give it by a role with users=[{BOT!r}] and scopes=['access:servers']; where the"
        " authenticator manages roles, in what its load_managed_roles returns.",
    )
