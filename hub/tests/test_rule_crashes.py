"""Runs killed between any two steps: notifications and calls still end up as the rule says."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jupyterhub_notify.alerts.runner import RuleRunner

from .rules import START, write_rules
from .support import Databases, Service, Tokens, running
from .test_rule_runs import StandIn, acting, runner_of, stand_in

#: More than the steps of a run: commits, notifications and calls.
MOST_STEPS = 10

#: A value, and where the run that sees it is killed: the step, and whether it is still done.
RUNS = st.lists(
    st.tuples(
        st.sampled_from([5, 85, 95]),
        st.none() | st.tuples(st.integers(1, MOST_STEPS), st.booleans()),
    ),
    min_size=1,
    max_size=8,
)


class Killed(BaseException):
    """The process ends here."""


class Killer:
    """Counts the steps of a run, each of which has an effect, and ends the run at one."""

    def __init__(self, at: tuple[int, bool] | None) -> None:
        self._at = at
        self._count = 0

    def watch(self, part: Any, method: str) -> None:
        step = getattr(part, method)

        async def watched(*arguments: Any, **more: Any) -> Any:
            self._count += 1
            here = self._at is not None and self._count == self._at[0]
            if here and not (self._at and self._at[1]):
                raise Killed
            result = await step(*arguments, **more)
            if here:
                raise Killed
            return result

        setattr(part, method, watched)


async def run_once(runner: RuleRunner, at: tuple[int, bool] | None) -> bool:
    """Run the rules; return whether the run came to its end."""
    killer = Killer(at)
    killer.watch(runner._states, "take_turn")
    killer.watch(runner._states, "advance")
    killer.watch(runner._states, "put")
    killer.watch(runner._notifications, "reconcile")
    killer.watch(runner._actions, "_call")
    try:
        assert (await runner.run()).mine
    except Killed:
        return False
    return True


class Hours:
    """A clock that is an hour later at every run, so that leases end and retries are due."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def tick(self) -> None:
        self.now += timedelta(hours=1)


def open_action(engine: StandIn, user: str) -> bool:
    """Check the order of a user's calls; return whether the action is begun and not ended."""
    steps: list[str] = []
    keys = [key for key in engine.keys if f":{user}:" in key]
    for number, key in enumerate(keys):
        # One that is called again has the same key, and nothing was called in between.
        assert key not in keys[:number] or key == keys[number - 1]
        if key not in keys[:number]:
            steps.append(key.rpartition(":")[2])
    # A run written but not called before it was over has an end without a beginning.
    begun = False
    for step in steps:
        assert not (begun and step == "beginning")
        begun = step == "beginning"
    return begun


@pytest.fixture
def one_database(databases: Databases) -> str:
    return databases.fresh("sqlite")


async def check(service: Service, engine: StandIn, path: Path, clock: Hours, runs: Any) -> None:
    """Execute the runs; after each completed one, check that everything is as the rule says."""
    user, is_on, is_known = "alice", False, True
    # In the end nobody is over, and the last run is not killed.
    for value, at in [*runs, (5, None)]:
        clock.tick()
        engine.values = {user: value}
        done = await run_once(runner_of(service, path, clock), at)
        if value != 85:
            is_on = value > 90
        elif not is_known:
            # Only the killed run knew whether it had seen its value.
            is_on = open_action(engine, user)
        is_known = done
        if done:
            messages = [one["summary"]["gfm"] for one in await service.messages(user)]
            assert messages == ([f"alice is at {value}.0"] if is_on else [])
            assert open_action(engine, user) is is_on
            shown = (await service.as_("admin").get("/v1/admin/alerts")).json()["rules"]
            assert [one["state"]["action"] for one in shown] == (["begun"] if is_on else [])
    engine.keys.clear()


@pytest.mark.timeout(400)
async def test_what_is_told_and_done_is_what_the_rule_says_whatever_run_is_killed(
    one_database: str, tokens: Tokens, tmp_path: Path
):
    async with running(one_database, tokens) as service, stand_in() as engine:
        path = write_rules(
            tmp_path / "rules.yaml",
            acting(engine.url, thresholds=[{"above": 90, "clear_below": 80}]),
        )
        clock = Hours()
        # Each step of the way up and of the way down, before and after it.
        for step in range(1, MOST_STEPS + 1):
            for after in (False, True):
                at = (step, after)
                # Killed on the way up, with no run between that and the way down.
                await check(service, engine, path, clock, [(95, at)])
                # Killed on the way down, and over again before the end was called.
                await check(service, engine, path, clock, [(95, None), (5, at), (95, None)])
                runs = [(95, at), (95, None), (5, at), (95, at)]
                await check(service, engine, path, clock, runs)


@settings(
    max_examples=10,
    deadline=None,
    # Each starts a service: a smaller example is not worth the minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(runs=RUNS)
@pytest.mark.timeout(400)
@pytest.mark.usefixtures("one_database")
async def test_whatever_values_come_and_whichever_runs_are_killed(
    databases: Databases, tokens: Tokens, tmp_path: Path, runs: Any
):
    # Another for each: the first one, which takes longer to make, is the fixture's.
    database = databases.fresh("sqlite")
    async with running(database, tokens) as service, stand_in() as engine:
        path = write_rules(
            tmp_path / "rules.yaml",
            acting(engine.url, thresholds=[{"above": 90, "clear_below": 80}]),
        )
        await check(service, engine, path, Hours(), runs)
