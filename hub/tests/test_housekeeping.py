"""Retention of each kind of record; health, metrics, hello, folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from .support import Service, Tokens, running

RECEIPT = {"state": "shown", "tabs": 2}


async def rows(service: Service, statement: str) -> list[tuple[Any, ...]]:
    async with service.parts.database.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(statement))]


async def execute(service: Service, statement: str) -> None:
    async with service.parts.database.engine.begin() as connection:
        await connection.execute(text(statement))


async def shown_to_alice_and_bob(service: Service) -> str:
    sent = (
        await service.as_("admin").post(
            "/v1/admin/broadcasts", json={"summary": "x", "users": ["alice", "bob"]}
        )
    ).json()
    note = await service.send()
    receipts = [{**RECEIPT, "id": sent["id"]}, {**RECEIPT, "id": note["id"]}]
    await service.as_("alice").post("/v1/receipts", json={"receipts": receipts})
    return str(sent["id"])


async def test_with_receipts_off_nothing_is_kept_but_what_the_user_does(
    database: str, tokens: Tokens
) -> None:
    async with running(database, tokens, receipts="off") as service:
        index = (await service.as_(None).get("/")).json()
        assert index["receipts"] == "off"
        await shown_to_alice_and_bob(service)
        assert await rows(service, "SELECT * FROM notification_states") == []
        assert await rows(service, "SELECT outcome FROM deliveries") == [("waiting",)] * 2
        note = (await service.messages())[0]
        read = {"receipts": [{"id": note["id"], "state": "read"}]}
        await service.as_("alice").post("/v1/receipts", json=read)
        assert (await service.messages())[0]["read"] is not None


async def test_with_counts_only_no_user_is_named_and_in_the_end_none_is_kept(
    database: str, tokens: Tokens
) -> None:
    async with running(database, tokens, receipts="counts") as service:
        id_ = await shown_to_alice_and_bob(service)
        admin, url = service.as_("admin"), f"/v1/admin/broadcasts/{id_}"
        assert (await admin.get(f"{url}/deliveries")).json() == []
        assert (await admin.get(url)).json()["counts"] == {"shown": 1, "waiting": 1}
        assert await rows(service, "SELECT * FROM notification_states") == []
        await admin.delete(url)
        await service.parts.housekeeping.clean()
        assert await rows(service, "SELECT * FROM deliveries") == []
        assert (await admin.get(url)).json()["counts"] == {"shown": 1, "expired": 1}


async def test_what_is_old_is_deleted(service: Service) -> None:
    await shown_to_alice_and_bob(service)
    [[first]] = await rows(service, "SELECT min(id) FROM notifications")
    kept = await service.send(summary="kept")
    gone = await service.send(summary="revoked long ago")
    await service.as_("quota").delete(f"/v1/services/quota/notifications/{gone['id']}")
    old = "'2020-01-01 00:00:00'"
    await execute(service, f"UPDATE notifications SET ended = {old} WHERE id = {gone['id']}")
    await execute(service, f"UPDATE deliveries SET updated = {old}")
    await execute(service, f"UPDATE notification_states SET stored = {old}, shown = {old}")
    await execute(service, f"UPDATE audit SET at = {old}")
    await execute(service, f"UPDATE notifications SET created = {old} WHERE id = {first}")
    await service.parts.housekeeping.clean()
    # A message without an expiry expires after the site's longest time.
    assert [one["id"] for one in await service.messages()] == [kept["id"]]
    state = f"SELECT state FROM notifications WHERE id = {first}"
    assert await rows(service, state) == [("expired",)]
    assert await rows(service, f"SELECT * FROM notifications WHERE id = {gone['id']}") == []
    assert await rows(service, "SELECT * FROM deliveries") == []
    assert await rows(service, "SELECT shown, tabs FROM notification_states") == [(None, None)]
    assert await rows(service, "SELECT * FROM audit") == []


async def test_everything_of_a_user_can_be_forgotten(service: Service) -> None:
    await shown_to_alice_and_bob(service)
    hello = {"extension": "jupyterlab-notify-center", "version": "1.0"}
    await service.as_("alice").post("/v1/hello", json=hello)
    answer = await service.as_("admin").delete("/v1/admin/users/alice")
    assert answer.status_code == 204
    assert await service.messages() == []
    for table in ("notification_states", "deliveries", "servers", "broadcast_states"):
        found = await rows(service, f"SELECT * FROM {table} WHERE user_name = 'alice'")
        assert found == [], table
    assert await rows(service, "SELECT * FROM notifications WHERE target = 'u:alice'") == []


async def test_a_lab_says_hello_and_is_known(service: Service) -> None:
    hello = {
        "extension": "jupyterlab-notify-center",
        "version": "1.2.3",
        "server": "gpu",
        "started": "2026-11-28T10:00:00Z",
    }
    for _ in range(2):
        answer = await service.as_("alice").post("/v1/hello", json=hello)
        assert "events" in answer.json()["features"]
    (server,) = (await service.as_("admin").get("/v1/admin/servers")).json()
    assert (server["user"], server["server"], server["version"]) == ("alice", "gpu", "1.2.3")
    assert server["started"] == hello["started"]


async def test_health_and_metrics(service: Service) -> None:
    nobody, admin = service.as_(None), service.as_("admin")
    assert (await nobody.get("/health/live")).status_code == 200
    assert (await nobody.get("/health/ready")).status_code == 200
    assert (await nobody.get("/metrics")).status_code == 401
    await service.send()
    await service.messages()
    text_ = (await admin.get("/metrics")).text
    assert "jupyterhub_notify_streams " in text_
    assert 'route="/v1/notifications/messages"' in text_
    assert "alice" not in text_


async def test_without_a_database_it_is_not_ready_and_says_so_in_one_sentence(
    postgresql: str, tokens: Tokens
) -> None:
    async with running(postgresql, tokens) as service:
        # Its query has slashes too: the path of the server's socket.
        cut = create_async_engine(make_url(postgresql).set(database="postgres"))
        name = make_url(postgresql).database

        async def allow(yes: bool) -> None:
            async with cut.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(
                    text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {'true' if yes else 'false'}")
                )
                await connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname=:n"),
                    {"n": name},
                )

        await allow(False)
        for method, url in (("GET", "/health/ready"), ("GET", "/v1/notifications/messages")):
            answer = await service.as_("alice").request(method, url)
            assert answer.status_code == 503
            assert answer.json()["detail"][0]["msg"] == "The database does not answer"
        body = {"recipient": "alice", "summary": "x"}
        sent = await service.as_("quota").post("/v1/services/quota/notifications", json=body)
        assert (sent.status_code, sent.headers["retry-after"]) == (503, "5")
        assert (await service.as_("alice").get("/health/live")).status_code == 200
        await allow(True)
        await service.send()
        assert len(await service.messages()) == 1
        await cut.dispose()


async def test_a_folder_of_files_is_broadcast_and_followed(
    database: str, tokens: Tokens, tmp_path: Path
) -> None:
    folder = tmp_path / "broadcasts"
    (folder / "sub").mkdir(parents=True)
    file = folder / "sub/outage.md"
    file.write_text("---\nsummary: It is down\ncategory: outage\n---\nSorry.\n")
    async with running(database, tokens, broadcasts=folder) as service:
        assert service.parts.folder is not None
        await service.parts.folder.look()
        (one,) = (await service.as_(None).get("/v1/broadcasts")).json()
        assert (one["category"], one["summary"]["gfm"]) == ("outage", "It is down")
        assert one["banner"] is True
        before = await service.parts.database.position()
        await service.parts.folder.look()
        assert await service.parts.database.position() == before
        refused = await service.as_("admin").delete(f"/v1/admin/broadcasts/{one['id']}")
        assert refused.status_code == 409
        content = file.read_text()
        file.write_text(content.replace("It is down", "It is up"))
        await service.parts.folder.look()
        (again,) = (await service.as_("alice").get("/v1/broadcasts")).json()
        assert (again["id"], again["summary"]["gfm"]) == (one["id"], "It is up")
        file.unlink()
        await service.parts.folder.look()
        assert (await service.as_("alice").get("/v1/broadcasts")).json() == []
        file.write_text(content)
        await service.parts.folder.look()
        assert len((await service.as_("alice").get("/v1/broadcasts")).json()) == 1
