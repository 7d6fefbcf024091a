"""Promises of the engine, on real SQLite files."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import Unavailable
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.storage import (
    Storage,
    Transaction,
    connection,
    database_file,
    new_id,
    schema,
)
from jupyterlab_notify.storage.database_file import file_system
from jupyterlab_notify.storage.notifications import (
    Stored,
)
from jupyterlab_notify.timings import StorageTimings

from ...support import file_faults as places
from ...support.storage import (
    EXTRA,
    Make,
    backed_up,
    change,
    frame,
    live,
    message,
    page,
    raw,
    receive,
    restore,
    set_timings,
    status,
)
from ...support.tab import Tab


def test_one_bad_operation_takes_no_other_with_it(store: Storage) -> None:
    def half(tx: Transaction) -> None:
        store.notifications.add(tx, message("half"))
        raise ValueError("bad")

    good = [message(str(n)) for n in range(3)]
    calls: list[Any] = [
        (lambda tx, row=row: store.notifications.add(tx, row), True) for row in good
    ]
    epoch = store.run([]) or store.engine.state.epoch
    results = store.run([calls[0], (half, True), calls[1], (half, True), calls[2]])
    assert [type(r) for r in results] == [Stored, ValueError, Stored, ValueError, Stored]
    assert page(store) == ["2", "1", "0"]
    assert store.engine.state.epoch == epoch, "tabs need not begin anew"
    assert [row["seq"] for row in live(store).values()] == [3, 2, 1]


def test_a_bad_value_does_not_cost_the_file(store: Storage) -> None:
    for row in (message(type=None), message(banner=2**70), message(body=object())):
        (result,) = store.run([(lambda tx, row=row: store.notifications.add(tx, row), True)])  # type: ignore[misc]  # it knows no type of a lambda's default
        assert isinstance(result, Exception)
    assert store.engine.durable


def test_the_file_is_its_owners_only(store: Storage, path: Path) -> None:
    old = os.umask(0)
    try:
        receive(store)
    finally:
        os.umask(old)
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_local_file_system_gets_a_write_ahead_log(store: Storage, path: Path) -> None:
    receive(store)
    assert file_system(path) in database_file.WAL_FILE_SYSTEMS
    assert store.engine.mode == "wal"
    assert raw(store, "PRAGMA journal_mode") == [("wal",)]
    # Check the setting that syncs each commit, since no test can cut the power.
    assert store.engine._connection.execute("PRAGMA synchronous").fetchone() == (EXTRA,)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "lustre", "fuse.sshfs", ""])
def test_a_shared_file_system_gets_a_rollback_journal(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    made_locally = make()
    receive(made_locally, "made locally")
    made_locally.close()
    monkeypatch.setattr(database_file, "file_system", lambda path: kind)
    store = make()
    receive(store, "shared")
    assert store.engine.mode == "rollback"
    assert store.engine.durable
    assert raw(store, "PRAGMA journal_mode") == [("delete",)]
    assert store.engine._connection.execute("PRAGMA synchronous").fetchone() == (EXTRA,)
    assert page(store) == ["shared", "made locally"]
    assert not path.with_name(path.name + "-wal").exists()


def test_a_file_that_another_host_may_have_open_keeps_its_rollback_journal(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk's own host sees a local file system, where its clients see NFS."""
    with monkeypatch.context() as client:
        client.setattr(database_file, "file_system", lambda path: "nfs4")
        remote = make()
        receive(remote, "over NFS")
    local = make()
    receive(local, "on the disk")
    assert local.engine.mode == "rollback"
    assert raw(local, "PRAGMA journal_mode") == [("delete",)]
    receive(remote, "over NFS again")
    assert page(local) == page(remote) == ["over NFS again", "on the disk", "over NFS"]
    assert local.engine.durable and remote.engine.durable


def test_a_log_that_another_host_sets_is_not_written_to(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_file, "file_system", lambda path: "nfs4")
    store = make(timings=StorageTimings(heal_interval_s=0.0, retry_timeout_s=0.05))
    receive(store, "before")
    other = sqlite3.connect(path)
    assert other.execute("PRAGMA journal_mode = wal").fetchone() == ("wal",)
    other.execute("PRAGMA user_version").fetchone()
    log = path.with_name(path.name + "-wal")
    size = log.stat().st_size
    assert page(store) == ["before"]
    assert not store.engine.durable, "who only reads has noticed"
    receive(store, "meanwhile")
    assert page(store) == ["meanwhile", "before"]
    assert "keeps a write-ahead log" in str(store.engine.problem)
    assert log.stat().st_size == size
    other.close()
    receive(store, "after")
    assert (store.engine.durable, store.engine.mode) == (True, "rollback")
    assert page(store) == ["after", "meanwhile", "before"]
    assert raw(store, "PRAGMA journal_mode") == [("delete",)]
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_a_file_system_that_nothing_tells_of_counts_as_shared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str
) -> None:
    def fail(self: Path) -> bytes:
        raise FileNotFoundError(self)

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(Path, "read_bytes", fail)
    assert file_system(tmp_path) not in database_file.WAL_FILE_SYSTEMS


