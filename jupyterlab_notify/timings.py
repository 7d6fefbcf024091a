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
    #: The same while the file is known not to work: nobody is kept waiting for it.
    retry_timeout_s: float = 0.2
    #: Time for which an idle file on a shared file system is only looked at from outside. There
    #: each lock is a request, and each host may keep what it knows of a file for some seconds.
    quiet_s: float = 5.0
    #: Interval between checks of retention.
    prune_interval_s: float = 3600.0
    #: Time in which nothing must change after a sender is found silent, before it counts as dead.
    #: The clock of the server that heard it may differ from this one's, this process may have
    #: slept, and this project's own senders say every ten seconds that they live.
    second_look_ms: int = 15_000


class SourceTimings(NamedTuple):
    """The intervals of sources besides the configured one."""

    #: Interval at which the welcome files are read.
    files_interval_s: float = 60.0
    #: Time that an answer waits for the welcome files: their folder may hang.
    files_timeout_s: float = 2.0
    #: Interval at which the home directory is looked at, where the site wants it.
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
