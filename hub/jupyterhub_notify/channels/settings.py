"""``channels.yaml``: which channels a site has. Values may name environment variables: ``${X}``."""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..plain_reasons import plain_reason

__all__ = ["AppriseSettings", "ChannelSettings", "ChannelsError", "MailSettings", "read_channels"]

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SPAN = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class ChannelsError(ValueError):
    """A file that is not valid; the message says where, and why."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MailSettings(_Strict):
    """A mail server, and the users' addresses."""

    host: Annotated[str, Field(description="The SMTP server", min_length=1)]
    port: Annotated[int, Field(description="Its port", ge=1, le=65535)] = 587
    starttls: Annotated[bool, Field(description="True if the connection must be encrypted")] = True
    username: Annotated[str | None, Field(description="To log in with")] = None
    password: Annotated[str | None, Field(description="To log in with")] = None
    sender: Annotated[str, Field(description="The address that it comes from", pattern="@")]
    address: Annotated[
        str | None, Field(description="The users' addresses, {username}@example.org")
    ] = None
    addresses: Annotated[
        Path | None, Field(description="Or a CSV file of user and address; it goes before")
    ] = None
    address_from_auth_state: Annotated[
        str | None,
        Field(
            description="Or a field of the Hub's auth state, such as email; it goes before address",
            pattern=r"^[^.\s]+(\.[^.\s]+)*$",
        ),
    ] = None
    timeout_s: Annotated[float, Field(description="For one mail", gt=0, le=60)] = 20


class AppriseSettings(_Strict):
    """A service that Apprise knows."""

    name: Annotated[
        str, Field(description="Name that users see", pattern=r"^[A-Za-z0-9_.-]{1,40}$")
    ]
    url: Annotated[str, Field(description="An Apprise URL; {username} is filled in")]


class ChannelSettings(_Strict):
    """The file."""

    after: Annotated[
        timedelta, Field(description="Time that a message may be unread before it is sent")
    ] = timedelta(minutes=15)
    mail: Annotated[MailSettings | None, Field(description="Mail")] = None
    apprise: Annotated[list[AppriseSettings], Field(description="Other services")] = []

    @field_validator("after", mode="before")
    @classmethod
    def _read_span(cls, value: Any) -> Any:
        match = _SPAN.fullmatch(value) if isinstance(value, str) else None
        if match is not None:
            return timedelta(**{_UNITS[match[2]]: int(match[1])})
        if isinstance(value, timedelta):
            return value
        raise ValueError("must be a time such as 90s, 15m or 2h")


def read_channels(path: Path) -> ChannelSettings:
    """Read a file of channels.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    ChannelSettings
        The settings, with environment variables filled in.

    Raises
    ------
    ChannelsError
        If the file is not valid.
    """
    try:
        data = yaml.safe_load(path.read_text())
    except OSError as error:
        raise ChannelsError(f"{path} cannot be read: {error.strerror}") from None
    # For a date that does not exist YAML raises ValueError.
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ChannelsError(f"{path} is no YAML") from None
    try:
        return ChannelSettings.model_validate(_filled(data))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ChannelsError(f"{path}, {place}: {plain_reason(first)}") from None


def _filled(data: Any) -> Any:
    if isinstance(data, str):
        return _VARIABLE.sub(lambda match: os.environ.get(match[1], ""), data)
    if isinstance(data, dict):
        return {name: _filled(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_filled(value) for value in data]
    return data
