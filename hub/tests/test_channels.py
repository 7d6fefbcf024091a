"""Channels send only messages that stay unread, once, when the user wants; with real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from jupyterhub_notify.channels.channel import Letter, Message
from jupyterhub_notify.channels.settings import ChannelsError, read_channels
from jupyterhub_notify.channels.timing import Preferences, due_at

from .mailing import Clock, MailServer, sender_of, settings_of
from .support import Service, Tokens, running


async def test_only_what_is_important_and_stays_unread_is_mailed_once(
    service: Service, mail: MailServer
):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock)
    await service.send("alice", "Not so important")
    await service.send("alice", "Your *quota*", body="You use **98 %**.", important=True)
    await sender.look(wait=True)
    assert mail.mails == []
    clock.go(minutes=16)
    await sender.look(wait=True)
    [letter] = mail.mails
    assert letter["To"] == "alice@example.org"
    assert letter["Subject"] == "Your quota"
    assert letter.get_body(("plain",)).get_content().startswith("You use 98 %.")
    assert "<strong>98 %</strong>" in letter.get_body(("html",)).get_content()
    clock.go(hours=2)
    await sender.look(wait=True)
    await sender_of(service, settings_of(mail.port), clock).look(wait=True)
    assert len(mail.mails) == 1


async def test_what_is_read_dismissed_or_revoked_in_time_is_not_sent(
    service: Service, mail: MailServer
):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock)
    read = await service.send("alice", "read", important=True)
    await service.send("alice", "revoked", important=True, key="k")
    await service.as_("alice").post("/v1/notifications/read", json={"ids": [read["id"]]})
    await service.as_("quota").delete("/v1/services/quota/notifications/k")
    clock.go(minutes=16)
    await sender.look(wait=True)
    assert mail.mails == []

    # Queued while the server was away, and read before it came back.
    mail.mailbox.answer = "451 busy"
    late = await service.send("bob", "late", important=True)
    clock.go(minutes=16)
    await sender.look(wait=True)
    await service.as_("bob").post("/v1/notifications/read", json={"ids": [late["id"]]})
    mail.mailbox.answer = "250 OK"
    clock.go(hours=1)
    await sender.look(wait=True)
    assert mail.mails == []
    summary = (await service.as_("admin").get("/v1/admin/channels")).json()
    assert [(one["channel"], one["state"]) for one in summary] == [("mail", "cancelled")]


async def test_two_replicas_send_it_once(service: Service, mail: MailServer):
    clock = Clock()
    senders = [sender_of(service, settings_of(mail.port), clock) for _ in range(2)]
    for number in range(20):
        await service.send(f"u{number}", "x", important=True)
    clock.go(minutes=16)
    await asyncio.gather(*(sender.look(wait=True) for sender in senders))
    await asyncio.gather(*(sender.look(wait=True) for sender in senders))
    assert sorted(letter["To"] for letter in mail.mails) == sorted(
        f"u{number}@example.org" for number in range(20)
    )


async def test_a_channel_that_fails_is_tried_again_and_given_up_after_a_day(
    service: Service, mail: MailServer
):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock)
    mail.mailbox.answer = "451 busy"
    await service.send("alice", "x", important=True)
    clock.go(minutes=16)
    await sender.look(wait=True)
    [entry] = (await service.as_("admin").get("/v1/admin/channels")).json()
    assert (entry["state"], entry["failure"]) == ("waiting", "the mail server answers 451")
    clock.go(minutes=2)
    mail.mailbox.answer = "250 OK"
    await sender.look(wait=True)
    assert len(mail.mails) == 1

    mail.mailbox.answer = "451 busy"
    await service.send("bob", "x", important=True)
    clock.go(minutes=1)
    await sender_of(service, settings_of(mail.port, after="1s"), clock).look(wait=True)
    clock.go(hours=25)
    await sender.look(wait=True)
    mail.mailbox.answer = "250 OK"
    clock.go(hours=25)
    await sender.look(wait=True)
    assert len(mail.mails) == 1
    entries = (await service.as_("admin").get("/v1/admin/channels")).json()
    assert {entry["state"] for entry in entries} == {"sent", "failed"}
    assert (await service.as_("alice").get("/v1/admin/channels")).status_code == 403


async def test_a_digest_gathers_and_one_click_unsubscribes(service: Service, mail: MailServer):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock)
    service.parts.channels._sender = sender
    answer = await service.as_("alice").patch("/v1/channels", json={"digest": "hourly"})
    assert answer.json() == {
        "channels": [{"name": "mail", "on": True, "reaches": True}],
        "digest": "hourly",
        "quiet_from": None,
        "quiet_until": None,
        "timezone": "UTC",
    }
    await service.send("alice", "One", important=True)
    await service.send("alice", "Two", important=True)
    clock.go(minutes=16)
    await sender.look(wait=True)
    clock.go(hours=1)
    await sender.look(wait=True)
    [letter] = mail.mails
    assert letter["Subject"] == "2 messages that you have not read"
    assert "* One" in letter.get_body(("plain",)).get_content()

    link = letter["List-Unsubscribe"].strip("<>")
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = f"{urlsplit(link).path}?{urlsplit(link).query}"
    # A program that only looks at links turns nothing off.
    assert "<form" in (await service.as_(None).get(path)).text
    assert (await service.as_("alice").get("/v1/channels")).json()["channels"][0]["on"]
    # As a mail program's button does (RFC 8058).
    form = {"List-Unsubscribe": "One-Click"}
    assert (await service.as_(None).post(path, data=form)).status_code == 200
    assert not (await service.as_("alice").get("/v1/channels")).json()["channels"][0]["on"]
    assert (await service.as_(None).post(path.replace("token=", "token=x"))).status_code == 404

    await service.send("alice", "Three", important=True)
    clock.go(hours=2)
    await sender.look(wait=True)
    assert len(mail.mails) == 1


@pytest.mark.parametrize(
    ("change", "loc"),
    [
        ({"on": {"pigeon": True}}, ["body", "on", "pigeon"]),
        ({"digest": "never"}, ["body", "digest"]),
        ({"quiet_from": "25:00"}, ["body", "quiet_from"]),
        ({"timezone": "Mars"}, ["body", "timezone"]),
    ],
)
async def test_a_choice_that_is_no_good_says_where(service: Service, change: Any, loc: list[str]):
    answer = await service.as_("alice").patch("/v1/channels", json=change)
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == loc
    assert (await service.as_(None).get("/v1/channels")).status_code == 401


# --- Apprise


@dataclass
class Chat:
    """An HTTP server behind an Apprise URL."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    hung: asyncio.Event | None = None
    port: int = 0

    async def take(self, request: web.Request) -> web.Response:
        if self.hung is not None:
            await self.hung.wait()
        self.posts.append(await request.json())
        return web.Response()


