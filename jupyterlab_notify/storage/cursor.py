"""How far a tab has come."""

from __future__ import annotations

from typing import NamedTuple


class Cursor(NamedTuple):
    """A store's epoch, and the highest ``seq`` applied."""

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """Read ``epoch:seq``; anything else is no cursor, which costs one snapshot."""
        epoch, colon, seq = (text or "").partition(":")
        if not colon or not seq.isascii() or not seq.isdigit() or len(seq) > 16:
            return None
        return cls(epoch, int(seq))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


class StreamPosition(NamedTuple):
    """What a tab compares: the store's cursor, and the version of the welcome messages."""

    cursor: Cursor
    welcome: int
