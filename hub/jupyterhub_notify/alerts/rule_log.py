"""Logs the problem of a rule once, rather than at each run."""

from __future__ import annotations

import structlog

__all__ = ["RuleLog"]


class RuleLog:
    """The last logged problem of each rule; the file of rules itself has the name ``""``."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self._log = structlog.get_logger("jupyterhub_notify.rules")

    def problem(self, name: str, message: str) -> None:
        """Log a problem, unless it is the one that was logged last."""
        if self._last.get(name) != message:
            self._last[name] = message
            self._log.error("A rule cannot be run", rule=name, reason=message)

    def is_well(self, name: str) -> None:
        """Forget a rule's problem, so that the next one is logged even if it is the same."""
        self._last.pop(name, None)

    def acted(self, name: str, step: str, failure: str | None) -> None:
        """Log the call of an action."""
        self._log.info("A rule acts", rule=name, step=step, failure=failure)
