"""The warnings of `warn-idle`: recipients, times, and the text after a stop; without a hub."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from jupyterhub_notify.delivery.servers import HubUserServers, RunningServer
from jupyterhub_notify.idle import KEEP_RUNNING, STOPPED, WARNING, IdlePolicy
from jupyterhub_notify.models.notifications import ServiceNotification

AT = datetime(2026, 11, 28, 10, 0, tzinfo=timezone.utc)
POLICY = IdlePolicy(cull_after=timedelta(hours=1), warn_before=timedelta(minutes=10))


def idle(minutes: float, server: str = "", user: str = "alice") -> HubUserServers:
    last = AT - timedelta(minutes=minutes)
    return HubUserServers(user, frozenset(), (RunningServer(server, None, last, last),))


def shown(items: list[dict[str, Any]]) -> list[ServiceNotification]:
    """Return notifications as the service shows them."""
    constant = {"id": "1", "created": AT, "read": None, "sender": "idle", "url": "", "body": None}
    return [ServiceNotification.model_validate({**constant, "state": "active", **i}) for i in items]


def test_a_user_is_warned_in_the_last_minutes_only_and_may_keep_it_running() -> None:
    assert POLICY.wanted([idle(49)], [], AT) == []
    (warning,) = POLICY.wanted([idle(52)], [], AT)
    assert "will be stopped at 10:08 UTC, in 8 minutes" in warning["summary"]
    assert [action["commandId"] for action in warning["actions"]] == [KEEP_RUNNING]
    # A server that is still not stopped long after its time is no longer warned about.
    assert POLICY.wanted([idle(90)], [], AT) == []


def test_the_same_end_is_the_same_warning_and_activity_takes_it_away() -> None:
    first = POLICY.wanted([idle(52)], [], AT)
    later = AT + timedelta(minutes=3)
    again = POLICY.wanted([idle(52)], shown(first), later)
    assert [one["summary"] for one in again] == [one["summary"] for one in first]
    assert POLICY.wanted([idle(0)], shown(again), later) == []


def test_each_server_is_warned_of_by_itself_and_its_name_is_no_markdown() -> None:
    wanted = POLICY.wanted([idle(52, "a*b*"), idle(52, "", "bob")], [], AT)
    assert [one["recipient"] for one in wanted] == ["alice", "bob"]
    assert "a\\*b\\*" in wanted[0]["summary"]


def test_who_was_stopped_at_the_end_is_told_and_who_stopped_it_themselves_is_not() -> None:
    warned = shown(POLICY.wanted([idle(52)], [], AT))
    assert warned[0].key is not None
    assert warned[0].key.startswith(WARNING)
    assert POLICY.wanted([], warned, AT + timedelta(minutes=5)) == []
    (told,) = POLICY.wanted([], warned, AT + timedelta(minutes=9))
    assert told["key"] == STOPPED
    assert "was stopped at 10:08 UTC" in told["summary"]
    # It stays, whether the server runs again or not.
    again = POLICY.wanted([idle(0)], shown([told]), AT + timedelta(minutes=30))
    assert [one["summary"] for one in again] == [told["summary"]]


def test_who_has_started_it_again_before_the_next_look_is_told_too() -> None:
    warned = shown(POLICY.wanted([idle(52)], [], AT))
    after = AT + timedelta(minutes=10)
    # Stopped at 10:08, and started at 10:09.
    (told,) = POLICY.wanted([idle(-9)], warned, after)
    assert told["key"] == STOPPED
    assert "was stopped at 10:08 UTC" in told["summary"]
    # One that was started before its end was not stopped then.
    assert POLICY.wanted([idle(-7)], warned, after) == []


def test_two_that_look_at_once_want_the_same() -> None:
    users = [idle(52), idle(52, "gpu"), idle(55, "", "bob")]
    first = POLICY.wanted(users, [], AT)
    second = POLICY.wanted(users, shown(first), AT + timedelta(seconds=20))
    assert [(one["recipient"], one["key"], one["summary"]) for one in second] == [
        (one["recipient"], one["key"], one["summary"]) for one in first
    ]
    assert len({(one["recipient"], one["key"]) for one in first}) == 3
