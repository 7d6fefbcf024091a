"""Important messages to groups, and broadcasts: each user who has not read it, once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from jupyterhub_notify.channels.spreading import MOST_AT_ONCE
from jupyterhub_notify.schema import ChannelSend, ChannelSpread
from jupyterhub_notify.services.directory import HubUser
from jupyterhub_notify.storage.writer import Transaction

from .mailing import Clock, MailServer, sender_of, settings_of
from .support import Service, Tokens, running

LONG_AGO = datetime(2020, 1, 1, tzinfo=timezone.utc)


class Users:
    """A directory with the users that a test sets; `None` as if the hub did not answer."""

    def __init__(self, users: Sequence[HubUser] | None) -> None:
        self.all = users

    async def users(self) -> Sequence[HubUser] | None:
        return self.all

    async def groups_of(self, user: str) -> frozenset[str]:
        raise NotImplementedError


def user(name: str, *groups: str, running: bool = False) -> HubUser:
    return HubUser(name, frozenset(groups), running)


SCHOOL = [
    user("alice", "staff", running=True),
    user("bob"),
    user("carol", "students", running=True),
    user("dave", "staff", "students"),
    user("notify-bot"),
]


async def to_group(service: Service, group: str, summary: str = "Hello", **more: Any) -> Any:
    body = {"group": group, "summary": summary, "important": True, **more}
    answer = await service.as_("quota").post("/v1/services/quota/notifications", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def broadcast(service: Service, summary: str = "Hello", **more: Any) -> str:
    body = {"summary": summary, "important": True, **more}
    answer = await service.as_("admin").post("/v1/admin/broadcasts", json=body)
    assert answer.status_code in (200, 201), answer.text
    return str(answer.json()["id"])


def letters(mail: MailServer) -> list[tuple[str, str]]:
    """Take the received letters; return the recipient and subjects of each."""
    found = []
    for one in mail.mails:
        lines = one.get_body(("plain",)).get_content().splitlines()
        summaries = [line[2:] for line in lines if line.startswith("* ")] or [one["Subject"]]
        found += [(one["To"].partition("@")[0], summary) for summary in summaries]
    mail.mails.clear()
    return sorted(found)


async def rows(service: Service, table: type[Any] = ChannelSend) -> int:
    async with service.parts.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_a_groups_members_who_have_not_read_it_get_it_once(
    service: Service, mail: MailServer
):
    clock, directory = Clock(), Users(SCHOOL)
    senders = [sender_of(service, settings_of(mail.port), clock, directory) for _ in range(2)]

    async def look() -> None:
        # Two replicas at the same time.
        await asyncio.gather(*(sender.look(wait=True) for sender in senders))

    sent = await to_group(service, "staff", "Read by Alice")
    await to_group(service, "students", "To students")
    await to_group(service, "staff", "Not important", important=False)
    await to_group(service, "students", "Revoked", key="k")
    await service.as_("alice").post("/v1/notifications/read", json={"ids": [sent["id"]]})
    await service.as_("quota").delete("/v1/services/quota/notifications/k")
    await look()
    # Nothing is stored of anybody before it is due.
    assert (letters(mail), await rows(service), await rows(service, ChannelSpread)) == ([], 0, 0)
    clock.go(minutes=16)
    await look()
    expected = [("carol", "To students"), ("dave", "Read by Alice"), ("dave", "To students")]
    assert letters(mail) == expected
    clock.go(hours=3)
    await look()
    assert letters(mail) == []


async def test_a_broadcast_reaches_its_audience_unless_settled(service: Service, mail: MailServer):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock, Users(SCHOOL))
    everyone = await broadcast(service, "All", must_accept=True)
    await service.as_("alice").post(f"/v1/broadcasts/{everyone}/accept")
    named = await broadcast(service, "Named", users=["bob", "zoe"], groups=["students"])
    await service.as_("bob").post(f"/v1/broadcasts/{named}/dismiss")
    await broadcast(service, "Running", audience="running")
    await broadcast(service, "Nobody", audience="anonymous")
    await service.as_("admin").delete(f"/v1/admin/broadcasts/{await broadcast(service, 'Gone')}")
    clock.go(minutes=16)
    await sender.look(wait=True)
    assert letters(mail) == [
        ("alice", "Running"),
        ("bob", "All"),
        ("carol", "All"),
        ("carol", "Named"),
        ("carol", "Running"),
        ("dave", "All"),
        ("dave", "Named"),
        ("zoe", "Named"),
    ]
    summary = (await service.as_("admin").get("/v1/admin/channels")).json()
    assert [(one["state"], one["count"]) for one in summary] == [("sent", 8)]
    clock.go(hours=3)
    await sender.look(wait=True)
    assert letters(mail) == []

    async def grow_old(transaction: Transaction) -> None:
        for table in (ChannelSend, ChannelSpread):
            await transaction.connection.execute(update(table).values(updated=LONG_AGO))

    # A broadcast may recur for ever: what became of it goes with its other receipts.
    await service.parts.writer.run(grow_old)
    await service.parts.housekeeping.clean()
    assert (await rows(service), await rows(service, ChannelSpread)) == (0, 0)


async def test_a_file_of_the_folder_may_be_important(
    database: str, tokens: Tokens, tmp_path: Path, mail: MailServer
):
    (tmp_path / "down.md").write_text(
        "---\nsummary: Down\ncategory: outage\nimportant: true\n---\nWe mend it.\n"
    )
    (tmp_path / "news.md").write_text("---\nsummary: News\n---\n")
    clock = Clock()
    async with running(database, tokens, broadcasts=tmp_path) as service:
        folder = service.parts.folder
        assert folder is not None
        await folder.look()
        sender = sender_of(service, settings_of(mail.port), clock, Users(SCHOOL))
        messages = (await service.as_("alice").get("/v1/broadcasts")).json()
        assert {one["summary"]["gfm"] for one in messages} == {"Down", "News"}
        clock.go(minutes=16)
        await sender.look(wait=True)
        reached = [("alice", "Down"), ("bob", "Down"), ("carol", "Down"), ("dave", "Down")]
        assert letters(mail) == reached
        # It becomes so by a change of its file, within the day in which it is news.
        (tmp_path / "news.md").write_text("---\nsummary: News\nimportant: true\n---\n")
        await folder.look()
        await sender.look(wait=True)
        assert letters(mail) == [(name, "News") for name, _ in reached]


async def test_what_is_settled_or_revoked_while_it_waits_is_not_sent(
    service: Service, mail: MailServer
):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock, Users(SCHOOL))
    await service.as_("carol").patch("/v1/channels", json={"digest": "hourly"})
    await service.as_("alice").patch("/v1/channels", json={"digest": "daily"})
    one, two = await broadcast(service, "One"), await broadcast(service, "Two")
    group = await to_group(service, "students", "Three")
    clock.go(minutes=16)
    await sender.look(wait=True)
    assert {to for to, _ in letters(mail)} == {"bob", "dave"}
    await service.as_("carol").post(f"/v1/broadcasts/{one}/read")
    await service.as_("carol").post("/v1/notifications/read", json={"ids": [group["id"]]})
    await service.as_("admin").delete(f"/v1/admin/broadcasts/{two}")
    clock.go(hours=26)
    await sender.look(wait=True)
    assert letters(mail) == [("alice", "One")]


async def test_a_hub_that_is_away_is_asked_again_and_users_who_are_named_wait_for_nobody(
    service: Service, mail: MailServer
):
    clock, directory = Clock(), Users(None)
    sender = sender_of(service, settings_of(mail.port), clock, directory)
    await to_group(service, "students", "To students")
    await broadcast(service, "Named", users=["bob"])
    clock.go(minutes=16)
    await sender.look(wait=True)
    assert letters(mail) == [("bob", "Named")]
    directory.all = SCHOOL
    await sender.look(wait=True)
    assert letters(mail) == [("carol", "To students"), ("dave", "To students")]
    # Without a hub nobody tells who belongs to a group.
    alone = sender_of(service, settings_of(mail.port), clock)
    await to_group(service, "staff", "To staff")
    await broadcast(service, "Named again", users=["bob"], groups=["staff"])
    clock.go(minutes=16)
    await alone.look(wait=True)
    assert letters(mail) == [("bob", "Named again")]


async def test_many_users_are_queued_once_and_some_at_a_time(service: Service, mail: MailServer):
    clock = Clock()
    everybody = Users([user(f"u{number}") for number in range(6_000)])
    mail.mailbox.answer = "451 busy"
    senders = [sender_of(service, settings_of(mail.port), clock, everybody) for _ in range(2)]
    await broadcast(service)
    await senders[0].look()
    assert await rows(service) == 0
    clock.go(minutes=16)
    await senders[0].look()
    assert await rows(service) == MOST_AT_ONCE
    await asyncio.gather(*(sender.look() for sender in senders))
    await senders[0].look()
    assert await rows(service) == 6_000
    await asyncio.gather(*(sender.stop() for sender in senders))
