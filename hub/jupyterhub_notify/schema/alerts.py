"""Tables of alerts that reach nobody, of the states of our own rules, and of leases."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from .base import Base

__all__ = ["AlertProblem", "Lease", "RuleState"]


class AlertProblem(Base):
    """A reason why alerts reach nobody, for the administrator's page."""

    __tablename__ = "alert_problems"

    #: ``alertmanager`` or ``grafana``.
    engine: Mapped[str] = mapped_column(primary_key=True)
    #: ``no-user-label``, ``unknown-user`` and the like.
    reason: Mapped[str] = mapped_column(primary_key=True)
    #: The user's or the alert's name.
    subject: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(Integer)
    first: Mapped[datetime]
    last: Mapped[datetime]


class RuleState(Base):
    """The state of one rule for one user; no row means normal."""

    __tablename__ = "rule_states"

    rule: Mapped[str] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(primary_key=True)
    #: The levels, times and action, in the form of `UserState.to_json` in ``alerts/evaluation.py``.
    state: Mapped[dict[str, Any]]
    updated: Mapped[datetime]


class Lease(Base):
    """A duty that one replica has at a time: its holder, and until when."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]
