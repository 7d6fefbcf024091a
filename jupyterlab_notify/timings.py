"""Every wait and interval of the server side, in one place.

``app`` makes one ``Timings`` and hands its parts down; tests hand in shorter ones. They are named
tuples, which are made faster at a server's start than frozen dataclasses.
"""

from __future__ import annotations

from typing import NamedTuple


class StorageTimings(NamedTuple):
    """The waits and intervals of storage."""

    #: Pause before a file that failed is tried again.
    heal_interval_s: float = 10.0
    #: Time that another process may hold the file's lock: hubs give up after five seconds.
    busy_timeout_s: float = 3.0
    #: The same while the file is known to fail: nobody should wait for it long.
    retry_timeout_s: float = 0.2
    #: Time for which an idle file on a shared file system is only checked by its status, without a
    #: lock. There each lock is a request. But a host may cache a file's status for some seconds.
    quiet_s: float = 5.0
    #: Interval between checks of retention.
    prune_interval_s: float = 3600.0
    #: Time that a sender found silent still has for a heartbeat before it counts as dead. The clock
    #: of the server that received the last heartbeat may differ from this server's, this process
    #: may have been suspended, and this project's own senders send a heartbeat every ten seconds.
    second_look_ms: int = 15_000


class SourceTimings(NamedTuple):
    """The intervals of sources besides the configured one."""

    #: Interval at which the welcome files are read.
    files_interval_s: float = 60.0
    #: Time that an answer waits for the welcome files: their folder may hang.
    files_timeout_s: float = 2.0
    #: Interval at which the home directory is checked, if the site has turned that on.
    home_interval_s: float = 300.0
    #: Interval at which a server renews its lease on its central service.
    lease_renewal_s: float = 300.0
    #: Time after which all messages are compared even if nothing seems to have changed.
    full_comparison_s: float = 600.0
    #: Time over which the labs of a hub spread their hello to its service, and their full requests.
    hello_spread_s: float = 5.0


class Timings(NamedTuple):
    """All waits and intervals."""

    #: Interval between checks for changes by other servers of this home directory.
    watch_interval_s: float = 1.0
    storage: StorageTimings = StorageTimings()
    sources: SourceTimings = SourceTimings()
