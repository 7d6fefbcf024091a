"""The webhooks of alerting engines, on both databases and from real ones."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from jupyterhub_notify.alerts.engines import EngineError
from jupyterhub_notify.alerts.engines import ask as ask_engine
from jupyterhub_notify.alerts.rules import Rule
from jupyterhub_notify.alerts.users import DirectoryUsers, UserFinder, unescape
from jupyterhub_notify.services.directory import HubUser, NobodyKnown

from .engines import alerting
from .support import Databases, Service, Tokens, running

#: Far longer than any test, so that none of its steps ends during a test.
YEARS_S = 10 * 365 * 24 * 3600


def alert(user: str | None = "alice", status: str = "firing", **more: Any) -> dict[str, Any]:
    labels = {"alertname": "HomeNearlyFull", "severity": "warning", **more.pop("labels", {})}
    if user is not None:
        labels["username"] = user
    return {
        "status": status,
        "labels": labels,
        "annotations": {"summary": f"{user}: nearly full", "description": "Delete **something**."},
        "startsAt": "2026-11-28T10:00:00Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus/graph",
        "fingerprint": f"f{user}",
        **more,
    }


def webhook(*alerts: dict[str, Any], group: str = "g", **more: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": group,
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "lab",
        "groupLabels": {},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager",
        "alerts": list(alerts),
        **more,
    }


async def post(service: Service, body: Any, engine: str = "alertmanager") -> dict[str, Any]:
    # As Python writes it: half of a surrogate pair cannot be sent otherwise.
    answer = await service.as_(engine).post(
        f"/v1/alerts/{engine}",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_firing_alert_is_shown_and_a_resolved_one_goes(service: Service):
    async with service.stream("alice", await service.cursor("alice")) as events:
        done = await post(service, webhook(alert()))
        assert done == {"created": 1, "changed": 0, "revoked": 0, "unchanged": 0, "unknown": 0}
        shown = await events.next()
        assert shown.data["summary"]["gfm"] == "alice: nearly full"
        [message] = await service.messages("alice")
        assert message["type"] == "warning"
        assert await service.messages("bob") == []

        await post(service, webhook(alert(status="resolved")))
        await events.next()
        assert await service.messages("alice") == []


async def test_a_repeat_does_not_nag(service: Service):
    await post(service, webhook(alert()))
    [message] = await service.messages()
    await service.as_("alice").post("/v1/notifications/read", json={"ids": [message["id"]]})
    await post(service, webhook(alert(annotations={"summary": "fuller still"})))
    [message] = await service.messages()
    assert message["summary"]["gfm"] == "fuller still"
    assert message["read"] is not None
    # An alert that was over and fires again is a new message.
    await post(service, webhook(alert(status="resolved")))
    await post(service, webhook(alert()))
    [message] = await service.messages()
    assert message["read"] is None


async def test_a_webhook_says_all_of_its_group_and_nothing_of_others(service: Service):
    await post(service, webhook(alert("alice"), alert("bob")))
    await post(service, webhook(alert("alice"), group="other"))
    done = await post(service, webhook(alert("bob")))
    assert done["revoked"] == 1
    assert len(await service.messages("alice")) == 1
    assert len(await service.messages("bob")) == 1


async def test_a_webhook_that_is_cut_revokes_only_what_it_names(service: Service):
    await post(service, webhook(alert("alice"), alert("bob"), alert("carol")))
    done = await post(service, webhook(alert("alice", "resolved"), truncatedAlerts=2))
    assert done["revoked"] == 1
    assert await service.messages("alice") == []
    assert len(await service.messages("bob")) == 1


async def test_an_alert_about_nobody_is_counted_and_answered_200(
    service: Service, capsys: pytest.CaptureFixture[str]
):
    done = await post(
        service, webhook(alert(None), alert("bob"), alert("x" * 300, fingerprint="f"))
    )
    assert (done["created"], done["unknown"]) == (1, 2)
    await post(service, webhook(alert(None), alert("bob")))
    problems = (await service.as_("admin").get("/v1/admin/alerts")).json()["problems"]
    assert [(one["engine"], one["reason"], one["count"]) for one in problems] == [
        ("alertmanager", "no-user-label", 3)
    ]
    assert capsys.readouterr().out.count("An alert is about nobody") == 1
    assert (await service.as_("alice").get("/v1/admin/alerts")).status_code == 403


async def test_what_the_engine_does_not_repeat_expires(database: str, tokens: Tokens):
    async with running(database, tokens, alerts_expire_s=1) as service:
        # Opened before: the message may be gone by the time at which a later stream is open.
        async with service.stream("alice") as events:
            await post(service, webhook(alert()))
            gone = await events.until("message-gone")
        assert gone.data["reason"] == "expired"
        assert await service.messages("alice") == []


async def test_a_large_group_is_taken_whole_and_its_repeat_changes_nothing(
    database: str, tokens: Tokens
):
    async with running(database, tokens, alerts_expire_s=YEARS_S) as service:
        texts = {"summary": "Nearly full", "description": "x" * 200}
        alerts = [alert(f"u{n}", fingerprint=f"f{n}", annotations=texts) for n in range(1000)]
        # An engine does not repeat a refused webhook, so none may be too large.
        assert len(json.dumps(webhook(*alerts))) > 256 * 1024
        assert (await post(service, webhook(*alerts)))["created"] == 1000
        assert (await post(service, webhook(*alerts)))["unchanged"] == 1000
        assert (await post(service, webhook(*alerts[1:])))["revoked"] == 1


@pytest.fixture
def no_garbage_collection() -> Iterator[None]:
    """Keep the tests' own objects from being collected while time is measured."""
    gc.disable()
    yield
    gc.enable()


