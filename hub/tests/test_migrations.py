"""Every version's schema is upgraded to this one's, on both databases; a database can be copied."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    delete,
    insert,
    inspect,
    select,
    text,
)

from jupyterhub_notify.cli import main
from jupyterhub_notify.migrations import configuration, head, revision, upgrade
from jupyterhub_notify.schema import Base, ChannelSend
from jupyterhub_notify.schema.base import UtcDateTime
from jupyterhub_notify.storage.database import create_engine

from .conftest import KINDS
from .support import Databases, Tokens, running, set_newer

REVISIONS = [one.revision for one in ScriptDirectory.from_config(configuration()).walk_revisions()]


@pytest.fixture(params=KINDS)
def empty(request: pytest.FixtureRequest, databases: Databases) -> str:
    return databases.empty(request.param)


async def test_the_migrations_make_what_the_tables_say(empty: str) -> None:
    engine = create_engine(empty)
    await upgrade(engine)

    def differences(connection: Connection) -> list[Any]:
        return compare_metadata(MigrationContext.configure(connection), Base.metadata)

    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        row = (await connection.execute(text("SELECT epoch, seq, pruned FROM counter"))).one()
    assert len(row.epoch) == 8
    assert (row.seq, row.pruned) == (0, 0)
    assert await revision(engine) == head()
    # A second time, and by several replicas at once, nothing happens.
    await asyncio.gather(*(upgrade(engine) for _ in range(3)))
    await engine.dispose()


@pytest.mark.parametrize("verb", ["upgrade", "copy"])
async def test_a_newer_schema_is_said_in_one_sentence(
    empty: str, verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await set_newer(empty)
    options = {
        "upgrade": ["--database", empty],
        "copy": [empty, f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite'}"],
    }
    assert await asyncio.to_thread(main, [verb, *options[verb]]) == 1
    said = capsys.readouterr().err
    assert f"whose schema is 9999; this version knows {head()}" in said
    assert "Traceback" not in said


async def test_what_waits_for_a_channel_is_kept_by_the_queue_for_many(empty: str) -> None:
    engine = create_engine(empty)
    await upgrade(engine, "0006")
    async with engine.begin() as connection:
        await connection.execute(
            text(
                "INSERT INTO notifications (seq, service, target, type, summary, options, created,"
                " updated, state) VALUES (1, 's', 'u:alice', 'info', 'x', '{}',"
                " '2026-11-28 10:00:00', '2026-11-28 10:00:00', 'active')"
            )
        )
        await connection.execute(
            text(
                "INSERT INTO channel_sends (notification_id, user_name, channel, state, due,"
                " created, attempts, updated) SELECT id, 'alice', 'mail', 'waiting', created,"
                " created, 0, created FROM notifications"
            )
        )
    await upgrade(engine)
    async with engine.connect() as connection:
        found = (await connection.execute(select(ChannelSend.__table__))).one()
        assert (found.message, found.user_name) == (f"n:{found.notification_id}", "alice")
        assert (found.state, found.broadcast_id, found.attempts) == ("waiting", None, 0)
    await engine.dispose()


@pytest.mark.parametrize("version", REVISIONS)
async def test_every_version_comes_to_the_newest_and_back(empty: str, version: str) -> None:
    engine = create_engine(empty)
    await upgrade(engine, version)
    await upgrade(engine)
    assert await revision(engine) == head()

    def back(connection: Connection) -> list[str]:
        config = configuration()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        return [name for name in inspect(connection).get_table_names() if "alembic" not in name]

    async with engine.begin() as connection:
        assert await connection.run_sync(back) == []
    await engine.dispose()


async def test_everything_is_copied_and_cursors_still_mean_the_same(
    database: str, empty: str, tokens: Tokens, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running(database, tokens) as service:
        await service.send(summary="first", key="k")
        await service.as_("admin").post("/v1/admin/broadcasts", json={"summary": "Down"})
        before = (await service.as_("alice").get("/v1/overview")).json()
        cursor = await service.cursor()
    assert await asyncio.to_thread(main, ["copy", database, empty, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"]["notifications"] == 1
    async with running(empty, tokens) as service:
        after = (await service.as_("alice").get("/v1/overview")).json()
        assert {**after, "cursor": ""} == {**before, "cursor": ""}
        async with service.stream(cursor=cursor) as events:
            sent = await service.send(summary="second")
            event = await events.until("message")
            while event.data["id"] != sent["id"]:
                event = await events.until("message")
    again = await asyncio.to_thread(main, ["copy", database, empty])
    assert again == 1
    assert "not empty" in capsys.readouterr().err


def a_value(column: Column[Any]) -> Any:
    """Return a value that every database must keep as it is."""
    if isinstance(column.type, UtcDateTime):
        return datetime(2026, 3, 29, 2, 30, 0, 123456, timezone(timedelta(hours=-3)))
    if isinstance(column.type, JSON):
        return {"ü\u2028": [None, True, -0.5, 2**53, "\u0000'\"\\"]}
    if isinstance(column.type, Boolean):
        return True
    if isinstance(column.type, Integer):
        return 2**40 + 1 if isinstance(column.type, BigInteger) else 2**31 - 1
    return "ü 😀 '\"\\\r\n" if column.primary_key or column.type.length is None else "x"


async def test_each_value_of_each_table_is_copied(database: str, empty: str) -> None:
    old, new = create_engine(database), create_engine(empty)
    tables = Base.metadata.sorted_tables
    async with old.begin() as connection:
        for name in ("counter", "epochs"):
            await connection.execute(delete(Base.metadata.tables[name]))
        for table in tables:
            await connection.execute(insert(table), {one.name: a_value(one) for one in table.c})
    assert await asyncio.to_thread(main, ["copy", database, empty]) == 0
    async with old.connect() as before, new.connect() as after:
        for table in tables:
            [row] = (await before.execute(select(table))).all()
            assert [tuple(one) for one in await after.execute(select(table))] == [tuple(row)]
            assert all(value is not None for value in row), table.name
    await old.dispose()
    await new.dispose()
