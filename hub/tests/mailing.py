"""A real mail server, a clock that a test sets, and a sender that uses both."""

from __future__ import annotations

import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

from aiosmtpd.controller import Controller

from jupyterhub_notify.channels import make_channels
from jupyterhub_notify.channels.sender import ChannelSender
from jupyterhub_notify.channels.settings import ChannelSettings
from jupyterhub_notify.factory import make_sender
from jupyterhub_notify.services.directory import UserDirectory

from .ports import free_ports
from .support import Service


class Mailbox:
    """Takes mail as a server does."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        #: The recipients of the mails by SMTP, whatever the headers say.
        self.recipients: list[str] = []
        self.answer = "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            parser = BytesParser(policy=email.policy.default)
            content = envelope.content
            assert isinstance(content, bytes)
            self.recipients += envelope.rcpt_tos
            self.mails.append(parser.parsebytes(content))
        return self.answer


@dataclass
class MailServer:
    mailbox: Mailbox
    port: int

    @property
    def mails(self) -> list[EmailMessage]:
        return self.mailbox.mails


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Run a mail server until the block ends."""
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_ports(1)[0])
    controller.start()
    try:
        yield MailServer(mailbox, controller.port)
    finally:
        controller.stop()


class Clock:
    """A clock that starts at the present time and moves only when a test says so."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(timezone.utc) + self.ahead

    def go(self, **time: float) -> None:
        self.ahead += timedelta(**time)


def settings_of(port: int, **more: Any) -> ChannelSettings:
    return ChannelSettings.model_validate(
        {
            "after": "15m",
            "mail": {
                "host": "127.0.0.1",
                "port": port,
                "starttls": False,
                "sender": "Notifications <notify@example.org>",
                "address": "{username}@example.org",
                "timeout_s": 5,
            },
            **more,
        }
    )


def sender_of(
    service: Service,
    settings: ChannelSettings,
    clock: Clock,
    directory: UserDirectory | None = None,
) -> ChannelSender:
    parts = service.parts
    return make_sender(
        settings,
        make_channels(settings),
        directory=directory,
        nobody=frozenset({"notify-bot"}),
        database=parts.database,
        writer=parts.writer,
        stores=parts.stores,
        content=parts.content,
        public_url=service.url,
        clock=clock,
    )