@asynccontextmanager
async def chat() -> AsyncIterator[Chat]:
    server = Chat()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", server.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    try:
        yield server
    finally:
        if server.hung is not None:
            server.hung.set()
        await runner.cleanup()


async def test_apprise_reaches_a_server_and_one_that_hangs_holds_up_nobody(
    service: Service, mail: MailServer
):
    clock = Clock()
    async with chat() as server:
        url = f"json://127.0.0.1:{server.port}/{{username}}?cto=2&rto=2"
        settings = settings_of(mail.port, apprise=[{"name": "chat", "url": url}])
        sender = sender_of(service, settings, clock)
        await service.send("alice", "Hello", important=True, type="error")
        clock.go(minutes=16)
        await sender.look(wait=True)
        [post] = server.posts
        assert (post["title"], post["type"]) == ("Hello", "failure")

        server.hung = asyncio.Event()
        await service.send("bob", "Hello", important=True)
        clock.go(minutes=16)
        await sender.look()
        while len(mail.mails) < 2:  # noqa: ASYNC110 - the mail server runs in a thread
            await asyncio.sleep(0.05)
        await sender.look(wait=True)
        entries = (await service.as_("admin").get("/v1/admin/channels")).json()
        failed = [entry for entry in entries if entry["failure"]]
        assert [(entry["channel"], entry["state"]) for entry in failed] == [("chat", "waiting")]


# --- Addresses, settings, times


async def test_a_user_whose_name_is_no_address_gets_no_mail(service: Service, mail: MailServer):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock)
    for name in ("a,b", "a b", "x@y", "a>b"):
        await service.send(name, "x", important=True)
    clock.go(minutes=16)
    await sender.look(wait=True)
    assert mail.mails == []


