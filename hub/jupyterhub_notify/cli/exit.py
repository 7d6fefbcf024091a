"""The early end of a verb: one sentence and an exit code."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """End the command with one sentence.

    Parameters
    ----------
    message
        What went wrong.
    code
        1 if the service refused or did not answer, 2 for bad usage, 3 if some recipients failed.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