async def test_a_very_large_group_lets_others_have_their_turn(
    database: str, tokens: Tokens, no_garbage_collection: None
):
    """Measured in the loop's own time of the processor, which a busy machine does not lengthen."""
    async with running(database, tokens, alerts_expire_s=YEARS_S) as service:
        turns: list[float] = []

        async def take_turns() -> None:
            last = time.thread_time()
            while True:
                await asyncio.sleep(0)
                turns.append(time.thread_time() - last)
                last = time.thread_time()

        async def others_write(until: asyncio.Task[Any]) -> int:
            written = 0
            while not until.done():
                await service.send("bob", key="k", summary=str(written))
                written += 1
            return written

        alerts = [alert(f"u{n}", fingerprint=f"f{n}") for n in range(3000)]
        for body, key in ((webhook(*alerts), "created"), (webhook(alerts[0]), "revoked")):
            turns.clear()
            sent = asyncio.create_task(post(service, body))
            watch = asyncio.create_task(take_turns())
            written = await others_write(sent)
            watch.cancel()
            assert (await sent)[key] >= 2999
            # The work is divided over several transactions and turns.
            assert written >= 5
            assert max(turns) < sum(turns) / 4


ODD = {
    "a NUL": alert("bob", annotations={"summary": "a\0b"}),
    "half a surrogate pair": alert("bob", annotations={"summary": "\ud800"}),
    "a NUL in the name": alert("bo\0b", fingerprint="f"),
    "very many labels": alert("bob", labels={f"l{n}": "x" for n in range(300)}),
    "no maps at all": {"status": "firing", "labels": None, "annotations": None},
    "a control character": alert("b\x1bob", fingerprint="f"),
    "a name of markup": alert("<b>bob</b>"),
    "markup": alert("bob", annotations={"summary": "<script>alert(1)</script>"}),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
async def test_an_odd_alert_keeps_none_of_its_group_from_its_user(
    service: Service, odd: dict[str, Any]
):
    done = await post(service, webhook(odd, alert("alice", fingerprint="fine")))
    assert done["created"] + done["unknown"] == 2
    [message] = await service.messages("alice")
    assert message["summary"]["gfm"] == "alice: nearly full"
    for one in await service.messages("bob"):
        assert "<script" not in one["summary"]["html"]


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({}, ["body", "groupKey"]),
        ({**webhook(), "version": "3"}, ["body", "version"]),
        ({**webhook(), "groupKey": ""}, ["body", "groupKey"]),
        (webhook({"status": "strange"}), ["body", "alerts", 0, "status"]),
        (webhook(alert(labels={"a": 3})), ["body", "alerts", 0, "labels", "a"]),
    ],
)
async def test_a_webhook_that_is_no_good_says_where(service: Service, body: Any, loc: list[Any]):
    answer = await service.as_("alertmanager").post("/v1/alerts/alertmanager", json=body)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == loc


async def test_only_who_may_publish_so_sends_alerts(service: Service):
    path = "/v1/alerts/alertmanager"
    for who, status in ((None, 401), ("alice", 403), ("grafana", 403), ("teacher", 403)):
        assert (await service.as_(who).post(path, json=webhook(alert()))).status_code == status
    answer = await service.as_("grafana").post(path, params={"service": "grafana"}, json=webhook())
    assert answer.status_code == 200
    assert await service.messages() == []


async def test_a_template_makes_the_message_and_a_bad_one_falls_back(
    database: str, tokens: Tokens, tmp_path: Path
):
    (tmp_path / "alert.md").write_text(
        "---\ntype: error\nsummary: '{{ labels.alertname }} of {{ user }}'\n---\n"
    )
    async with running(database, tokens, templates=tmp_path, alerts_template="alert") as service:
        await post(service, webhook(alert()))
        [message] = await service.messages()
        assert message["summary"]["gfm"] == "HomeNearlyFull of alice"
        annotations = {"template": "gone", "summary": "said by the engine"}
        await post(service, webhook(alert(annotations=annotations)))
        [message] = await service.messages()
        assert message["summary"]["gfm"] == "said by the engine"


