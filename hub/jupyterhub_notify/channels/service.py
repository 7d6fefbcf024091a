"""Channels as their users see and choose them, and as the administrator sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from ..errors import Invalid, NotFound
from ..identity.caller import Caller
from ..models.common import Model, Text, Utc
from ..recurrence import RuleError, zone
from ..services.access import require_admin, require_user
from ..storage.channels import ChannelStore
from ..storage.database import Database
from ..storage.writer import Transaction, Writer
from .sender import ChannelSender, default_choice

__all__ = ["ChannelChoices", "ChannelEntry", "ChannelService", "ChannelSummary", "ChooseChannels"]

_Time = Annotated[Text, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["22:00"])]
_DIGEST = Field(
    title="Digest",
    description="Times of gathered messages: hourly, or at eight; none: each by itself",
)
_FROM = Field(title="Quiet from", description="Time of day from which nothing is sent")
_UNTIL = Field(
    title="Quiet until", description="Time of day at which that ends; it may be the next morning's"
)
_ZONE = Field(title="Time zone", description="Time zone of these times, such as Europe/Berlin")


class ChannelEntry(Model):
    """One channel."""

    name: Annotated[str, Field(title="Name", description="The channel's name")]
    on: Annotated[bool, Field(title="On", description="True if the user wants it")]
    reaches: Annotated[
        bool, Field(title="Reaches", description="True if it has an address of the user's")
    ]


class ChannelChoices(Model):
    """The channels of a site, and what a user has chosen."""

    channels: Annotated[list[ChannelEntry], Field(title="Channels", description="Of the site")]
    digest: Annotated[Literal["none", "hourly", "daily"], _DIGEST]
    quiet_from: Annotated[str | None, _FROM] = None
    quiet_until: Annotated[str | None, _UNTIL] = None
    timezone: Annotated[str, _ZONE]


class ChooseChannels(Model):
    """A change; a field that is not there stays."""

    on: Annotated[
        dict[Text, bool] | None,
        Field(title="On", description="By a channel's name, whether it is wanted", max_length=100),
    ] = None
    digest: Annotated[Literal["none", "hourly", "daily"] | None, _DIGEST] = None
    quiet_from: Annotated[_Time | None, _FROM] = None
    quiet_until: Annotated[_Time | None, _UNTIL] = None
    timezone: Annotated[Text | None, _ZONE] = None

    @field_validator("timezone")
    @classmethod
    def _exists(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                zone(value)
            except RuleError as error:
                raise ValueError(str(error)) from None
        return value


class ChannelSummary(Model):
    """The number of sends of a channel that are in a state."""

    channel: Annotated[str, Field(title="Channel", description="Its name")]
    state: Annotated[str, Field(title="State", description="waiting, sent, cancelled or failed")]
    failure: Annotated[
        str | None, Field(title="Failure", description="Reason of the last failure")
    ] = None
    count: Annotated[int, Field(title="Count", description="Number of sends")]
    last: Annotated[Utc, Field(title="Last", description="Time of the latest change among them")]


class ChannelService:
    """Reads and writes choices.

    Parameters
    ----------
    database, writer
        For reading and writing.
    store
        The tables.
    sender
        Knows the site's channels; ``None`` if the site has none.
    """

    def __init__(
        self,
        *,
        database: Database,
        writer: Writer,
        store: ChannelStore,
        sender: ChannelSender | None,
    ) -> None:
        self._database = database
        self._writer = writer
        self._store = store
        self._sender = sender

    @property
    def names(self) -> list[str]:
        """The site's channels."""
        return [] if self._sender is None else self._sender.names

    async def get(self, caller: Caller) -> ChannelChoices:
        """Return the caller's choices."""
        user = require_user(caller)
        async with self._database.read() as connection:
            choice = await self._store.choice(connection, user)
        return await self._choices(user, choice or default_choice(user))

    async def choose(self, caller: Caller, change: ChooseChannels) -> ChannelChoices:
        """Change the caller's choices.

        Raises
        ------
        Invalid
            If there is no channel of a given name.
        """
        user = require_user(caller)
        for name in change.on or ():
            if name not in self.names:
                raise Invalid(f"There is no channel {name[:40]!r}", ["body", "on", name])

        async def command(transaction: Transaction) -> dict[str, Any]:
            choice = await self._store.choice(transaction.connection, user) or default_choice(user)
            off = set(choice["off"])
            for name, on in (change.on or {}).items():
                off.discard(name) if on else off.add(name)
            choice["off"] = sorted(off)
            for name in ("digest", "quiet_from", "quiet_until", "timezone"):
                value = getattr(change, name)
                optional = name.startswith("quiet")
                if name in change.model_fields_set and (optional or value is not None):
                    choice[name] = value
            await self._store.choose(transaction.connection, choice)
            return choice

        return await self._choices(user, await self._writer.run(command))

    async def unsubscribe(self, token: str, channel: str) -> None:
        """Turn a channel off, by the link of a mail.

        Raises
        ------
        NotFound
            If the link is not valid.
        """

        async def command(transaction: Transaction) -> None:
            choice = await self._store.choice_of(transaction.connection, token)
            if choice is None:
                raise NotFound("This link is not valid")
            choice["off"] = sorted({*choice["off"], channel})
            await self._store.choose(transaction.connection, choice)

        if self._sender is None or channel not in self._sender.names:
            raise NotFound("This link is not valid")
        await self._writer.run(command)

    async def summary(self, caller: Caller) -> list[ChannelSummary]:
        """Return the numbers of sends by channel and state, for an administrator."""
        require_admin(caller)
        async with self._database.read() as connection:
            rows = await self._store.summary(connection)
        return [ChannelSummary(**{**row, "last": _known(row["last"])}) for row in rows]

    async def _choices(self, user: str, choice: dict[str, Any]) -> ChannelChoices:
        return ChannelChoices(
            channels=[
                ChannelEntry(
                    name=name,
                    on=name not in choice["off"],
                    reaches=self._sender is not None and await self._sender.reaches(name, user),
                )
                for name in self.names
            ],
            digest=choice["digest"],
            quiet_from=choice["quiet_from"],
            quiet_until=choice["quiet_until"],
            timezone=choice["timezone"],
        )


def _known(moment: Any) -> datetime:
    assert isinstance(moment, datetime)
    return moment
