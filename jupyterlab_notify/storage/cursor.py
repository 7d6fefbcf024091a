"""Cursors: which changes a tab has applied."""

from __future__ import annotations

from typing import NamedTuple


class Cursor(NamedTuple):
    """A store's epoch, and the highest ``seq`` applied."""

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """Parse ``epoch:seq``; return None for anything else, which costs a snapshot."""
        epoch, colon, seq = (text or "").partition(":")
        if not colon or not seq.isascii() or not seq.isdigit() or len(seq) > 16:
            return None
        return cls(epoch, int(seq))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


class StreamPosition(NamedTuple):
    """The store's cursor and the version of the welcome messages, which a tab compares."""

    cursor: Cursor
    welcome: int
