"""What the states of a notification mean, in SQL; ``src/state.ts`` says the same in TypeScript.

A test compares the two on every combination. The indexes in ``schema`` repeat these conditions
word for word: SQLite uses a partial index only for the condition that it was made with.
"""

from __future__ import annotations

#: Neither revoked nor expired. All others are tombstones.
ACTIVE = "revoked_ms IS NULL AND expired_ms IS NULL"
INBOX = f"{ACTIVE} AND dismissed_ms IS NULL"
UNREAD = f"{INBOX} AND read_ms IS NULL"
DISMISSED = f"{ACTIVE} AND dismissed_ms IS NOT NULL"
#: What must be in sight however old it is: banners, and what does not close by itself.
PINNED = (
    f"{INBOX} AND (banner = 1 OR (read_ms IS NULL AND "
    "(auto_close = 'false' OR type = 'in-progress')))"
)

#: The conditions of the list's views, by the name in the query.
VIEWS = {"inbox": INBOX, "unread": UNREAD, "dismissed": DISMISSED}