async def test_a_file_of_addresses_goes_before(service: Service, mail: MailServer, tmp_path: Path):
    addresses = tmp_path / "addresses.csv"
    addresses.write_text("user,address\nalice,a.smith@uni.example\n")
    settings = settings_of(mail.port)
    more = settings.mail.model_copy(update={"addresses": addresses})
    clock = Clock()
    sender = sender_of(service, settings.model_copy(update={"mail": more}), clock)
    await service.send("alice", "x", important=True)
    await service.send("bob", "x", important=True)
    clock.go(minutes=16)
    await sender.look(wait=True)
    assert {letter["To"] for letter in mail.mails} == {"a.smith@uni.example", "bob@example.org"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("after: soon", "after: must be a time"),
        ("mail: {host: x}", "mail.sender"),
        ("mail: {host: x, sender: a@b, hots: x}", "mail.hots"),
        ("apprise: [{name: a b, url: x}]", "apprise.0.name"),
        ("after: [", "is no YAML"),
        ("after: 2026-13-45", "is no YAML"),
        ("mail: smtp.example.org", "mail: must have fields"),
    ],
)
def test_a_file_of_channels_that_is_no_good_says_where(tmp_path: Path, text: str, words: str):
    path = tmp_path / "channels.yaml"
    path.write_text(text)
    with pytest.raises(ChannelsError, match=words):
        read_channels(path)


def test_a_secret_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    path = tmp_path / "channels.yaml"
    path.write_text("mail: {host: x, sender: a@b, password: '${SMTP_PASSWORD}'}")
    assert read_channels(path).mail.password == "secret"


def test_the_subject_is_one_line_whatever_a_message_says():
    message = Message(id="n:1", type="info", summary="a", body=None, html="")
    letter = Letter(user="x", messages=[message], key="k")
    assert (letter.title, letter.text) == ("a", "a\n")


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("at", "due"),
    [
        ("2026-11-28 12:00", "2026-11-28 12:00"),
        ("2026-11-28 21:30", "2026-11-29 06:00"),
        ("2026-11-29 03:00", "2026-11-29 06:00"),
        # The clocks go back in the night: seven in the morning is an hour later.
        ("2026-10-24 21:00", "2026-10-25 06:00"),
    ],
)
def test_quiet_hours_are_the_users_own(at: str, due: str):
    quiet = Preferences(quiet_from=time(22), quiet_until=time(7), zone=BERLIN)
    moment = datetime.fromisoformat(at).replace(tzinfo=timezone.utc)
    assert due_at(moment, quiet) == datetime.fromisoformat(due).replace(tzinfo=timezone.utc)


_TIMES = st.none() | st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.sampled_from(["none", "hourly", "daily"]),
    _TIMES,
    _TIMES,
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]),
)
def test_nothing_is_sent_earlier_or_in_quiet_hours_or_days_late(
    moment: datetime, digest: Any, first: time | None, last: time | None, zone: str
):
    moment = moment.replace(tzinfo=timezone.utc)
    chosen = Preferences(digest=digest, quiet_from=first, quiet_until=last, zone=ZoneInfo(zone))
    due = due_at(moment, chosen)
    assert moment <= due <= moment + timedelta(hours=50)
    if first is not None and last is not None and first != last:
        local = due.astimezone(chosen.zone).time()
        quiet = first <= local < last if first < last else local >= first or local < last
        # A quiet hour that the clocks skip has no end on them.
        assert not quiet or due.astimezone(chosen.zone).utcoffset() != (
            (due - timedelta(hours=3)).astimezone(chosen.zone).utcoffset()
        )


async def test_the_service_runs_them_by_itself(
    database: str, tokens: Tokens, tmp_path: Path, mail: MailServer
):
    path = tmp_path / "channels.yaml"
    path.write_text(
        f"after: 1s\nmail: {{host: 127.0.0.1, port: {mail.port}, starttls: false,"
        " sender: n@example.org, address: '{username}@example.org'}"
    )
    async with running(database, tokens, channels=path) as service:
        await service.send("alice", "x", important=True)
        while not mail.mails:  # noqa: ASYNC110 - the mail server runs in a thread
            await asyncio.sleep(0.05)
    assert mail.mails[0]["To"] == "alice@example.org"
