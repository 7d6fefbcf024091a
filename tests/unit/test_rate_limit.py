"""Limits of what each caller may send."""

from __future__ import annotations

import pytest

from jupyterlab_notify.exceptions import TooMany
from jupyterlab_notify.rate_limit import MAX_CALLERS, RateLimit


class Seconds:
    """A clock that stands still."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def send(limit: RateLimit, count: int, caller: str = "one") -> int:
    """Send until refused; return how many were taken."""
    for number in range(count):
        try:
            limit.count(caller)
        except TooMany:
            return number
    return count


@pytest.mark.parametrize(
    ("rate", "burst"), [(50, 500), (1, 10), (0.5, 5), (0.01, 1), (1000, 10_000)]
)
def test_a_caller_may_send_its_rate_over_ten_seconds(rate: float, burst: int) -> None:
    clock = Seconds()
    limit = RateLimit(rate, clock)
    assert send(limit, 20_000) == burst
    with pytest.raises(TooMany, match="too many messages; try again in") as caught:
        limit.count("one")
    assert caught.value.status == 429 and caught.value.retry_after_s is not None
    clock.now += caught.value.retry_after_s
    assert send(limit, 20_000) >= 1, "as it was told"
    clock.now += burst / rate
    assert send(limit, 20_000) == burst


def test_a_flood_delays_nobody_else_and_is_not_punished_for_asking() -> None:
    clock = Seconds()
    limit = RateLimit(50, clock)
    assert send(limit, 501) == 500
    for _ in range(1000):
        assert send(limit, 1) == 0
    assert send(limit, 10, "another") == 10
    clock.now += 1
    assert send(limit, 100) == 50


@pytest.mark.parametrize("rate", [1e-9, 1e-300, 5e-324])
def test_a_rate_of_next_to_none_lets_one_through_in_a_day(rate: float) -> None:
    clock = Seconds()
    limit = RateLimit(rate, clock)
    assert send(limit, 3) == 1
    clock.now += 86_401
    assert send(limit, 3) == 1


def test_zero_means_any_number() -> None:
    assert send(RateLimit(0), 100_000) == 100_000


def test_callers_are_forgotten() -> None:
    clock = Seconds()
    limit = RateLimit(50, clock)
    for number in range(3 * MAX_CALLERS):
        limit.count(str(number))
        clock.now += 0.01
    assert len(limit._until) <= MAX_CALLERS


def test_more_callers_than_are_remembered_have_a_limit_together() -> None:
    clock = Seconds()
    limit = RateLimit(50, clock)
    for number in range(MAX_CALLERS):
        assert send(limit, 1, str(number)) == 1
    others = [send(limit, 10, f"other {number}") for number in range(100)]
    assert sum(others) == 500
    assert send(limit, 1, "0") == 1, "a known one has its own"
    clock.now += 10
    assert send(limit, 501, "other 0") == 500