# Fields as Grafana's documentation of its webhook notifier lists them.
GRAFANA = {
    "receiver": "lab",
    "status": "firing",
    "orgId": 1,
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "Memory", "username": "alice", "severity": "critical"},
            "annotations": {"summary": "Your server is near its memory limit"},
            "startsAt": "2026-11-28T10:00:00+01:00",
            "endsAt": "0001-01-01T00:00:00Z",
            "values": {"B": 97.2, "C": 1},
            "valueString": "[ var='B' labels={username=alice} value=97.2 ]",
            "generatorURL": "https://grafana.example.org/alerting/grafana/1/view",
            "fingerprint": "c6eadffa33fcdf37",
            "silenceURL": "https://grafana.example.org/alerting/silence/new",
            "dashboardURL": "",
            "panelURL": "",
        },
        {
            "status": "resolved",
            "labels": {"alertname": "Memory", "username": "bob", "severity": "critical"},
            "annotations": {},
            "startsAt": "2026-11-28T09:00:00+01:00",
            "endsAt": "2026-11-28T10:00:00+01:00",
            "values": None,
            "generatorURL": "https://grafana.example.org/alerting/grafana/1/view",
            "fingerprint": "7ef4b8ed52f2a15c",
            "silenceURL": "",
            "dashboardURL": "",
            "panelURL": "",
        },
    ],
    "groupLabels": {"alertname": "Memory"},
    "commonLabels": {"alertname": "Memory"},
    "commonAnnotations": {},
    "externalURL": "https://grafana.example.org/",
    "version": "1",
    "groupKey": '{}:{alertname="Memory"}',
    "truncatedAlerts": 0,
    "title": "[FIRING:1, RESOLVED:1] Memory",
    "state": "alerting",
    "message": "**Firing**",
}


async def test_grafanas_webhook_is_taken_as_it_is(service: Service):
    await post(service, GRAFANA, "grafana")
    [message] = await service.messages("alice")
    assert message["summary"]["gfm"] == "Your server is near its memory limit"
    assert message["type"] == "error"
    over = [{**one, "status": "resolved"} for one in GRAFANA["alerts"]]
    await post(service, {**GRAFANA, "status": "resolved", "alerts": over}, "grafana")
    assert await service.messages("alice") == []


@pytest.mark.parametrize(
    ("labels", "user"),
    [
        ({"username": "carol@example.org", "pod": "jupyter-bob"}, "carol@example.org"),
        ({"pod": "jupyter-carol-40example-2eorg"}, "carol@example.org"),
        ({"pod": "jupyter-carol--gpu"}, "carol"),
        ({"pod": "jupyter-o-27brien"}, "o'brien"),
        ({"pod": "jupyter-j-c3-b6rg"}, "jörg"),
        ({"persistentvolumeclaim": "claim-dave"}, "dave"),
        ({"namespace": "jupyter-erin"}, "erin"),
        ({"annotation_hub_jupyter_org_username": "team-21"}, "team-21"),
        ({"label_hub_jupyter_org_username": "carol-40example-2eorg"}, "carol@example.org"),
        ({"pod": "hub-7f9"}, None),
        ({"username": ""}, None),
        ({}, None),
    ],
)
def test_a_user_is_found_in_the_labels_of_a_hub(labels: dict[str, str], user: str | None):
    assert UserFinder().candidates(labels)[:1] == ([user] if user else [])


class Site:
    """A directory with some users."""

    def __init__(self, *names: str) -> None:
        self.names = names

    async def users(self) -> list[HubUser]:
        return [HubUser(name=name, groups=frozenset(), running=True) for name in self.names]

    async def groups_of(self, user: str) -> frozenset[str]:
        return frozenset()


async def test_whom_no_user_is_known_by_is_told_apart(service: Service):
    service.parts.alerts._known = DirectoryUsers(Site("alice", "team-21"))
    pod = alert(None, labels={"pod": "jupyter-team-21"}, fingerprint="pod")
    done = await post(service, webhook(alert("alice"), alert("mallory"), pod))
    assert (done["created"], done["unknown"]) == (2, 1)
    [problem] = (await service.as_("admin").get("/v1/admin/alerts")).json()["problems"]
    assert (problem["reason"], problem["subject"]) == ("unknown-user", "mallory")


