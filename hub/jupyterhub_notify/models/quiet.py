"""Do not disturb and muted sources of a user, on all of their servers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from .common import Model, Text, Utc

__all__ = ["ChangeQuiet", "Quiet", "QuietChange", "QuietEntry"]

#: Maximum number of entries of one user; more than a lab lets its user mute.
MOST = 200

_SOURCE = Field(
    title="Source",
    description="The source that is muted, or no longer; empty: do-not-disturb",
    max_length=255,
)
_ON = Field(title="On", description="True if the source is muted, or do-not-disturb is on")
_UNTIL = Field(
    title="Until", description="Time at which it ends by itself; null: when the user says so"
)


class QuietEntry(Model):
    """One source, or do-not-disturb."""

    source: Annotated[Text, _SOURCE]
    on: Annotated[bool, _ON]
    until: Annotated[Utc | None, _UNTIL] = None
    stamp: Annotated[
        int,
        Field(title="Stamp", description="Time of the user's change, in ms: the last counts"),
    ]


class Quiet(Model):
    """All that a user ever changed; what is off stays listed for a while."""

    entries: Annotated[list[QuietEntry], Field(title="Entries", description="By source")]


class QuietChange(Model):
    """A change of one source, or of do-not-disturb."""

    source: Annotated[Text, _SOURCE]
    on: Annotated[bool, _ON]
    until: Annotated[Utc | None, _UNTIL] = None
    age_ms: Annotated[
        int,
        Field(
            title="Age",
            description="Time since the user changed it: a lab may have been offline, and its "
            "clock may be wrong",
            ge=0,
            lt=2**53,
        ),
    ] = 0


class ChangeQuiet(Model):
    """Changes, each of which counts unless a later one is known."""

    entries: Annotated[
        list[QuietChange], Field(title="Entries", description="The changes", max_length=MOST)
    ]

    @model_validator(mode="after")
    def _once(self) -> ChangeQuiet:
        if len({entry.source for entry in self.entries}) < len(self.entries):
            raise ValueError("name each source once")
        return self
