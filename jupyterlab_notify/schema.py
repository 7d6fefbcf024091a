"""The schema: the tables, their versions, and how a row reads on the wire.

Shared by ``database`` and ``rescue``, which keep the file usable and what it holds, and ``store``,
which knows what rows mean.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any, NamedTuple

Row = dict[str, Any]


class Cursor(NamedTuple):
    """How far a tab has come: a store's epoch, and the highest ``seq`` applied."""

    epoch: str
    seq: int

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        """Read ``epoch:seq``; anything else is no cursor, which costs one snapshot."""
        epoch, colon, seq = (text or "").partition(":")
        if not colon or not seq.isascii() or not seq.isdigit() or len(seq) > 16:
            return None
        return cls(epoch, int(seq))

    def __str__(self) -> str:
        return f"{self.epoch}:{self.seq}"


#: Numbered from 1, in order; each brings the schema from the version before to its number.
MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE state (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch TEXT NOT NULL,
        inode INTEGER NOT NULL,
        seq INTEGER NOT NULL,
        pruned INTEGER NOT NULL,
        inbox INTEGER NOT NULL,
        unread INTEGER NOT NULL,
        dismissed INTEGER NOT NULL,
        tombstones INTEGER NOT NULL,
        welcome INTEGER NOT NULL DEFAULT 0,
        muted_ms INTEGER
    );
    CREATE TABLE notifications (
        position INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        seq INTEGER NOT NULL UNIQUE,
        source TEXT NOT NULL,
        key TEXT,
        type TEXT NOT NULL,
        message TEXT NOT NULL,
        markdown INTEGER NOT NULL,
        body TEXT,
        auto_close TEXT,
        actions TEXT NOT NULL,
        progress REAL,
        banner INTEGER NOT NULL,
        dismissable INTEGER NOT NULL,
        data TEXT,
        created_ms INTEGER NOT NULL,
        updated_ms INTEGER NOT NULL,
        expires_ms INTEGER,
        interrupt_ms INTEGER,
        read_ms INTEGER,
        dismissed_ms INTEGER,
        revoked_ms INTEGER,
        expired_ms INTEGER,
        origin TEXT NOT NULL DEFAULT 'ingest',
        central TEXT,
        remote TEXT,
        fetched INTEGER NOT NULL DEFAULT 1
    );
    CREATE INDEX inbox ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL;
    CREATE INDEX unread ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND read_ms IS NULL;
    CREATE INDEX dismissed ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NOT NULL;
    CREATE INDEX pinned ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND (banner = 1 OR (read_ms IS NULL AND (auto_close = 'false' OR type = 'in-progress')));
    CREATE UNIQUE INDEX by_key ON notifications (source, key)
        WHERE key IS NOT NULL AND revoked_ms IS NULL AND expired_ms IS NULL;
    CREATE INDEX keys ON notifications (key) WHERE key IS NOT NULL;
    CREATE INDEX expiring ON notifications (expires_ms)
        WHERE expires_ms IS NOT NULL AND revoked_ms IS NULL AND expired_ms IS NULL;
    CREATE INDEX interrupting ON notifications (interrupt_ms)
        WHERE interrupt_ms IS NOT NULL AND revoked_ms IS NULL AND expired_ms IS NULL;
    CREATE INDEX by_remote ON notifications (central, origin, remote) WHERE remote IS NOT NULL;
    CREATE INDEX tombstones ON notifications (seq)
        WHERE revoked_ms IS NOT NULL OR expired_ms IS NOT NULL;
    CREATE TRIGGER count_insert AFTER INSERT ON notifications BEGIN
        UPDATE state SET
            inbox = inbox
                + (coalesce(NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms) IS NULL),
            unread = unread
                + (coalesce(NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms, NEW.read_ms) IS NULL),
            dismissed = dismissed
                + (NEW.dismissed_ms IS NOT NULL
                    AND coalesce(NEW.revoked_ms, NEW.expired_ms) IS NULL),
            tombstones = tombstones
                + (coalesce(NEW.revoked_ms, NEW.expired_ms) IS NOT NULL);
    END;
    CREATE TRIGGER count_delete AFTER DELETE ON notifications BEGIN
        UPDATE state SET
            inbox = inbox
                - (coalesce(OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms) IS NULL),
            unread = unread
                - (coalesce(OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms, OLD.read_ms) IS NULL),
            dismissed = dismissed
                - (OLD.dismissed_ms IS NOT NULL
                    AND coalesce(OLD.revoked_ms, OLD.expired_ms) IS NULL),
            tombstones = tombstones
                - (coalesce(OLD.revoked_ms, OLD.expired_ms) IS NOT NULL);
    END;
    CREATE TRIGGER count_update
    AFTER UPDATE OF read_ms, dismissed_ms, revoked_ms, expired_ms ON notifications
    WHEN (OLD.read_ms IS NULL) <> (NEW.read_ms IS NULL)
        OR (OLD.dismissed_ms IS NULL) <> (NEW.dismissed_ms IS NULL)
        OR (OLD.revoked_ms IS NULL) <> (NEW.revoked_ms IS NULL)
        OR (OLD.expired_ms IS NULL) <> (NEW.expired_ms IS NULL)
    BEGIN
        UPDATE state SET
            inbox = inbox
                + (coalesce(NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms) IS NULL)
                - (coalesce(OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms) IS NULL),
            unread = unread
                + (coalesce(NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms, NEW.read_ms) IS NULL)
                - (coalesce(OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms, OLD.read_ms) IS NULL),
            dismissed = dismissed
                + (NEW.dismissed_ms IS NOT NULL
                    AND coalesce(NEW.revoked_ms, NEW.expired_ms) IS NULL)
                - (OLD.dismissed_ms IS NOT NULL
                    AND coalesce(OLD.revoked_ms, OLD.expired_ms) IS NULL),
            tombstones = tombstones
                + (coalesce(NEW.revoked_ms, NEW.expired_ms) IS NOT NULL)
                - (coalesce(OLD.revoked_ms, OLD.expired_ms) IS NOT NULL);
    END;
    CREATE TABLE listed (
        central TEXT NOT NULL,
        remote TEXT NOT NULL,
        PRIMARY KEY (central, remote)
    ) WITHOUT ROWID;
    CREATE TABLE outbox (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        central TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        claimed_by TEXT,
        claimed_ms INTEGER
    );
    CREATE INDEX outbox_subject ON outbox (central, subject);
    CREATE TABLE welcome (
        id TEXT PRIMARY KEY,
        central TEXT,
        content TEXT,
        listed INTEGER NOT NULL DEFAULT 0,
        views INTEGER NOT NULL DEFAULT 0,
        dismissed_ms INTEGER,
        told INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE askers (
        central TEXT NOT NULL,
        owner TEXT NOT NULL,
        asked_ms INTEGER NOT NULL,
        PRIMARY KEY (central, owner)
    ) WITHOUT ROWID;
    INSERT INTO askers
        SELECT central, '', CAST(strftime('%s', 'now') AS INTEGER) * 1000 FROM (
            SELECT central FROM outbox UNION SELECT central FROM listed
            UNION SELECT central FROM notifications WHERE central IS NOT NULL
        );
    """,
)

SCHEMA_VERSION = len(MIGRATIONS)

ACTIVE = "revoked_ms IS NULL AND expired_ms IS NULL"
INBOX = f"{ACTIVE} AND dismissed_ms IS NULL"
UNREAD = f"{INBOX} AND read_ms IS NULL"
DISMISSED = f"{ACTIVE} AND dismissed_ms IS NOT NULL"
PINNED = (
    f"{INBOX} AND (banner = 1 OR (read_ms IS NULL AND "
    "(auto_close = 'false' OR type = 'in-progress')))"
)
VIEWS = {"inbox": INBOX, "unread": UNREAD, "dismissed": DISMISSED}

#: What lists and streams carry: all but the texts that only an opened message shows.
HAS_BODY = "body IS NOT NULL OR fetched = 0"
COLUMNS = (
    f"id, seq, position, source, key, type, message, markdown, {HAS_BODY}, auto_close, "
    "actions, progress, banner, dismissable, created_ms, updated_ms, expires_ms, read_ms, "
    "dismissed_ms, revoked_ms, expired_ms, origin"
)
#: What a sender says, and what therefore makes two messages the same.
CONTENT = (
    "type", "message", "markdown", "body", "auto_close", "actions", "progress", "banner",
    "dismissable", "data",
)  # fmt: skip
SELECT = f"SELECT {COLUMNS} FROM notifications"
#: A tombstone keeps nothing of what was said.
BURY = """
    UPDATE notifications SET
        seq = ?, {column} = ?, key = NULL, message = '', body = NULL, data = NULL, actions = '[]',
        progress = NULL, fetched = 1
    WHERE id = ?"""


def statements(script: str) -> Iterator[str]:
    """Split a script into statements, triggers whole; ``executescript`` would commit first."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def rfc3339(ms: int | None) -> str | None:
    """Return milliseconds since 1970 as an RFC 3339 time in UTC."""
    if ms is None:
        return None
    # A datetime of years past 9999 cannot be made; no such time is let in.
    stamp = datetime.fromtimestamp(ms / 1000, timezone.utc)
    return stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def to_wire(row: tuple[Any, ...]) -> Row:
    """Return a row of ``COLUMNS`` in the shape of ``models.Notification``.

    Raises
    ------
    sqlite3.DatabaseError
        If it holds what was never stored: the file is corrupt.
    """
    try:
        return {
            "id": row[0],
            "seq": row[1],
            "position": row[2],
            "source": row[3],
            "key": row[4],
            "type": row[5],
            "message": row[6],
            "markdown": bool(row[7]),
            "hasBody": bool(row[8]),
            "autoClose": None if row[9] is None else json.loads(row[9]),
            "actions": json.loads(row[10]),
            "progress": row[11],
            "banner": bool(row[12]),
            "dismissable": bool(row[13]),
            "created": rfc3339(row[14]),
            "updated": rfc3339(row[15]),
            "expiresAt": rfc3339(row[16]),
            "read": rfc3339(row[17]),
            "dismissed": rfc3339(row[18]),
            "revoked": rfc3339(row[19]),
            "expired": rfc3339(row[20]),
            "origin": row[21],
        }
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise sqlite3.DatabaseError(f"malformed row: {error}") from error
