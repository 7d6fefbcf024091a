"""The distance of a central service's clock, by the dates that its answers carry."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any, cast

import pytest

from jupyterlab_notify.sources.central import CentralClient, Transport
from jupyterlab_notify.sources.central.clock import ServiceClock
from jupyterlab_notify.sources.central.failure import Answer
from jupyterlab_notify.sources.central.parsing import parse_quiet
from jupyterlab_notify.storage.fields import rfc3339
from jupyterlab_notify.storage.quiet import UntoldQuiet
from jupyterlab_notify.storage.remote import PLAIN_OPTIONS, RemoteOptions
from jupyterlab_notify.storage.transaction import MAX_TIME_MS

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


@pytest.mark.parametrize("days", [1, 365_000, 4_000_000, -1, -365_000, -4_000_000])
@pytest.mark.parametrize("until", ["9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"])
def test_the_moved_end_of_do_not_disturb_is_a_time_that_tabs_can_be_told(
    days: int, until: str
) -> None:
    entry = {"source": "", "on": True, "until": until, "stamp": 1}
    (found,), _ = parse_quiet({"entries": [entry]}, days * 24 * HOUR_MS)
    assert found.until_ms is not None
    told = rfc3339(found.until_ms)
    assert told is not None and "1970-01-01" <= told <= "9999-12-31T23:59:59.999Z"


@pytest.mark.parametrize("days", [365_000, 4_000_000, -365_000, -4_000_000])
async def test_the_end_of_do_not_disturb_is_told_whatever_the_service_says_of_its_clock(
    days: int,
) -> None:
    told: list[Any] = []

    class Told:
        clock = ServiceClock()

        async def ask(
            self, method: str, path: str, params: Any, headers: Any, content: bytes
        ) -> Answer:
            told.extend(entry["until"] for entry in json.loads(content)["entries"])
            return Answer(200, {}, b'{"entries": []}')

    transport = Told()
    transport.clock.ahead_ms = days * 24 * HOUR_MS
    now_ms = int(time.time() * 1000)
    change = UntoldQuiet("", True, now_ms + HOUR_MS, now_ms, 0)
    forever = UntoldQuiet("quota", True, None, now_ms, 0)
    await CentralClient(cast(Transport, transport)).quiet([change, forever])
    assert isinstance(told[0], str) and told[1] is None
