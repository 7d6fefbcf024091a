"""A restored database: no reader misses what is written afterwards."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from jupyterhub_notify.events import wakeup
from jupyterhub_notify.storage import epochs

from .support import Databases, Events, Service, Tokens, running

MESSAGES = "/v1/notifications/messages"
#: A fixed address, since validators depend on it.
SITE = {"public_url": "https://notify.example.org"}


class Backups:
    """Makes one backup of a database, and restores it."""

    def __init__(self, url: str) -> None:
        self._address = make_url(url)

    async def make(self) -> None:
        """Make a backup; on SQLite also while the service runs."""
        if self._address.get_backend_name() == "sqlite":
            path = str(self._address.database)
            with (
                closing(sqlite3.connect(path)) as now,
                closing(sqlite3.connect(f"{path}.backup")) as backup,
            ):
                now.backup(backup)
            return
        name = self._address.database
        await self._server(f"CREATE DATABASE {name}_backup TEMPLATE {name}")

    async def restore(self) -> None:
        """Restore it, as `docs/hub-install.md` says."""
        if self._address.get_backend_name() == "sqlite":
            path = str(self._address.database)
            for rest in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.remove(path + rest)
            shutil.copy(f"{path}.backup", path)
            return
        name = self._address.database
        await self._server(f"DROP DATABASE {name} WITH (FORCE)")
        await self._server(f"CREATE DATABASE {name} TEMPLATE {name}_backup")

    async def _server(self, statement: str) -> None:
        url = self._address.set(database="postgres", drivername="postgresql")
        connection = await asyncpg.connect(url.render_as_string(hide_password=False))
        await connection.execute(statement)
        await connection.close()

    def drop(self, databases: Databases) -> None:
        name = f"{self._address.database}_backup"
        databases.drop(self._address.set(database=name).render_as_string(hide_password=False))


@pytest.fixture
def backups(database: str, databases: Databases) -> Iterator[Backups]:
    backups = Backups(database)
    yield backups
    backups.drop(databases)


@pytest.fixture
def shared_backups(postgresql: str, databases: Databases) -> Iterator[Backups]:
    backups = Backups(postgresql)
    yield backups
    backups.drop(databases)


async def texts_after(service: Service, cursor: str, until: str) -> list[str]:
    """Return the texts that a lab gets when it resumes with a cursor, up to a text or a reload."""
    found: list[str] = []
    async with service.stream(cursor=cursor) as events:
        while not found or found[-1] not in ("reload", until):
            event = await events.next()
            gone = event.name == "reload"
            found.append("reload" if gone else event.data["summary"]["gfm"])
    return found


@pytest.mark.parametrize("more", [0, 1, 2, 5])
async def test_a_lab_that_was_ahead_of_a_backup_is_told_to_reload(
    database: str, backups: Backups, tokens: Tokens, more: int
) -> None:
    async with running(database, tokens) as service:
        await service.send(summary="kept")
        # It may be that of a moment before.
        kept = await service.cursor()
    await backups.make()
    async with running(database, tokens) as service:
        sent = [await service.send(summary=f"lost {index}") for index in range(2)]
        async with service.stream(cursor=kept) as events:
            lost = [await events.next()]
            while lost[-1].data["id"] != sent[-1]["id"]:
                lost.append(await events.next())
        lost = lost[-2:]
        answer = await service.as_("alice").get(MESSAGES)
        tag = answer.headers["etag"]
    await backups.restore()
    async with running(database, tokens) as service:
        new = [(await service.send(summary=f"new {index}"))["id"] for index in range(more)]
        for event in lost:
            assert await texts_after(service, event.id, "") == ["reload"]
        # One that was not ahead goes on from where it was.
        if more:
            expected = [f"new {index}" for index in range(more)]
            assert (await texts_after(service, kept, expected[-1]))[-more:] == expected
        answer = await service.as_("alice").get(MESSAGES, headers={"If-None-Match": tag})
        assert answer.status_code == 200
        assert len(answer.json()) == 1 + more
        # New messages do not have ids of lost ones, which the lab may still show.
        assert not {one["id"] for one in sent} & set(new)


async def test_a_restart_is_no_other_history(database: str, tokens: Tokens) -> None:
    async with running(database, tokens, **SITE) as service:
        await service.send(summary="before")
        cursor = await service.cursor()
        tag = (await service.as_("alice").get(MESSAGES)).headers["etag"]
    for turn in range(3):
        async with running(database, tokens, **SITE) as service:
            known = {"If-None-Match": tag}
            answer = await service.as_("alice").get(MESSAGES, headers=known)
            assert answer.status_code == 304
            await service.send("bob", summary="to somebody else")
            answer = await service.as_("alice").get(MESSAGES, headers=known)
            assert answer.status_code == 304
            await service.send(summary=f"turn {turn}")
            expected = [f"turn {one}" for one in range(turn + 1)]
            found = await texts_after(service, cursor, expected[-1])
            assert found[-len(expected) :] == expected
            answer = await service.as_("alice").get(MESSAGES, headers=known)
            assert answer.status_code == 200
            tag = answer.headers["etag"]


async def test_epochs_of_long_ago_are_forgotten(
    database: str, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "MOST_EPOCHS", 3)
    cursors = []
    for _ in range(5):
        async with running(database, tokens) as service:
            await service.send(summary="one")
            cursors.append((await service.send(summary="x"), await service.cursor())[1])
    async with running(database, tokens) as service:
        async with service.parts.database.read() as connection:
            count = (await connection.execute(text("SELECT count(*) FROM epochs"))).scalar_one()
        assert count == 3
        assert await texts_after(service, cursors[0], "") == ["reload"]
        assert (await texts_after(service, cursors[-2], "x"))[-1] == "x"


async def ended(events: Events) -> None:
    """Read a stream to its end."""
    with pytest.raises(StopAsyncIteration):
        while True:
            await events.next()


async def test_a_postgresql_that_is_set_back_while_replicas_run_is_noticed(
    postgresql: str,
    tokens: Tokens,
    shared_backups: Backups,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wakeup, "PROBE_S", 0.5)
    async with running(postgresql, tokens) as service:
        await service.send(summary="kept")
    await shared_backups.make()
    async with (
        running(postgresql, tokens) as one,
        running(postgresql, tokens, look_s=3600) as two,
        two.stream() as events,
    ):
        await one.send(summary="lost")
        lost = await events.until("message")
        while lost.data["summary"]["gfm"] != "lost":
            lost = await events.until("message")
        await shared_backups.restore()
        # As many and more numbers as were lost, before anybody has looked.
        new = [await one.send(summary=f"new {index}") for index in range(3)]
        await ended(events)
        for service in (one, two):
            assert await texts_after(service, lost.id, "") == ["reload"]
            assert [found["id"] for found in await service.messages()][:3] == [
                sent["id"] for sent in reversed(new)
            ]


async def test_a_replica_that_has_not_heard_of_an_epoch_yet_asks(
    postgresql: str, tokens: Tokens
) -> None:
    async with running(postgresql, tokens, look_s=3600) as one:
        await one.send(summary="first")
        assert one.parts.wakeup is not None
        await one.parts.wakeup.stop()
        async with running(postgresql, tokens) as two:
            await two.send(summary="second")
            cursor = await two.cursor()
            await two.send(summary="third")
        # A cursor of an epoch that only the other replica knew, and of a number below the last.
        assert cursor.partition(":")[0] != (await one.cursor()).partition(":")[0]
        async with one.stream(cursor=cursor) as events:
            one.parts.feed.wake()
            assert (await events.next()).data["summary"]["gfm"] == "third"
