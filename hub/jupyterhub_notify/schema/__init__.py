"""The database's tables."""

from __future__ import annotations

from .audit import AuditEntry
from .base import Base, UtcDateTime, now
from .broadcasts import Broadcast, BroadcastState, Delivery
from .counter import Counter
from .notifications import Notification, NotificationState
from .servers import Server
from .welcome import Welcome, WelcomeState

__all__ = [
    "AuditEntry",
    "Base",
    "Broadcast",
    "BroadcastState",
    "Counter",
    "Delivery",
    "Notification",
    "NotificationState",
    "Server",
    "UtcDateTime",
    "Welcome",
    "WelcomeState",
    "now",
]
