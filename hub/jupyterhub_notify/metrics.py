"""Metrics for Prometheus. Each pod runs one process, so no directory of metrics is shared."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "ALERTS",
    "CHANNEL_SENDS",
    "FEED_SECONDS",
    "PUBLISHED",
    "RECEIPTS",
    "REFUSED",
    "REQUESTS",
    "REQUEST_SECONDS",
    "STREAMS",
    "WRITE_SECONDS",
]

REQUESTS = Counter(
    "jupyterhub_notify_requests_total", "Requests answered", ["method", "route", "status"]
)
REQUEST_SECONDS = Histogram(
    "jupyterhub_notify_request_seconds", "Time until the answer began", ["route"]
)
STREAMS = Gauge("jupyterhub_notify_streams", "Open event streams of this process")
ALERTS = Counter(
    "jupyterhub_notify_alerts_total",
    "Alerts taken, and what kept them from a user",
    ["engine", "outcome"],
)
CHANNEL_SENDS = Counter(
    "jupyterhub_notify_channel_sends_total",
    "Messages sent over other channels",
    ["channel", "outcome"],
)
PUBLISHED = Counter("jupyterhub_notify_published_total", "Notifications published", ["kind"])
REFUSED = Counter("jupyterhub_notify_refused_total", "Publishers' requests refused", ["reason"])
RECEIPTS = Counter("jupyterhub_notify_receipts_total", "Receipts taken", ["state"])
FEED_SECONDS = Histogram(
    "jupyterhub_notify_feed_seconds", "Time to read a range of changes and give it to the streams"
)
WRITE_SECONDS = Histogram("jupyterhub_notify_write_seconds", "Time of one transaction")
