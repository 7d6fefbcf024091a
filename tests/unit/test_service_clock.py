"""The distance of a central service's clock, by the dates that its answers carry."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from jupyterlab_notify.sources.central.clock import MAX_TIME_MS, ServiceClock
from jupyterlab_notify.storage.remote import PLAIN_OPTIONS, RemoteOptions

HOUR_MS = 3_600_000


def options(expires_ms: int) -> RemoteOptions:
    return {**PLAIN_OPTIONS, "expires_ms": expires_ms}


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        "Mon, 01 Jan 2026 00:00:00 +99999999999",
        "Mon, 99 Jan 2026 00:00:00 GMT",
        "1",
        "(" * 60_000,
    ],
)
def test_what_is_no_date_says_nothing_of_the_clock(date: str) -> None:
    clock = ServiceClock()
    clock.note(formatdate(time.time() - 3600, usegmt=True))
    before = clock.ahead_ms
    clock.note(date)
    assert clock.ahead_ms == before != 0


def test_an_answer_from_a_cache_says_nothing_of_the_clock() -> None:
    clock = ServiceClock()
    clock.note(formatdate(time.time() - 3600, usegmt=True), "3600")
    assert clock.ahead_ms == 0


def test_a_moved_time_is_still_one() -> None:
    clock = ServiceClock()
    clock.note(formatdate(time.time() - 3600, usegmt=True))
    # A datetime holds no later time, and a message with a later time could not be listed.
    assert clock.to_local(options(MAX_TIME_MS))["expires_ms"] == MAX_TIME_MS
    clock.note("Fri, 31 Dec 9999 23:59:59 GMT")
    assert clock.to_local(options(HOUR_MS))["expires_ms"] == 0
