"""A clock that is wrong deletes nothing, and rows that were never stored are set aside."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

from jupyterlab_notify.exceptions import NotFound, NotifyError
from jupyterlab_notify.storage import Storage

from ...support.storage import Boot, Clock, check_sound, do, live, receive

DAY_S = 86_400


@pytest.fixture
def boot(clock: Clock) -> Boot:
    return Boot(clock)


@pytest.mark.parametrize("ahead_days", [100, 36_500, -100])
def test_a_clock_that_is_wrong_at_boot_deletes_nothing(
    path: Path, boot: Boot, ahead_days: int
) -> None:
    store = boot.open(path, always=3)
    for number in range(150):
        receive(store, str(number))
    store.close()
    boot.clock.forward(ahead_days * DAY_S)
    store = boot.open(path, always=3)
    receive(store, "at the wrong time")
    assert store.engine.prune() == 0
    boot.forward(DAY_S / 2)
    # Somebody corrects the clock.
    boot.clock.forward(-ahead_days * DAY_S)
    receive(store, "at the right time")
    assert store.engine.prune() == 0
    store.close()
    store = boot.open(path, always=3)
    receive(store, "later")
    assert store.engine.prune() == 0
    assert len(live(store)) == 153
    store.close()


def test_a_clock_that_was_consistent_for_a_day_is_believed(path: Path, boot: Boot) -> None:
    store = boot.open(path, always=100)
    for number in range(150):
        receive(store, str(number))
    store.close()
    boot.forward(100 * DAY_S)
    store = boot.open(path, always=100)
    receive(store, "after a long time")
    assert store.engine.prune() == 0
    boot.forward(DAY_S + 1)
    assert store.engine.prune() == 51, "the newest hundred are always kept"
    assert len(live(store)) == 100
    store.close()


TAMPERED = {
    "a blob as message": "UPDATE notifications SET message = x'ff00' WHERE message = '3'",
    "a blob as source": "UPDATE notifications SET source = x'41' WHERE message = '3'",
    "no state": "DELETE FROM state",
    "the largest number": "UPDATE notifications SET seq = 9223372036854775807 WHERE message = '3'",
    "the largest state": "UPDATE state SET seq = 9223372036854775807",
    "a state that is no UTF-8": "UPDATE state SET seq = CAST(x'eda080' AS TEXT)",
    "a state that is text": "UPDATE state SET seq = 'x'",
    "a negative state": "UPDATE state SET seq = -1",
    "a row's number that is text": "UPDATE notifications SET seq = 'x' WHERE message = '3'",
    "a time that is text": "UPDATE notifications SET expires_ms = 'x' WHERE message = '3'",
    "a time that is a blob": "UPDATE notifications SET interrupt_ms = x'ff' WHERE message = '3'",
    "actions nested too deep": "UPDATE notifications SET "
    f"actions = '{'[' * 5000}' WHERE message = '3'",
    "a state's number that is too large": "UPDATE state SET welcome = 9223372036854775807",
    "a state's time that is text": "UPDATE state SET muted_ms = 'x'",
    "actions that are none": "UPDATE notifications SET actions = '[1, null]' WHERE message = '3'",
    "an epoch that is a blob": "UPDATE state SET epoch = x'ff'",
    "an action without a label": "UPDATE notifications SET actions = '[{}]' WHERE message = '3'",
    "a question without choices": "UPDATE notifications SET reply = '{}' WHERE message = '3'",
    "a question of nothing": "UPDATE notifications SET reply = 'null' WHERE message = '3'",
    "choices that are a text": "UPDATE notifications SET "
    """reply = '{"choices": "ab", "text": true}' WHERE message = '3'""",
    "a picture without a version": "UPDATE notifications SET image = '{}' WHERE message = '3'",
    "a count that is a blob": "UPDATE state SET inbox = x'ff00'",
    "a count of what is done that is text": "UPDATE state SET dismissed = 'x'",
    "an infinite count": "UPDATE state SET unread = 9e999",
    "an infinite share": "UPDATE notifications SET progress = 9e999 WHERE message = '3'",
    "a share that is text": "UPDATE notifications SET progress = 'x' WHERE message = '3'",
    "an infinite time in JSON": "UPDATE notifications SET auto_close = '1e999' WHERE message = '3'",
    "no number in JSON": "UPDATE notifications SET "
    """actions = '[{"label": "l", "args": {"n": NaN}}]' WHERE message = '3'""",
    "a time that is a list": "UPDATE notifications SET auto_close = '[1]' WHERE message = '3'",
    "a question that is a list": "UPDATE notifications SET reply = '[1]' WHERE message = '3'",
    "a picture that is a text": """UPDATE notifications SET image = '"x"' WHERE message = '3'""",
    "a row's number that is an empty text": "UPDATE notifications SET seq = '' WHERE message = '3'",
}


@pytest.mark.parametrize("name", TAMPERED)
@pytest.mark.parametrize("is_open", [True, False])
def test_tampered_rows_are_set_aside_and_begun_anew(
    path: Path, clock: Clock, name: str, is_open: bool
) -> None:
    store = Storage(path, clock=clock)
    for number in range(5):
        receive(store, str(number))
    if not is_open:
        store.close()
    db = sqlite3.connect(path)
    db.execute(TAMPERED[name])
    db.commit()
    db.close()
    if not is_open:
        store = Storage(path, clock=clock)
    receive(store, "new")
    for id_, row in live(store).items():
        if row["reply"] is not None or row["message"] == "3":
            with suppress(NotifyError):
                do(store, lambda tx, id_=id_: store.replies.reply(tx, id_, "yes"))
    found = {row["message"] for row in live(store).values()}
    assert "new" in found and {"0", "1", "2", "4"} <= found, "what is sound is kept"
    assert store.engine.durable
    assert [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    store.close()


FOREIGN = {
    "no table": "DROP TABLE notifications",
    "no state": "DROP TABLE state",
    "no table of answers to come": "DROP TABLE outbox",
    "a column of another name": "ALTER TABLE notifications RENAME COLUMN message TO text",
    "a view": "ALTER TABLE notifications RENAME TO hidden;"
    "CREATE VIEW notifications AS SELECT * FROM hidden",
    "an earlier version's number": "PRAGMA user_version = 3",
    "no version's number": "PRAGMA user_version = 0",
    "a trigger that refuses": "CREATE TRIGGER odd BEFORE INSERT ON notifications "
    "BEGIN SELECT RAISE(ABORT, 'no'); END",
    "a trigger that refuses changes of the state": "CREATE TRIGGER odd BEFORE UPDATE ON state "
    "BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
    "a trigger that stores nothing": "CREATE TRIGGER odd BEFORE INSERT ON notifications "
    "BEGIN SELECT RAISE(IGNORE); END",
    "a trigger that deletes": "CREATE TRIGGER odd AFTER INSERT ON notifications "
    "BEGIN DELETE FROM notifications; END",
    "no trigger that counts": "DROP TRIGGER count_insert",
    "a unique index more": "CREATE UNIQUE INDEX odd ON notifications (message)",
    "no unique index of keys": "DROP INDEX by_key",
    "a view of do-not-disturb": "ALTER TABLE quiet RENAME TO hidden;"
    "CREATE VIEW quiet AS SELECT * FROM hidden",
    "a negative version's number": "PRAGMA user_version = -1",
    "a trigger of nothing": "CREATE TRIGGER odd AFTER INSERT ON notifications "
    "BEGIN SELECT unheard_of(1); END",
}


def tamper(path: Path, script: str) -> None:
    """Change a database as another program would."""
    db = sqlite3.connect(path)
    db.executescript(script)
    db.close()


@pytest.mark.parametrize("name", FOREIGN)
def test_tables_that_are_not_those_of_their_version_are_set_aside_and_begun_anew(
    path: Path, clock: Clock, name: str
) -> None:
    store = Storage(path, clock=clock)
    receive(store, "old")
    store.close()
    tamper(path, FOREIGN[name])
    store = Storage(path, clock=clock)
    receive(store, "new")
    do(store, lambda tx: tx.execute("SELECT count(*) FROM outbox").fetchone())
    texts = {row["message"] for row in live(store).values()}
    assert "new" in texts
    # What is there under its own name is kept, whatever the version's number says.
    assert ("old" in texts) is (name not in ("no table", "no state", "a column of another name"))
    assert store.engine.durable
    assert [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    store.close()


REFUSALS = {
    name: sql
    for name, sql in FOREIGN.items()
    if name in ("a trigger that refuses", "a trigger that stores nothing", "a unique index more")
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_refuses_messages_while_the_file_is_in_use_is_set_aside(
    path: Path, clock: Clock, name: str
) -> None:
    store = Storage(path, clock=clock)
    receive(store, "old")
    tamper(path, REFUSALS[name])
    receive(store, "new")
    receive(store, "new")
    assert sorted(row["message"] for row in live(store).values()) == ["new", "new", "old"]
    assert store.engine.durable
    assert [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    store.close()
    check_sound(path)


@pytest.mark.parametrize("sql", ["inbox = 999", "unread = -5, dismissed = 7", "tombstones = -3"])
def test_counts_that_are_wrong_are_set_right_at_the_next_start(
    path: Path, clock: Clock, sql: str
) -> None:
    store = Storage(path, clock=clock)
    for number in range(5):
        receive(store, str(number))
    store.close()
    db = sqlite3.connect(path)
    db.execute(f"UPDATE state SET {sql}")
    db.commit()
    db.close()
    store = Storage(path, clock=clock)
    receive(store, "new")
    counts = do(store, store.notifications.counts, write=False)
    assert counts == {"inbox": 6, "unread": 6, "dismissed": 0, "snoozed": 0}
    assert not [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    store.close()
    check_sound(path)


@pytest.mark.parametrize("data", ["", "{", "NaN", "[1e999]"])
def test_data_that_are_none_are_set_aside_and_the_others_kept(
    path: Path, clock: Clock, data: str
) -> None:
    store = Storage(path, clock=clock)
    ids = [receive(store, str(number), data=data) for number in range(2)]
    do(store, lambda tx: tx.execute("UPDATE notifications SET data = NULL WHERE message = '1'"))
    with pytest.raises(NotFound):
        do(store, lambda tx: store.notifications.detail(tx, ids[0]))
    assert do(store, lambda tx: store.notifications.detail(tx, ids[1]))["message"] == "1"
    assert store.engine.durable
    store.close()
