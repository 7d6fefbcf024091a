"""The database's tables."""

from __future__ import annotations

from .alerts import AlertProblem, Lease, RuleState
from .audit import AuditEntry
from .base import Base, UtcDateTime, new_id, now
from .broadcasts import Broadcast, BroadcastState, Delivery
from .channels import ChannelChoice, ChannelSend, ChannelSpread
from .counter import Counter, Epoch
from .notifications import OF_GROUPS, Notification, NotificationState
from .quiet import UserQuiet
from .servers import Server
from .templates import SavedTemplate
from .welcome import Welcome, WelcomeState

__all__ = [
    "OF_GROUPS",
    "AlertProblem",
    "AuditEntry",
    "Base",
    "Broadcast",
    "BroadcastState",
    "ChannelChoice",
    "ChannelSend",
    "ChannelSpread",
    "Counter",
    "Delivery",
    "Epoch",
    "Lease",
    "Notification",
    "NotificationState",
    "RuleState",
    "SavedTemplate",
    "Server",
    "UserQuiet",
    "UtcDateTime",
    "Welcome",
    "WelcomeState",
    "new_id",
    "now",
]