def test_the_file_system_is_that_of_the_innermost_mount(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    mounts = (
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:5 / {tmp_path}/my\\040homé rw shared:1 - nfs4 host:/ rw\n"
        f"3 1 0:6 / {tmp_path}/my rw - tmpfs none rw\n"
    ).encode()
    read_bytes = Path.read_bytes
    monkeypatch.setattr(
        Path,
        "read_bytes",
        lambda self: mounts if str(self) == "/proc/self/mountinfo" else read_bytes(self),
    )
    assert file_system(tmp_path / "my homé" / "x") == "nfs4"
    assert file_system(tmp_path / "my" / "x") == "tmpfs"
    assert file_system(tmp_path / "myself") == "ext4"


def test_what_is_stored_is_there_when_it_is_opened_again(make: Make) -> None:
    store = make()
    receive(store, "kept")
    cursor = store.position.cursor
    store.close()
    again = make()
    assert page(again) == ["kept"]
    assert again.position.cursor == cursor


def test_an_empty_file_becomes_a_database(make: Make, path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    receive(make(), "first")
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (schema.SCHEMA_VERSION,)
    db.close()


def test_a_migration_that_breaks_off_leaves_the_version_before(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make()
    receive(first, "from before")
    first.close()
    # The second statement fails if there are rows, so in the file and not in memory.
    step = (
        "ALTER TABLE notifications ADD COLUMN more;\n"
        "INSERT INTO state (one, epoch, inode, seq, pruned, inbox, unread, dismissed, tombstones) "
        "SELECT 2, '', 0, 0, 0, 0, 0, 0, 0 FROM notifications;\n"
    )
    steps = (*schema.MIGRATIONS, step)
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    monkeypatch.setattr(schema, "SCHEMA_VERSION", len(steps))
    broken = make()
    receive(broken, "meanwhile")
    assert not broken.engine.durable
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (len(steps) - 1,)
    assert "more" not in [row[1] for row in db.execute("PRAGMA table_info(notifications)")]
    db.close()


def test_a_number_of_an_inode_that_sqlite_cannot_hold_is_no_fault(make: Make) -> None:
    store = make()
    receive(store)
    assert store.engine._db is not None
    schema.migrate(store.engine._db, 2**64 - 1, store.engine.path)
    assert store.engine.durable


def test_a_copied_file_is_another_epoch(make: Make, path: Path) -> None:
    store = make()
    receive(store)
    epoch = store.engine.state.epoch
    store.close()
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.replace(path)
    again = make()
    assert len(page(again)) == 1
    assert again.engine.state.epoch != epoch


def test_a_file_that_went_back_in_time_is_another_epoch(make: Make, path: Path) -> None:
    store, other = make(), make()
    receive(store, "first")
    epoch = store.engine.state.epoch
    backup = path.read_bytes(), path.with_name(path.name + "-wal").read_bytes()
    receive(store, "lost")
    assert page(other) == ["lost", "first"]
    store.close()
    other.engine._disconnect()
    # Restore the files in place, as a backup tool may do: the inode stays the same.
    path.write_bytes(backup[0])
    path.with_name(path.name + "-wal").write_bytes(backup[1])
    other.engine.open()
    other.engine.state.epoch, other.engine.state.seq = epoch, 2
    receive(other, "new")
    assert page(other) == ["new", "first"]
    assert other.engine.state.epoch != epoch


def test_a_backup_restored_in_place_is_noticed_by_who_only_reads(
    store: Storage, path: Path, backup: sqlite3.Connection
) -> None:
    receive(store, "first")
    backed_up(path, backup)
    receive(store, "lost")
    before = store.position.cursor
    inode = path.stat().st_ino
    restore(path, backup)
    assert path.stat().st_ino == inode
    assert page(store) == ["first"], "as the watch does each second"
    for text in ("new", "newer"):
        receive(store, text)
    got = frame(store, before)
    assert got["type"] == "snapshot", "the numbers of before mean other messages now"
    assert [row["message"] for row in got["notifications"]] == ["newer", "new", "first"]


def test_a_backup_restored_while_no_server_runs_is_noticed_by_a_tab_that_comes_back(
    make: Make, path: Path, backup: sqlite3.Connection
) -> None:
    store = make()
    receive(store, "first")
    backed_up(path, backup)
    receive(store, "lost")
    before = store.position.cursor
    store.close()
    restore(path, backup)
    again = make()
    assert frame(again, before)["type"] == "snapshot"
    for text in ("new", "newer"):
        receive(again, text)
    assert frame(again, before)["type"] == "snapshot", "another tab comes later"


def test_a_backup_restored_while_messages_are_in_memory_is_another_epoch(
    store: Storage, path: Path, backup: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_timings(store, heal_interval_s=0.0, busy_timeout_s=0.05)
    receive(store, "first")
    backed_up(path, backup)
    receive(store, "lost")
    before = store.position.cursor
    with places.locked(path):
        receive(store, "meanwhile")
        assert not store.engine.durable
    restore(path, backup)
    receive(store, "new")
    assert store.engine.durable
    assert set(page(store)) >= {"first", "meanwhile", "new"}
    assert store.engine.state.epoch != before.epoch


def test_two_stores_of_one_file_see_each_other(make: Make) -> None:
    one, two = make(), make()
    a = receive(one, "one", key="k")
    b = receive(two, "two")
    assert page(one) == page(two) == ["two", "one"]
    cursor = one.position.cursor
    assert receive(two, "one again", key="k") == a
    change(two, b, read=True)
    assert [row["id"] for row in frame(one, cursor)["notifications"]] == [a, b]
    assert frame(one, cursor)["notifications"] == frame(two, cursor)["notifications"]


def test_of_corrupt_files_that_were_set_aside_the_newest_two_are_kept(
    make: Make, path: Path
) -> None:
    path.parent.mkdir()
    mine = path.with_name(path.name + ".corrupt-why")
    for file in (mine, path.with_name("other.sqlite.corrupt-20200101T000000Z-0000")):
        file.write_text("a user's")
    for year in (2021, 2022, 2023):
        for suffix in ("", "-wal"):
            path.with_name(f"{path.name}.corrupt-{year}0101T000000Z-00ff{suffix}").touch()
    path.write_bytes(b"these are not the bytes you are looking for\n" * 1000)
    store = make()
    receive(store, "new")
    assert store.engine.durable
    (now,) = (f for f in path.parent.iterdir() if ".corrupt-20" in f.name and f.stat().st_size > 99)
    left = {f.name.replace(path.name, "") for f in path.parent.iterdir() if "corrupt" in f.name}
    assert left == {
        *(".corrupt-why", "other.sqlite.corrupt-20200101T000000Z-0000"),
        *(".corrupt-20230101T000000Z-00ff", ".corrupt-20230101T000000Z-00ff-wal"),
        now.name.replace(path.name, ""),
    }


def test_without_a_place_all_is_in_memory(caplog: pytest.LogCaptureFixture) -> None:
    store = Storage(None)
    receive(store, "here")
    assert page(store) == ["here"]
    assert not store.engine.durable
    assert status(store)["problem"] == "no database file is configured"
    assert not [r for r in caplog.records if r.levelname == "WARNING"], "it was asked for"
    store.close()


def test_in_a_place_that_cannot_even_be_looked_at_all_is_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file name that is too long is the fault, since no folder's mode would keep root out."""
    store = Storage(tmp_path / ("x" * 256))
    for _ in range(2):
        receive(store, "here")
    assert page(store) == ["here", "here"]
    assert not store.engine.durable
    assert "File name too long" in status(store)["problem"]
    assert len([r for r in caplog.records if r.levelname == "WARNING"]) == 1
    store.close()


def test_no_statement_asks_for_a_newer_sqlite_than_is_documented() -> None:
    """No SQLite so old is at hand, so the statements are searched for newer keywords."""
    package = Path(connection.__file__).parent.parent
    texts = [path.read_text() for path in (package / "storage").glob("*.py")]
    assert len(texts) > 10
    newer = re.compile(
        r"GENERATED ALWAYS|\bRETURNING\b|\bFILTER \(|\) STRICT\b|DROP COLUMN|\bOVER \("
    )
    assert not any(newer.search(text) for text in texts)
    minimum = ".".join(map(str, connection.MINIMUM_SQLITE[:2]))
    documented = package.parent / "docs" / "administrators.md"
    assert f"SQLite {minimum} " in documented.read_text()


async def test_a_sqlite_that_is_too_old_is_said_once_and_to_who_asks(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "MINIMUM_SQLITE", (99, 1, 0))
    manager = NotificationManager(Storage(path))
    manager.start()
    tab = Tab()
    stream = manager.open(tab, None)
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"uses SQLite 3\.[0-9.]+, and 99\.1\.0 or later is"):
            await manager.status("1")
    manager.close(stream)
    await manager.stop()
    assert not tab.frames
    assert not path.parent.exists(), "nothing was touched"
    (record,) = caplog.records
    assert (record.levelname, record.exc_info) == ("WARNING", None)
    assert "99.1.0 or later is needed." in record.getMessage()


def test_an_id_is_a_ulid() -> None:
    ids = [new_id(1_469_918_176_385) for _ in range(1000)]
    assert len(set(ids)) == 1000
    for id_ in ids:
        assert re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", id_)
        assert id_.startswith("01ARYZ6S41")
    assert new_id(1) < new_id(2) < new_id(2**47)
