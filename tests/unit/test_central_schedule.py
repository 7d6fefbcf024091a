"""When the central service is polled next."""

from __future__ import annotations

import pytest

from jupyterlab_notify.sources.central.schedule import JITTER, RELAXED_S, Schedule


@pytest.mark.parametrize("lost_s", [0.0, 1.0, 10.0, 30.0])
def test_the_time_in_which_a_list_failed_is_taken_off_the_next_wait(lost_s: float) -> None:
    schedule = Schedule(60.0)
    for _ in range(50):
        schedule.plan(lost_s=lost_s)
        wait_s = schedule.wait_s
        assert 60 * (1 - JITTER) - lost_s - 0.1 <= wait_s <= 60 * (1 + JITTER) - lost_s


@pytest.mark.parametrize("lost_s", [60.0, 3600.0])
def test_passes_never_follow_each_other_at_once(lost_s: float) -> None:
    schedule = Schedule(60.0)
    schedule.plan(lost_s=lost_s)
    assert schedule.spacing_s - 0.1 <= schedule.wait_s <= schedule.spacing_s * 2
    schedule.plan(relaxed=True, lost_s=30)
    assert schedule.wait_s > RELAXED_S * (1 - JITTER) - 31
