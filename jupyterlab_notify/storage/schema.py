"""The tables, and the migrations from each version of the schema to the next."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from .database_file import Unusable
from .state import DISMISSED, INBOX, UNREAD

#: The migrations, numbered from 1. Each migrates the version before it to its own number.
#:
#: Some names are older than the terms used elsewhere: ``askers`` holds the leases of pollers,
#: ``listed`` the seen remote ids, and ``welcome.told`` whether a dismissal was delivered.
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
    """
    ALTER TABLE notifications ADD COLUMN via TEXT;
    """,
    """
    ALTER TABLE notifications ADD COLUMN closed_ms INTEGER;
    DROP INDEX pinned;
    CREATE INDEX pinned ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND closed_ms IS NULL
        AND (banner = 1 OR (read_ms IS NULL AND (auto_close = 'false' OR type = 'in-progress')));
    """,
    """
    CREATE TABLE quiet (
        source TEXT PRIMARY KEY,
        active INTEGER NOT NULL,
        until_ms INTEGER
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE notifications ADD COLUMN reply TEXT;
    ALTER TABLE notifications ADD COLUMN answer TEXT;
    ALTER TABLE notifications ADD COLUMN answered_ms INTEGER;
    ALTER TABLE outbox ADD COLUMN detail TEXT;
    """,
    """
    ALTER TABLE welcome ADD COLUMN accepted TEXT;
    """,
    """
    ALTER TABLE notifications ADD COLUMN countdown_ms INTEGER;
    """,
    """
    ALTER TABLE notifications ADD COLUMN image TEXT;
    CREATE TABLE pictures (
        id TEXT PRIMARY KEY,
        version TEXT NOT NULL,
        size INTEGER NOT NULL,
        data BLOB NOT NULL
    );
    CREATE TRIGGER picture_deleted AFTER DELETE ON notifications
    WHEN OLD.image IS NOT NULL BEGIN
        DELETE FROM pictures WHERE id = OLD.id;
    END;
    CREATE TRIGGER picture_ended AFTER UPDATE OF image, revoked_ms, expired_ms ON notifications
    WHEN OLD.image IS NOT NULL
        AND (NEW.image IS NULL OR coalesce(NEW.revoked_ms, NEW.expired_ms) IS NOT NULL)
    BEGIN
        DELETE FROM pictures WHERE id = OLD.id;
    END;
    """,
    # Snoozed rows are in no view but their own: the other views' indexes and counters omit them.
    """
    ALTER TABLE notifications ADD COLUMN snoozed_until_ms INTEGER;
    DROP INDEX inbox;
    DROP INDEX unread;
    DROP INDEX pinned;
    CREATE INDEX inbox ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND snoozed_until_ms IS NULL;
    CREATE INDEX unread ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND snoozed_until_ms IS NULL AND read_ms IS NULL;
    CREATE INDEX pinned ON notifications (position)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND snoozed_until_ms IS NULL AND closed_ms IS NULL
        AND (banner = 1 OR (read_ms IS NULL AND (auto_close = 'false' OR type = 'in-progress')));
    CREATE INDEX snoozed ON notifications (position, snoozed_until_ms)
        WHERE revoked_ms IS NULL AND expired_ms IS NULL AND dismissed_ms IS NULL
        AND snoozed_until_ms IS NOT NULL;
    DROP TRIGGER count_insert;
    DROP TRIGGER count_delete;
    DROP TRIGGER count_update;
    CREATE TRIGGER count_insert AFTER INSERT ON notifications BEGIN
        UPDATE state SET
            inbox = inbox + (coalesce(
                NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms, NEW.snoozed_until_ms) IS NULL),
            unread = unread + (coalesce(
                NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms, NEW.snoozed_until_ms,
                NEW.read_ms) IS NULL),
            dismissed = dismissed
                + (NEW.dismissed_ms IS NOT NULL
                    AND coalesce(NEW.revoked_ms, NEW.expired_ms) IS NULL),
            tombstones = tombstones
                + (coalesce(NEW.revoked_ms, NEW.expired_ms) IS NOT NULL);
    END;
    CREATE TRIGGER count_delete AFTER DELETE ON notifications BEGIN
        UPDATE state SET
            inbox = inbox - (coalesce(
                OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms, OLD.snoozed_until_ms) IS NULL),
            unread = unread - (coalesce(
                OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms, OLD.snoozed_until_ms,
                OLD.read_ms) IS NULL),
            dismissed = dismissed
                - (OLD.dismissed_ms IS NOT NULL
                    AND coalesce(OLD.revoked_ms, OLD.expired_ms) IS NULL),
            tombstones = tombstones
                - (coalesce(OLD.revoked_ms, OLD.expired_ms) IS NOT NULL);
    END;
    CREATE TRIGGER count_update
    AFTER UPDATE OF read_ms, dismissed_ms, snoozed_until_ms, revoked_ms, expired_ms
    ON notifications
    WHEN (OLD.read_ms IS NULL) <> (NEW.read_ms IS NULL)
        OR (OLD.dismissed_ms IS NULL) <> (NEW.dismissed_ms IS NULL)
        OR (OLD.snoozed_until_ms IS NULL) <> (NEW.snoozed_until_ms IS NULL)
        OR (OLD.revoked_ms IS NULL) <> (NEW.revoked_ms IS NULL)
        OR (OLD.expired_ms IS NULL) <> (NEW.expired_ms IS NULL)
    BEGIN
        UPDATE state SET
            inbox = inbox
                + (coalesce(NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms,
                    NEW.snoozed_until_ms) IS NULL)
                - (coalesce(OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms,
                    OLD.snoozed_until_ms) IS NULL),
            unread = unread
                + (coalesce(NEW.revoked_ms, NEW.expired_ms, NEW.dismissed_ms,
                    NEW.snoozed_until_ms, NEW.read_ms) IS NULL)
                - (coalesce(OLD.revoked_ms, OLD.expired_ms, OLD.dismissed_ms,
                    OLD.snoozed_until_ms, OLD.read_ms) IS NULL),
            dismissed = dismissed
                + (NEW.dismissed_ms IS NOT NULL
                    AND coalesce(NEW.revoked_ms, NEW.expired_ms) IS NULL)
                - (OLD.dismissed_ms IS NOT NULL
                    AND coalesce(OLD.revoked_ms, OLD.expired_ms) IS NULL),
            tombstones = tombstones
                + (coalesce(NEW.revoked_ms, NEW.expired_ms) IS NOT NULL)
                - (coalesce(OLD.revoked_ms, OLD.expired_ms) IS NOT NULL);
    END;
    """,
    # How often a sender reports, and when a silent sender last reported.
    """
    ALTER TABLE notifications ADD COLUMN heartbeat_ms INTEGER;
    ALTER TABLE notifications ADD COLUMN stopped_ms INTEGER;
    """,
    # When a message expired that is kept because the user had read or dismissed it.
    """
    ALTER TABLE notifications ADD COLUMN ended_ms INTEGER;
    """,
    # When the user changed an entry, and the central service's time of that change. NULL: the
    # service was not told yet.
    """
    ALTER TABLE quiet ADD COLUMN changed_ms INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE quiet ADD COLUMN stamp INTEGER;
    """,
    # What the clock has shown, and the content of what has expired by a clock in doubt: the columns
    # that a tombstone loses. Its picture is held where it lies.
    """
    ALTER TABLE state ADD COLUMN reached_ms INTEGER;
    ALTER TABLE state ADD COLUMN clock_ms INTEGER;
    ALTER TABLE state ADD COLUMN steady_ms INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE held (
        id TEXT PRIMARY KEY,
        source TEXT NOT NULL,
        until_ms INTEGER NOT NULL,
        key TEXT,
        message TEXT NOT NULL,
        body TEXT,
        actions TEXT NOT NULL,
        reply TEXT,
        image TEXT,
        progress REAL,
        data TEXT,
        countdown_ms INTEGER,
        answer TEXT,
        fetched INTEGER NOT NULL
    );
    CREATE INDEX held_until ON held (until_ms);
    DROP TRIGGER picture_ended;
    CREATE TRIGGER picture_ended AFTER UPDATE OF image, revoked_ms, expired_ms ON notifications
    WHEN OLD.image IS NOT NULL
        AND (NEW.image IS NULL OR coalesce(NEW.revoked_ms, NEW.expired_ms) IS NOT NULL)
        AND NOT EXISTS (SELECT 1 FROM held WHERE id = OLD.id)
    BEGIN
        DELETE FROM pictures WHERE id = OLD.id;
    END;
    CREATE TRIGGER held_deleted AFTER DELETE ON held
    WHEN OLD.image IS NOT NULL BEGIN
        DELETE FROM pictures WHERE id = OLD.id AND NOT EXISTS (
            SELECT 1 FROM notifications WHERE id = OLD.id AND image IS NOT NULL
        );
    END;
    """,
)

SCHEMA_VERSION = len(MIGRATIONS)

#: The tables, and the triggers and indexes that decide what may be stored in them.
TABLES = frozenset(
    ("askers", "held", "listed", "notifications", "outbox", "pictures", "quiet", "state", "welcome")
)
TRIGGERS = frozenset(
    (
        *("count_delete", "count_insert", "count_update", "held_deleted"),
        *("picture_deleted", "picture_ended"),
    )
)
UNIQUE_INDEXES = frozenset(("by_key",))
_OBJECTS = frozenset(
    (kind, name)
    for kind, names in (("table", TABLES), ("trigger", TRIGGERS), ("index", UNIQUE_INDEXES))
    for name in names
)
#: As its index has it.
_TOMBSTONES = "revoked_ms IS NOT NULL OR expired_ms IS NOT NULL"
#: Sets counters right that are not the numbers of rows: somebody has changed them.
_RECOUNT = " ".join(
    (
        "UPDATE state SET (inbox, unread, dismissed, tombstones) =",
        "(SELECT counted.a, counted.b, counted.c, counted.d FROM (SELECT",
        ", ".join(
            f"(SELECT count(*) FROM notifications WHERE {where}) AS {name}"
            for name, where in zip("abcd", (INBOX, UNREAD, DISMISSED, _TOMBSTONES), strict=True)
        ),
        ") AS counted)",
        # Of another kind they are a matter for ``load_state``.
        "WHERE typeof(inbox) = 'integer' AND typeof(unread) = 'integer'",
        "AND typeof(dismissed) = 'integer' AND typeof(tombstones) = 'integer'",
    )
)


def migrate(db: sqlite3.Connection, inode: int, path: Path | None) -> None:
    """Migrate a database to the present schema, and give a new or copied one an epoch.

    Parameters
    ----------
    db
        The connection.
    inode
        The file's inode; 0 for memory.
    path
        The file's path, for the error.

    Raises
    ------
    Unusable
        If a newer version wrote the database.
    sqlite3.DatabaseError
        If its tables are not those of its version.
    """
    # Locked even if there is nothing to migrate, to check that the file can be written.
    db.execute("BEGIN IMMEDIATE")
    try:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise Unusable(
                f"the database {path} was written by a newer version (its schema is "
                f"{version}, this version knows {SCHEMA_VERSION})"
            )
        if version < 0:
            raise sqlite3.DatabaseError(f"malformed: its schema is {version}")
        for number in range(version, SCHEMA_VERSION):
            for statement in statements(MIGRATIONS[number]):
                db.execute(statement)
        if version < SCHEMA_VERSION:
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        check_objects(db)
        epoch = os.urandom(8).hex()
        # Some file systems use 64 bits or more for an inode; SQLite's integers have 63.
        inode &= 2**63 - 1
        db.execute(
            "INSERT OR IGNORE INTO state "
            "(one, epoch, inode, seq, pruned, inbox, unread, dismissed, tombstones) "
            "VALUES (1, ?, ?, 0, 0, 0, 0, 0, 0)",
            (epoch, inode),
        )
        db.execute(_RECOUNT)
        # Another inode means that the file is a copy or was restored from a backup. It may use the
        # sequence numbers of existing cursors again.
        db.execute("UPDATE state SET epoch = ?, inode = ? WHERE inode <> ?", (epoch, inode, inode))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
        raise


def check_objects(db: sqlite3.Connection) -> None:
    """Check the tables of a database of the present version, and what decides on their rows.

    Raises
    ------
    sqlite3.DatabaseError
        If one is missing or something else, or there is a trigger or a unique index more.
    """
    names = ", ".join(f"'{name}'" for name in sorted(TABLES))
    found = db.execute(
        f"SELECT type, name FROM sqlite_master WHERE tbl_name IN ({names}) "
        "AND (type IN ('table', 'view', 'trigger') OR sql LIKE 'create unique index%')"
    )
    if set(found) != _OBJECTS:
        raise sqlite3.DatabaseError("malformed: its tables are not those of its version")


def statements(script: str) -> Iterator[str]:
    """Split a script into statements, since ``executescript`` would commit first."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
