"""How much is kept."""

from __future__ import annotations


class Retention:
    """The bounds of what is kept.

    Parameters
    ----------
    days
        The maximum age; 0 for no limit.
    count
        The maximum number of notifications; 0 for no limit.
    size
        The maximum size in bytes; 0 for no limit.
    always
        How many of the newest stay, however old they are.
    """

    __slots__ = ("always", "count", "days", "size")

    def __init__(
        self,
        days: float = 90,
        count: int = 10_000,
        size: int = 64_000_000,
        always: int = 100,
    ) -> None:
        self.always = always
        self.days = days
        self.count = count
        self.size = size
