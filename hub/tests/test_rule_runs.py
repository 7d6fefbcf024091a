"""Runs of rules over HTTP: they notify, act and revoke; and the story of a throttled user."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from jupyterhub_notify.alerts.runner import RuleRunner
from jupyterhub_notify.cli import main

from .engines import influxdb, write_points
from .rules import START, rule, write_rules
from .support import Databases, Service, Tokens, running


@dataclass
class StandIn:
    """Answers as Prometheus and InfluxDB do, and receives the calls of actions."""

    series: list[dict[str, Any]] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    failing: bool = False
    status: int = 200
    url: str = ""

    async def query(self, request: web.Request) -> web.Response:
        if self.failing:
            return web.json_response({"status": "error", "error": "too busy"}, status=503)
        result = [
            {"metric": {"username": user}, "value": [0, str(value)]}
            for user, value in self.values.items()
        ]
        return web.json_response(
            {"status": "success", "data": {"resultType": "vector", "result": result}}
        )

    async def influx(self, request: web.Request) -> web.Response:
        return web.json_response({"results": [{"series": self.series}]})

    async def act(self, request: web.Request) -> web.Response:
        body = await request.json() if request.can_read_body else None
        self.calls.append((request.method, request.path, body))
        self.keys.append(request.headers["Idempotency-Key"])
        return web.Response(status=self.status)


@asynccontextmanager
async def stand_in() -> AsyncIterator[StandIn]:
    standing = StandIn()
    app = web.Application()
    app.router.add_post("/api/v1/query", standing.query)
    app.router.add_post("/query", standing.influx)
    app.router.add_route("*", "/act/{tail:.*}", standing.act)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    standing.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield standing
    finally:
        await runner.cleanup()


def runner_of(service: Service, path: Path, clock: Any = None) -> RuleRunner:
    parts = service.parts
    more = {} if clock is None else {"clock": clock}
    return RuleRunner(
        path=path,
        database=parts.database,
        writer=parts.writer,
        states=parts.stores.rule_states,
        reconciling=parts.reconciling,
        **more,
    )


def acting(url: str, **more: Any) -> dict[str, Any]:
    return rule(
        prometheus={"url": url},
        action={
            "begin": {"method": "PUT", "url": f"{url}/act/{{user}}", "body": {"user": "{user}"}},
            "end": {"method": "DELETE", "url": f"{url}/act/{{user}}"},
        },
        **more,
    )


async def test_values_that_say_nothing_and_names_that_nobody_has_are_left_out(
    service: Service, tmp_path: Path
):
    async with stand_in() as engine:
        rules = runner_of(service, write_rules(tmp_path / "rules.yaml", acting(engine.url)))
        engine.values = {
            "alice": 95,
            "bob": float("nan"),
            "carol@example.org": float("inf"),
            "o'brien": -5,
            "": 99,
            "x" * 300: 99,
            "a\nb": 99,
        }
        assert (await rules.run()).failures == {}
        assert len(await service.messages("alice")) == 1
        assert engine.calls == [("PUT", "/act/alice", {"user": "alice"})]
        assert await service.messages("bob") == []
        assert list((await rules.run()).states["traffic"]) == ["alice"]


async def test_influxqls_nulls_are_no_values(service: Service, tmp_path: Path):
    async with stand_in() as engine:
        engine.series = [
            {"tags": {"username": "alice"}, "values": [[0, 95], [1, None]]},
            {"tags": {"username": "bob"}, "values": [[0, None]]},
            {"tags": {"username": None}, "values": [[0, 99]]},
            {"values": [[0, 99]]},
        ]
        influx = rule(influxdb={"url": engine.url, "database": "metrics"})
        del influx["prometheus"]
        rules = runner_of(service, write_rules(tmp_path / "rules.yaml", influx))
        run = await rules.run()
        assert run.failures == {}
        assert list(run.states["traffic"]) == ["alice"]


async def test_a_template_that_cannot_cope_with_a_value_keeps_no_alert_back(
    service: Service, tmp_path: Path
):
    async with stand_in() as engine:
        one = rule(prometheus={"url": engine.url}, summary="{{ 1 / (value - 95) }}", body="Mend it")
        other = rule(prometheus={"url": engine.url}, name="other", summary="Other")
        rules = runner_of(service, write_rules(tmp_path / "rules.yaml", one, other))
        engine.values = {"alice": 95}
        await rules.run()
        told = {message["summary"]["gfm"] for message in await service.messages("alice")}
        assert told == {"traffic", "Other"}


async def test_a_run_tells_acts_and_takes_back(service: Service, tmp_path: Path):
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url))
        rules = runner_of(service, path)
        engine.values = {"alice": 95.5, "bob": 3}
        await rules.run()
        [message] = await service.messages("alice")
        assert message["summary"]["gfm"] == "alice is at 95.5"
        assert await service.messages("bob") == []
        assert engine.calls == [("PUT", "/act/alice", {"user": "alice"})]
        await rules.run()
        assert len(engine.calls) == 1
        [entry] = (await service.as_("admin").get("/v1/admin/alerts")).json()["rules"]
        assert (entry["rule"], entry["user"], entry["state"]["action"]) == (
            "traffic",
            "alice",
            "begun",
        )

        # The engine is away: nobody's state changes.
        engine.failing = True
        assert "503: too busy" in (await rules.run()).failures["traffic"]
        assert len(await service.messages("alice")) == 1

        engine.failing, engine.values = False, {"alice": 10}
        await rules.run()
        assert await service.messages("alice") == []
        assert engine.calls[1:] == [("DELETE", "/act/alice", None)]
        assert (await service.as_("admin").get("/v1/admin/alerts")).json()["rules"] == []


async def test_a_rehearsal_says_what_would_change_and_changes_nothing(
    service: Service, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url))
        command = ["rules", "run", "--dry-run", str(path), "--database", database]
        engine.values = {"alice": 95.5, "bob": 3}
        assert await asyncio.to_thread(main, command) == 0
        assert capsys.readouterr().out == (
            "traffic: alice would be told at 95.5, level 1, the action would begin\n"
        )
        assert await service.messages("alice") == []
        assert engine.calls == []
        assert (await service.as_("admin").get("/v1/admin/alerts")).json()["rules"] == []

        rules = runner_of(service, path)
        await rules.run()
        capsys.readouterr()
        engine.values = {"alice": 10}
        assert await asyncio.to_thread(main, command) == 0
        said = capsys.readouterr().out
        assert said == "traffic: alice would be told no more, the action would end\n"
        write_rules(path)
        assert await asyncio.to_thread(main, [*command, "--json"]) == 0
        [change] = json.loads(capsys.readouterr().out)["changes"]
        assert (change["rule"], change["user"]) == ("traffic", "alice")
        assert len(await service.messages("alice")) == 1
        assert len(engine.calls) == 1

        write_rules(path, acting(engine.url))
        engine.failing = True
        assert await asyncio.to_thread(main, command) == 1
        assert "traffic: " in capsys.readouterr().err


async def test_a_rule_that_is_taken_out_cleans_up(service: Service, tmp_path: Path):
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url))
        engine.values = {"alice": 95}
        await runner_of(service, path).run()
        write_rules(path)
        await runner_of(service, path, lambda: datetime.now(timezone.utc)).run()
        # The turn is still the first one's; it is given back when it ends.
        assert len(await service.messages("alice")) == 1
        later = datetime.now(timezone.utc) + timedelta(hours=1)
        await runner_of(service, path, lambda: later).run()
        assert await service.messages("alice") == []
        assert engine.calls[-1] == ("DELETE", "/act/alice", None)


async def test_a_file_that_is_no_good_changes_nothing(service: Service, tmp_path: Path):
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url))
        rules = runner_of(service, path)
        engine.values = {"alice": 95}
        await rules.run()
        path.write_text("rules: [")
        assert "" in (await rules.run()).failures
        assert len(await service.messages("alice")) == 1
        assert len(engine.calls) == 1


async def test_a_call_that_fails_is_tried_again_with_the_same_key(service: Service, tmp_path: Path):
    now = [START]
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url))
        rules = runner_of(service, path, lambda: now[0])
        engine.values, engine.status = {"alice": 95}, 500
        await rules.run()
        now[0] += timedelta(seconds=1)
        await rules.run()
        assert len(engine.calls) == 1
        now[0] += timedelta(seconds=10)
        engine.status = 200
        await rules.run()
        assert len(engine.calls) == 2
        assert len(set(engine.keys)) == 1


async def test_a_dry_run_only_records(service: Service, tmp_path: Path):
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url, dry_run=True))
        engine.values = {"alice": 95}
        done = await runner_of(service, path).run()
        assert done.states["traffic"]["alice"].level == 1
        assert await service.messages("alice") == []
        assert engine.calls == []


async def test_a_higher_threshold_is_news_and_a_new_value_is_not(service: Service, tmp_path: Path):
    async with stand_in() as engine:
        bounds = [{"above": 90, "clear_below": 85}, {"above": 98, "type": "error", "banner": True}]
        data = rule(prometheus={"url": engine.url}, thresholds=bounds)
        rules = runner_of(service, write_rules(tmp_path / "rules.yaml", data))
        engine.values = {"alice": 91}
        await rules.run()
        [message] = await service.messages()
        await service.as_("alice").post("/v1/notifications/read", json={"ids": [message["id"]]})
        engine.values = {"alice": 86}
        await rules.run()
        [message] = await service.messages()
        assert message["summary"]["gfm"] == "alice is at 86.0"
        assert message["read"] is not None
        engine.values = {"alice": 99}
        await rules.run()
        [message] = await service.messages()
        assert (message["type"], message["banner"], message["read"]) == ("error", True, None)


async def test_one_of_two_replicas_runs(service: Service, tmp_path: Path):
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url))
        engine.values = {"alice": 95}
        runs = [runner_of(service, path) for _ in range(2)]
        done = await asyncio.gather(*(one.run() for one in runs))
        assert sorted(one.mine for one in done) == [False, True]
        assert len(engine.calls) == 1


CRASHES = ["_notifications.reconcile", "_actions.call_due", "_actions._call", "_states.put"]


@pytest.mark.parametrize("where", CRASHES)
@pytest.mark.parametrize("after", [False, True])
async def test_a_crash_between_two_steps_heals(
    service: Service, tmp_path: Path, where: str, after: bool, monkeypatch: pytest.MonkeyPatch
):
    async with stand_in() as engine:
        path = write_rules(tmp_path / "rules.yaml", acting(engine.url))
        for values, count in (({"alice": 95}, 1), ({"alice": 5}, 0)):
            engine.values = values
            rules = runner_of(service, path)
            part, method = where.split(".")
            original = getattr(getattr(rules, part), method)

            async def crash(*arguments: Any, step: Any = original) -> Any:
                if after:
                    await step(*arguments)
                raise KeyError("crash")

            setattr(getattr(rules, part), method, crash)
            with pytest.raises(KeyError):
                await rules.run()
            await rules.release()
            await runner_of(service, path, _next_hour).run()
            await service.parts.writer.run(_forget_turns)
            assert len(await service.messages("alice")) == count
        # Each step once or more, with its own key, and in order.
        keys = list(dict.fromkeys(engine.keys))
        assert [key.rpartition(":")[2] for key in keys] == ["beginning", "ending"]


def _next_hour() -> datetime:
    return datetime.now(timezone.utc) + timedelta(hours=1)


async def _forget_turns(transaction: Any) -> None:
    from sqlalchemy import delete

    from jupyterhub_notify.schema import Lease

    await transaction.connection.execute(delete(Lease))


def test_the_command_runs_them_once(
    databases: Databases, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    path = write_rules(tmp_path / "rules.yaml", rule())
    database = databases.fresh("sqlite")
    assert main(["rules", "run", str(path), "--database", database]) == 1
    assert "traffic: it cannot be reached" in capsys.readouterr().err


# --- The story of a throttled user, with a real InfluxDB


@pytest.fixture
def one_database(databases: Databases) -> str:
    return databases.fresh("sqlite")


# Longer than a screen: the platform's six steps, one after the other.
@pytest.mark.timeout(300)
async def test_a_user_is_throttled_told_and_released(
    one_database: str, tokens: Tokens, tmp_path: Path
):
    """A platform's six steps: search, lower the quota, impose it, notify, record, repeat."""
    overrides: dict[str, Any] = {}

    async def put_overrides(request: web.Request) -> web.Response:
        """Accept the complete overrides, as Gafaelfawr's route of this name does."""
        overrides.clear()
        overrides.update(await request.json())
        return web.json_response(overrides)

    app = web.Application()
    app.router.add_put("/auth/api/v1/quota-overrides", put_overrides)
    quota = web.AppRunner(app)
    await quota.setup()
    await web.TCPSite(quota, "127.0.0.1", 0).start()
    set_quota = {
        "method": "PUT",
        "url": f"http://127.0.0.1:{quota.addresses[0][1]}/auth/api/v1/quota-overrides",
        "headers": {"Authorization": "Bearer ${GAFAELFAWR_TOKEN}"},
        "body": {"groups": {"$each_user": {"api": {"datalinker": 10}}}},
    }
    async with influxdb(tmp_path) as url, running(one_database, tokens) as service:
        throttle = rule(
            prometheus=None,
            influxdb={"url": url, "database": "metrics"},
            query="SELECT sum(bytes) FROM traffic WHERE time > now() - 1h GROUP BY username",
            thresholds=[{"above": 1000, "clear_below": 500, "type": "warning", "banner": True}],
            summary="Your requests are slowed down: {{ value | int | filesizeformat }} in an hour",
            action={"begin": set_quota, "end": set_quota},
        )
        throttle = {name: value for name, value in throttle.items() if value is not None}
        rules = runner_of(service, write_rules(tmp_path / "rules.yaml", throttle))
        try:
            # 1. Search for users whose traffic is over the threshold.
            await write_points(url, [f"traffic,username=alice bytes={n}" for n in (700,)])
            await write_points(
                url, ["traffic,username=alice bytes=800", "traffic,username=bob bytes=9"]
            )
            await rules.run()
            # 2. and 3. Their quota is lowered, where the quotas are imposed.
            assert overrides == {"groups": {"alice": {"api": {"datalinker": 10}}}}
            # 4. They are told.
            [message] = await service.messages("alice")
            assert message["summary"]["gfm"] == "Your requests are slowed down: 1.5 kB in an hour"
            assert message["banner"] is True
            assert await service.messages("bob") == []
            # 5. It is recorded who is throttled, since when, by which rule.
            [entry] = (await service.as_("admin").get("/v1/admin/alerts")).json()["rules"]
            assert (entry["rule"], entry["user"]) == ("traffic", "alice")
            assert entry["state"]["action"] == "begun"
            assert entry["state"]["acting_since"]
            # 6. It is repeated: whoever no longer needs it is released, and the message goes.
            await rules.run()
            assert len(await service.messages("alice")) == 1
            await _delete(url, "alice")
            await write_points(url, ["traffic,username=alice bytes=3"])
            await rules.run()
            assert overrides == {"groups": {}}
            assert await service.messages("alice") == []
            assert (await service.as_("admin").get("/v1/admin/alerts")).json()["rules"] == []
        finally:
            await quota.cleanup()


async def _delete(url: str, user: str) -> None:
    """An hour passes: what the user has done before is out of the window."""
    import aiohttp

    statement = f"DELETE FROM traffic WHERE username = '{user}'"
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/query", data={"q": statement, "db": "metrics"}) as answer,
    ):
        assert answer.status == 200
