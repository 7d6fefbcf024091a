"""Notifications for users whose idle server is about to be stopped, or has been stopped.

They are computed from the activity that the Hub reports and from the notifications that exist. The
caller reconciles the service's notifications with the list, so that a warning goes away when its
user is active again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from .delivery.servers import HubUserServers
from .models.notifications import ServiceNotification

__all__ = ["KEEP_RUNNING", "SCOPE", "IdlePolicy"]

#: The beginning of the keys of all these notifications.
SCOPE = "idle/"
WARNING = SCOPE + "warning/"
STOPPED = SCOPE + "stopped/"
#: The lab's command that counts as a user's activity.
KEEP_RUNNING = "jupyterlab-notify:keep-running"


@dataclass(frozen=True, kw_only=True)
class IdlePolicy:
    """The times after which idle servers are stopped and their users warned.

    Parameters
    ----------
    cull_after
        The time without activity after which a server is stopped, by another service.
    warn_before
        How long before that the user is warned.
    told_for
        How long the user is told that the server was stopped.
    """

    cull_after: timedelta
    warn_before: timedelta
    told_for: timedelta = timedelta(days=7)

    def wanted(
        self,
        users: Iterable[HubUserServers],
        shown: Iterable[ServiceNotification],
        at: datetime,
    ) -> list[dict[str, Any]]:
        """Return the notifications that should be active now.

        Parameters
        ----------
        users
            The users and the servers that they run.
        shown
            The notifications of this scope that are active.
        at
            The present time.
        """
        known = {(one.recipient or "", one.key or ""): one for one in shown}
        running: dict[tuple[str, str], datetime | None] = {}
        wanted = []
        for user in users:
            for server in user.servers:
                running[user.name, server.name] = server.started
                last = server.last_activity or server.started
                if last is None or last + self.cull_after - self.warn_before > at:
                    continue
                ends = (last + self.cull_after).replace(microsecond=0)
                if ends + self.warn_before < at:
                    # It should be stopped by now: it is apparently exempt from being stopped.
                    continue
                wanted.append(self._warning(user.name, server.name, ends, known, at))
        wanted += self._stopped(known, running, at)
        return wanted

    def _warning(
        self,
        user: str,
        server: str,
        ends: datetime,
        known: Mapping[tuple[str, str], ServiceNotification],
        at: datetime,
    ) -> dict[str, Any]:
        # A warning of the same end has the same key, and keeps its text.
        key = f"{WARNING}{ends:%Y%m%dT%H%M%SZ}/{server}"
        before = known.get((user, key))
        left = max(1, round((ends - at) / timedelta(minutes=1)))
        text = (
            f"{_named(server)} will be stopped at {ends:%H:%M} UTC, in {_minutes(left)}, because "
            f"it has not been used for {_minutes(round(self.cull_after.total_seconds() / 60))} then"
        )
        return {
            "recipient": user,
            "key": key,
            "type": "warning",
            "summary": text if before is None else before.summary,
            "auto_close": False,
            # Longer than the server may run: the next look replaces the warning.
            "expires": (ends + self.warn_before).isoformat(),
            "actions": [
                {
                    "label": "Keep it running",
                    "displayType": "accent",
                    "commandId": KEEP_RUNNING,
                }
            ],
        }

    def _stopped(
        self,
        known: Mapping[tuple[str, str], ServiceNotification],
        running: Mapping[tuple[str, str], datetime | None],
        at: datetime,
    ) -> list[dict[str, Any]]:
        """Return notifications that tell users why their servers are gone."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for (user, key), one in known.items():
            if key.startswith(STOPPED):
                found.setdefault((user, key), _kept(one))
                continue
            end, _, server = key.removeprefix(WARNING).partition("/")
            ends = _time(end)
            # A server that went before this time was stopped for another reason.
            if ends is None or ends > at:
                continue
            if (user, server) in running:
                started = running[user, server]
                if started is None or started < ends:
                    continue
                # Its user has started it again since the last run.
            found[user, STOPPED + server] = {
                "recipient": user,
                "key": STOPPED + server,
                "type": "info",
                "summary": (
                    f"{_named(server)} was stopped at {ends:%H:%M} UTC on {ends:%Y-%m-%d}: "
                    "it had not been used for "
                    f"{_minutes(round(self.cull_after.total_seconds() / 60))}"
                ),
                "auto_close": False,
                "expires": (at + self.told_for).replace(microsecond=0).isoformat(),
            }
        return list(found.values())


def _kept(one: ServiceNotification) -> dict[str, Any]:
    """Return a notification as it was sent, so that reconciling leaves it unchanged."""
    return {
        "recipient": one.recipient,
        "key": one.key,
        "type": one.type,
        "summary": one.summary,
        "auto_close": False,
        "expires": None if one.expires is None else one.expires.isoformat(),
    }


def _named(server: str) -> str:
    # The user chose the name: Markdown in it must not take effect.
    return "Your server" if not server else f"Your server {_escaped(server)}"


def _escaped(name: str) -> str:
    return "".join(f"\\{c}" if c in r"\`*_{}[]<>()#+-.!|~@:/&" else c for c in name)


def _minutes(count: int) -> str:
    if count >= 120 and count % 60 == 0:
        return f"{count // 60} hours"
    return "1 minute" if count == 1 else f"{count} minutes"


def _time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text + "+0000", "%Y%m%dT%H%M%SZ%z")
    except ValueError:
        return None