async def test_a_name_that_kubespawner_hashes_is_found_among_the_users(service: Service):
    site = Site("carol@example.org", "Zoë", "bob", "bob.b", "bob_b")
    service.parts.alerts._known = DirectoryUsers(site)
    pods = {
        "jupyter-carol-example-org---b39a0782": "carol@example.org",
        # The named server gpu of the same user: 17 characters of each name are left.
        "jupyter-carol-example-org--gpu---611ed26e": "carol@example.org",
        "jupyter-zo---c6a12698": "Zoë",
        "jupyter-bob--gpu---01234567": "bob",
        # Two users' names begin so, and whose it is cannot be told.
        "jupyter-bob-b--gpu---01234567": None,
        "jupyter-mallory---01234567": None,
    }
    alerts = [alert(None, labels={"pod": pod}, fingerprint=pod[:90]) for pod in pods]
    done = await post(service, webhook(*alerts))
    assert (done["created"], done["unknown"]) == (4, 2)
    # Only a directory can read such a name: nobody gets a message for it.
    service.parts.alerts._known = DirectoryUsers(NobodyKnown())
    done = await post(service, webhook(*alerts))
    assert (done["revoked"], done["unknown"]) == (4, 6)


def test_what_is_no_escape_stays():
    assert unescape("a-ff") == "a-ff"
    assert unescape("jean-paul") == "jean-paul"


# --- Real engines


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what comes at an engine's own pace; the test's timeout ends it."""
    # Nothing tells when an engine has done something: it is asked.
    while not await condition():  # noqa: ASYNC110  # it has no event
        await asyncio.sleep(0.1)


@pytest.fixture
def one_database(databases: Databases) -> str:
    """Engines take long to start, so tests with them run on one database only."""
    return databases.fresh("sqlite")


async def _count(service: Service, user: str, count: int) -> bool:
    return len(await service.messages(user)) == count


async def _has_problem(service: Service, reason: str, subject: str) -> bool:
    problems = (await service.as_("admin").get("/v1/admin/alerts")).json()["problems"]
    return (reason, subject) in [(one["reason"], one["subject"]) for one in problems]


# Longer than a screen: one alert from its beginning to its end, on engines that start slowly.
@pytest.mark.timeout(400)
async def test_prometheus_and_alertmanager_tell_and_take_back(
    one_database: str, tokens: Tokens, tmp_path: Path
):
    many = tokens.many_users(100)
    async with (
        running(one_database, tokens, alerts_expire_s=6) as service,
        alerting(tmp_path, service.url, tokens.of("alertmanager")) as engines,
    ):
        values = engines.exporter.values
        values.update({"alice": 50.0, "bob": 50.0})
        values["alice"] = 93.0
        await until(lambda: _count(service, "alice", 1))
        [message] = await service.messages("alice")
        assert message["summary"]["gfm"] == "You use 93 % of your home directory"
        assert message["banner"] is True
        assert await service.messages("bob") == []
        # Rules of our own ask the same engine.
        rule = Rule.model_validate(
            {
                "name": "home",
                "prometheus": {"url": engines.prometheus_url},
                "query": "home_used_percent",
                "thresholds": [{"above": 90}],
                "summary": "x",
            }
        )
        async with aiohttp.ClientSession() as session:

            async def answers() -> bool:
                return await ask_engine(session, rule) == {"alice": 93.0, "bob": 50.0}

            # The engine has no values for a moment, if a scrape takes longer than a second.
            await until(answers)
            wrong = rule.model_copy(update={"query": "home_used_percent["})
            with pytest.raises(EngineError, match=r"it answers 400: .*parse error"):
                await ask_engine(session, wrong)
            several = rule.model_copy(update={"query": "home_used_percent[1m]"})
            with pytest.raises(EngineError, match="instant vector"):
                await ask_engine(session, several)
        values["alice"] = 40.0
        await until(lambda: _count(service, "alice", 0))

        # Silenced while it fires: the engine never says that it is over, and it is all the same.
        values["bob"] = 95.0
        await until(lambda: _count(service, "bob", 1))
        await engines.silence("bob")
        await until(lambda: _count(service, "bob", 0))

        # Inhibited by one that is about nobody: the administrator reads of that, and of its end the
        # user is told anew what still holds.
        values["alice"] = 94.0
        await until(lambda: _count(service, "alice", 1))
        engines.exporter.down = True
        await until(lambda: _count(service, "alice", 0))
        await until(lambda: _has_problem(service, "no-user-label", "FileServerDown"))
        engines.exporter.down = False
        await until(lambda: _count(service, "alice", 1))

        # A hundred at once.
        values.update(dict.fromkeys(many, 99.0))
        for user in many:
            await until(lambda user=user: _count(service, user, 1))

        # Alertmanager is killed and comes back: nothing is shown twice, and all goes in the end.
        await engines.alertmanager.stop(kill=True)
        await engines.alertmanager.start()
        values.update(dict.fromkeys(many, 1.0))
        await until(lambda: _count(service, many[0], 0))
        for user in many:
            await until(lambda user=user: _count(service, user, 0))
