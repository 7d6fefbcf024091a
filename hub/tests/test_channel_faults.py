"""Channels with hostile texts and names, refusing mail servers, secrets, and defects."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from jupyterhub_notify.channels.addresses import Addresses
from jupyterhub_notify.channels.channel import ChannelError, Letter, Message, NoAddress
from jupyterhub_notify.channels.mail import MailChannel

from .mailing import Clock, Mailbox, MailServer, sender_of, settings_of
from .ports import free_ports
from .support import Service

HEADERS = {
    *("From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version"),
    *("List-Unsubscribe", "List-Unsubscribe-Post", "Content-Type"),
}


def mail_channel(port: int, **more: Any) -> MailChannel:
    mail = settings_of(port).mail
    assert mail is not None
    settings = mail.model_copy(update=more)
    return MailChannel(settings, Addresses(settings))


def letter(user: str = "alice", summary: str = "Hello") -> Letter:
    message = Message(id="n:1", type="info", summary=summary, body="Text", html="<p>Text</p>")
    link = "https://hub.example.org/v1/channels/unsubscribe?token=x&channel=mail"
    return Letter(user=user, messages=[message], key="k", unsubscribe=link)


# --- Texts, names, addresses


@pytest.mark.parametrize(
    ("summary", "subject"),
    [
        ("a\nBcc: eve@example.net", "a Bcc: eve@example.net"),
        ("a\r\n\r\nb", "a b"),
        ("a\u2028b\x85c\x0bd\x1ce", "a b c d e"),
        ("bad \ud800 \x00 \x1b[2J", "bad [2J"),
        # An encoded word that holds the end of a line.
        ("=?utf-8?q?=0d=0aBcc:_eve?=", "= ?utf-8?q?=0d=0aBcc:_eve?="),
        ("ü" * 5000, "ü" * 200),
        ("x" * 5000, "x" * 200),
    ],
    ids=["line", "lines", "separators", "controls", "encoded word", "long, not ASCII", "long"],
)
async def test_whatever_a_message_says_its_mail_has_no_header_more(
    mail: MailServer, summary: str, subject: str
):
    await mail_channel(mail.port).send(letter(summary=summary))
    [got] = mail.mails
    assert got["Subject"] == subject
    assert set(got.keys()) == HEADERS
    assert mail.mailbox.recipients == [got["To"]] == ["alice@example.org"]


@pytest.mark.parametrize(
    "name",
    [
        *("=?utf-8?q?eve=40example.net?=", "=?utf-8?q?a=2cb?=", "a\x00b", "a\x7fb", "a\ud800b"),
        *("a\nb", "a,b", "a b", "x@y", "a>b", "x" * 65, "ü" * 40, ""),
    ],
)
async def test_a_name_that_no_address_can_have_reaches_nobody(mail: MailServer, name: str):
    with pytest.raises(NoAddress):
        await mail_channel(mail.port).send(letter(user=name))
    assert mail.mails == []


@pytest.mark.parametrize("name", ["o'brien", "a+b", "a%b", "a..b", "zoë", "-oX", "x" * 64])
async def test_a_name_that_is_only_odd_is_reached(mail: MailServer, name: str):
    await mail_channel(mail.port).send(letter(user=name))
    assert mail.mailbox.recipients == [f"{name}@example.org"]


@asynccontextmanager
async def ascii_only() -> AsyncIterator[MailServer]:
    """Run a mail server that accepts only ASCII addresses, as many do."""
    mailbox = Mailbox()
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=free_ports(1)[0], enable_SMTPUTF8=False
    )
    controller.start()
    try:
        yield MailServer(mailbox, controller.port)
    finally:
        controller.stop()


async def test_a_domain_that_is_not_ascii_is_reached_at_any_server():
    async with ascii_only() as mail:
        for domain in ("bücher.example", "straße.example"):
            await mail_channel(mail.port, address="{username}@" + domain).send(letter())
        assert mail.mailbox.recipients == [
            "alice@xn--bcher-kva.example",
            "alice@xn--strae-oqa.example",
        ]
        with pytest.raises(ChannelError, match="no address that is not ASCII") as failed:
            await mail_channel(mail.port).send(letter(user="zoë"))
        assert failed.value.permanent
        with pytest.raises(NoAddress):
            await mail_channel(mail.port, address="{username}@\u2024..example").send(letter())


# --- Mail servers


@dataclass
class OddServer:
    """A mail server that answers each command as the test says; an empty answer hangs up."""

    answers: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    port: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        usual = {"EHLO": "250 odd.example", "DATA": "354 Go on", "QUIT": "221 Bye"}
        writer.write(b"220 odd.example\r\n")
        in_text = False
        try:
            while line := (await reader.readline()).decode().rstrip("\r\n"):
                word = "." if in_text else line.split()[0].upper()
                if in_text:
                    # The text has empty lines: it is read to its end at once.
                    await reader.readuntil(b"\r\n.\r\n")
                else:
                    self.heard.append(line)
                in_text = False
                answer = self.answers.get(word, usual.get(word, "250 OK"))
                if not answer:
                    break
                in_text = answer.startswith("354")
                writer.write(f"{answer}\r\n".encode())
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def odd_server(answers: dict[str, str]) -> AsyncIterator[OddServer]:
    odd = OddServer(answers)
    server = await asyncio.start_server(odd.talk, "127.0.0.1", 0)
    odd.port = server.sockets[0].getsockname()[1]
    async with server:
        yield odd


@pytest.mark.parametrize(
    ("answers", "more", "reason", "permanent"),
    [
        ({"RCPT": "550 alice unknown"}, {}, "the address is refused (550)", True),
        ({"RCPT": "450 greylisted"}, {}, "the address is refused (450)", False),
        ({"MAIL": "451 alice busy"}, {}, "the mail server answers 451", False),
        ({"DATA": "554 alice no"}, {}, "the mail server answers 554", False),
        ({".": "552 alice too big"}, {}, "the mail server answers 552", False),
        ({"EHLO": "", "HELO": ""}, {}, "SMTPServerDisconnected", False),
        ({"RCPT": ""}, {}, "the mail server", False),
        ({".": ""}, {}, "SMTPServerDisconnected", False),
        ({"MAIL": "nonsense"}, {}, "the mail server", False),
        ({}, {"starttls": True, "username": "u", "password": "pw"}, "not offer STARTTLS", False),
        (
            {"EHLO": "250-odd.example\r\n250 STARTTLS", "STARTTLS": "454 alice no"},
            {"starttls": True, "username": "u", "password": "pw"},
            "the mail server answers 454",
            False,
        ),
        (
            {"EHLO": "250-odd.example\r\n250 STARTTLS", "STARTTLS": "220 Go on"},
            # No TLS follows.
            {"starttls": True, "username": "u", "password": "pw", "timeout_s": 1},
            "the mail server cannot be reached",
            False,
        ),
        ({}, {"username": "u", "password": "pw"}, "not offer AUTH", False),
        (
            {"EHLO": "250-odd.example\r\n250 AUTH PLAIN", "AUTH": "535 pw alice wrong"},
            {"username": "u", "password": "pw"},
            "the mail server answers 535",
            False,
        ),
    ],
)
async def test_what_a_mail_server_answers_says_whether_it_is_tried_again(
    answers: dict[str, str], more: dict[str, Any], reason: str, permanent: bool
):
    async with odd_server(answers) as odd:
        with pytest.raises(ChannelError) as failed:
            await mail_channel(odd.port, **more).send(letter())
    assert reason in str(failed.value)
    assert failed.value.permanent is permanent
    # The error names neither the recipient nor a password.
    assert "alice" not in str(failed.value)
    assert "pw" not in str(failed.value)
    if more.get("starttls"):
        # No secret is sent without encryption.
        words = {line.split()[0] for line in odd.heard if line.isascii() and line.strip()}
        assert not words & {"AUTH", "MAIL", "DATA"}


# --- Secrets, and defects


async def test_the_secrets_of_an_apprise_url_are_neither_logged_nor_shown(
    service: Service,
    mail: MailServer,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
):
    clock = Clock()
    urls = {
        "unknown": "nosuch://user:SECRET@127.0.0.1:9/",
        "wrong": "slack://SECRET",
        "away": "json://user:SECRET@127.0.0.1:9/{username}?+X-Api-Key=SECRET&cto=1",
    }
    settings = settings_of(
        mail.port, apprise=[{"name": name, "url": url} for name, url in urls.items()]
    )
    caplog.set_level(logging.DEBUG)
    sender = sender_of(service, settings, clock)
    await service.send("alice", "Hello", important=True)
    clock.go(minutes=16)
    await sender.look(wait=True)
    entries = (await service.as_("admin").get("/v1/admin/channels")).json()
    assert {one["channel"]: (one["state"], one["failure"]) for one in entries} == {
        "mail": ("sent", None),
        "unknown": ("failed", "its URL is none that Apprise knows"),
        "wrong": ("failed", "its URL is none that Apprise knows"),
        "away": ("waiting", "the service refuses it or cannot be reached"),
    }
    page = (await service.as_("admin").get("/alerts")).text
    printed = capfd.readouterr()
    for said in (json.dumps(entries), page, caplog.text, printed.out, printed.err):
        assert "SECRET" not in said


async def test_a_defect_of_a_channel_is_said_and_given_up_after_a_day(
    service: Service, mail: MailServer, monkeypatch: pytest.MonkeyPatch
):
    clock = Clock()
    sender = sender_of(service, settings_of(mail.port), clock)

    async def fail(*_: Any) -> None:
        raise RuntimeError("alice")

    monkeypatch.setattr(MailChannel, "send", fail)
    await service.send("alice", "x", important=True)
    clock.go(minutes=16)
    for state in ("waiting", "failed"):
        await sender.look(wait=True)
        [entry] = (await service.as_("admin").get("/v1/admin/channels")).json()
        assert (entry["state"], entry["failure"]) == (state, "it failed: RuntimeError")
        clock.go(hours=25)
