"""Database files that are deleted, replaced or restored."""

from __future__ import annotations

import grp
import logging
import os
import pwd
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.storage import Storage, Transaction, database_file

from ..support.manager import (
    Log,
    opened,
    send,
    stored,
)
from ..support.storage import QUICK, check_sound, do, live, message, receive
from ..support.tab import Tab


async def test_a_deleted_database_is_begun_anew_and_tabs_follow(path: Path, log: Log) -> None:
    async with opened(path) as manager:
        tab, idle = Tab(), Tab()
        manager.open(tab, None)
        stream = manager.open(idle, None)
        for number in range(5):
            await send(manager, f"old {number}")
        await idle.until(lambda tab: len(tab.rows) == 5)
        manager.close(stream)
        for file in path.parent.iterdir():
            file.unlink()
        # The tab learns of this although no message is sent.
        await tab.until(lambda tab: not tab.rows)
        sent = await send(manager, "new")
        assert sent.durable
        assert sent.seq == 1
        await tab.until(lambda tab: tab.messages == ["new"])
        for number in range(6):
            await send(manager, f"newer {number}")
        manager.open(idle, idle.cursor)
        await idle.until(lambda tab: len(tab.rows) == 7)
        for each in (tab, idle):
            await each.until(lambda tab: tab.cursor == manager.storage.position.cursor)
            each.check_against(await stored(manager))
    (warning,) = log(logging.WARNING)
    assert "deleted or replaced" in warning
    check_sound(path)


async def test_with_its_folder_deleted_it_makes_another(path: Path) -> None:
    async with opened(path) as manager:
        await send(manager, "old")
        path.parent.rename(path.parent.with_name("away"))
        assert (await send(manager, "new")).durable
    check_sound(path)


async def test_a_restored_backup_is_shown_by_every_tab(path: Path) -> None:
    async with opened(path) as manager:
        tab = Tab()
        manager.open(tab, None)
        for number in range(3):
            await send(manager, f"old {number}")
        backup = path.with_name("backup")
        db = sqlite3.connect(path)
        target = sqlite3.connect(backup)
        db.backup(target)
        db.close(), target.close()
        for number in range(3):
            await send(manager, f"lost {number}")
        await tab.until(lambda tab: len(tab.rows) == 6)
        backup.replace(path)
        await tab.until(lambda tab: len(tab.rows) == 3)
        await send(manager, "new")
        await tab.until(lambda tab: tab.messages == ["new", "old 2", "old 1", "old 0"])
        tab.check_against(await stored(manager))
    check_sound(path)


def test_a_message_answered_while_the_file_is_deleted_is_in_the_new_one(path: Path) -> None:
    store = Storage(path, timings=QUICK)
    receive(store)
    row = message("in between")

    def call(tx: Transaction) -> Any:
        if path.exists() and os.stat(path).st_size and not deleted:
            deleted.append(True)
            for file in path.parent.iterdir():
                file.unlink()
        return store.notifications.add(tx, row)

    deleted: list[bool] = []
    do(store, call)
    store.close()
    again = Storage(path, timings=QUICK)
    assert list(live(again)) == [row["id"]]
    again.close()


def test_a_commit_that_came_through_after_all_stores_a_message_once(path: Path) -> None:
    """The disk's answer to a commit can be lost: no fault of a real disk is at hand for that."""

    class Deceiving(sqlite3.Connection):
        armed = False

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            done = super().execute(sql, *values)
            if sql == "COMMIT" and self.armed:
                self.armed = False
                raise sqlite3.OperationalError("disk I/O error")
            return done

    store = Storage(path, timings=QUICK)
    receive(store, "before")
    store.engine._disconnect()
    connect = sqlite3.connect
    made: list[Any] = []

    def deceive(*args: Any, **kwargs: Any) -> Any:
        made.append(connect(*args, **kwargs, factory=Deceiving))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite3, "connect", deceive)
        store.engine.open()
        made[-1].armed = True
        id_ = receive(store, "once")
    receive(store, "after")
    assert store.engine.durable
    assert sorted(row["message"] for row in live(store).values()) == ["after", "before", "once"]
    assert id_ in live(store)
    store.close()
    check_sound(path)


def _folder_becomes_a_file(path: Path) -> None:
    path.parent.rename(path.parent.with_name("away"))
    path.parent.write_text("not a folder")


def _folder_becomes_a_loop(path: Path) -> None:
    path.parent.rename(path.parent.with_name("away"))
    path.parent.symlink_to(path.parent)


def _file_becomes_a_loop(path: Path) -> None:
    path.parent.rename(path.parent.with_name("away"))
    path.parent.mkdir()
    path.symlink_to(path)


@pytest.mark.parametrize(
    "lose", [_folder_becomes_a_file, _folder_becomes_a_loop, _file_becomes_a_loop]
)
def test_what_may_be_in_a_file_that_nobody_finds_is_not_called_durable(
    path: Path, lose: Callable[[Path], None]
) -> None:
    store = Storage(path, timings=QUICK)
    receive(store, "before")
    lose(path)
    for number in range(20):
        row = message(f"after {number}")
        stored = do(store, lambda tx, row=row: store.notifications.add(tx, row))  # type: ignore[misc]
        assert not stored.durable
    assert len(live(store)) == 21, "it goes on in memory, with what was known"
    assert store.engine.problem
    # Once the file's path works again, everything is stored there.
    taken = path if path.is_symlink() else path.parent
    taken.unlink()
    if taken == path:
        path.parent.rmdir()
    path.parent.with_name("away").rename(path.parent)
    row = message("mended")
    assert do(store, lambda tx: store.notifications.add(tx, row)).durable
    store.close()
    again = Storage(path)
    assert len(live(again)) == 22
    again.close()
    check_sound(path)


@pytest.mark.parametrize("mode", [0o666, 0o644, 0o660, 0o602, 0o777])
def test_a_database_that_others_can_write_is_made_private_and_said(
    path: Path, log: Log, mode: int
) -> None:
    store = Storage(path)
    receive(store, "kept")
    store.close()
    path.chmod(mode)
    store = Storage(path)
    assert len(live(store)) == 1
    assert path.stat().st_mode & 0o077 == 0
    (warning,) = log(logging.WARNING)
    assert f"{mode:04o}" in warning and "only its owner" in warning
    store.close()


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_what_a_link_beside_it_leads_to_keeps_its_mode(path: Path, suffix: str) -> None:
    """It may be the system's /dev/null, which others cannot do without."""
    path.parent.mkdir()
    target = path.with_name("of others")
    target.touch()
    target.chmod(0o666)
    path.parent.joinpath(path.name + suffix).symlink_to(target)
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    store.close()
    assert target.stat().st_mode & 0o777 == 0o666


def test_no_umask_lets_others_have_the_folders_that_are_made(path: Path) -> None:
    before = os.umask(0)
    try:
        deep = path.parent / "made" / "for" / "it" / path.name
        store = Storage(deep)
        receive(store, "kept")
        store.close()
    finally:
        os.umask(before)
    for folder in list(deep.parents)[:3]:
        assert folder.stat().st_mode & 0o077 == 0, folder


#: The number of a user and of a group that is nobody's own.
FOREIGN = 54321


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives a folder to another user or group.

    Only root may do that. For anybody else the system's accounts say that the folder is another's.
    """

    def give(folder: Path, owner: int = -1, group: int = -1) -> None:
        try:
            os.chown(folder, owner, group)
        except PermissionError:
            if group != -1:
                others = grp.struct_group(("others", "x", group, []))
                monkeypatch.setattr(grp, "getgrgid", lambda number: others)
            if owner != -1:
                monkeypatch.setattr(os, "geteuid", lambda: owner)

    return give


@pytest.mark.parametrize("mode", [0o770, 0o775, 0o2770, 0o1770, 0o750])
def test_a_folder_that_a_group_of_others_can_write_is_said(
    path: Path, log: Log, mode: int, give: Callable[..., None]
) -> None:
    path.parent.mkdir()
    give(path.parent, group=FOREIGN)
    path.parent.chmod(mode)
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    store.close()
    assert len(log(logging.WARNING)) == (mode & 0o1020 == 0o020)
    assert all("can replace" in line and f"{mode:04o}" in line for line in log(logging.WARNING))


def test_a_group_that_is_the_user_alone_is_none_of_others(
    path: Path, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many systems give each user a group of the same name."""
    own = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(grp, "getgrgid", lambda gid: grp.struct_group((own, "x", gid, [])))
    path.parent.mkdir()
    path.parent.chmod(0o770)
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    store.close()
    assert log(logging.WARNING) == []


def test_a_folder_of_another_user_is_said(path: Path, log: Log, give: Callable[..., None]) -> None:
    path.parent.mkdir(mode=0o700)
    give(path.parent, owner=FOREIGN)
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    store.close()
    assert len(log(logging.WARNING)) == 1


@pytest.mark.parametrize(
    ("mode", "is_said"), [(0o777, True), (0o2777, True), (0o1777, False), (0o755, False)]
)
def test_a_folder_in_which_others_can_replace_the_database_is_said(
    path: Path, log: Log, mode: int, is_said: bool
) -> None:
    path.parent.mkdir()
    path.parent.chmod(mode)
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    store.close()
    assert len(log(logging.WARNING)) == is_said
    assert all("can replace" in line and f"{mode:04o}" in line for line in log(logging.WARNING))


def test_a_database_that_is_opened_to_others_while_it_is_in_use_is_made_private(
    path: Path, log: Log
) -> None:
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    for _ in range(3):
        path.chmod(0o666)
        receive(store, "more")
        assert path.stat().st_mode & 0o077 == 0
    (warning,) = log(logging.WARNING)
    assert "0666" in warning and "only its owner" in warning
    store.close()


@pytest.mark.parametrize("suffix", ["-wal", "-shm"])
def test_a_log_that_is_opened_to_others_while_it_is_in_use_is_made_private(
    path: Path, log: Log, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "file_system", lambda path: "ext4")
    store = Storage(path, timings=QUICK)
    receive(store, "kept")
    beside = path.with_name(path.name + suffix)
    for _ in range(3):
        beside.chmod(0o666)
        receive(store, "more")
        assert beside.stat().st_mode & 0o077 == 0
    (warning,) = log(logging.WARNING)
    assert str(beside) in warning and "only its owner" in warning
    assert store.engine.durable
    store.close()


@pytest.mark.parametrize("umask", [0o177, 0o277, 0o377, 0o700, 0o777])
def test_no_umask_keeps_the_owner_out(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = Storage(path, timings=QUICK)
        receive(store, "kept")
    finally:
        os.umask(before)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for suffix in ("", "-wal", "-shm"):
        beside = path.with_name(path.name + suffix)
        assert not beside.exists() or beside.stat().st_mode & 0o777 == 0o600
    store.close()


@pytest.mark.parametrize("mode", [0o400, 0o000, 0o200])
@pytest.mark.parametrize("may_write", [True, False])
def test_a_log_that_was_made_while_the_file_was_read_only_keeps_no_owner_out(
    path: Path, mode: int, may_write: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_file, "file_system", lambda path: "ext4")
    first = Storage(path, timings=QUICK)
    receive(first, "kept")
    sidecars = [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm")]
    for beside in sidecars:
        # SQLite gives them the mode that the file has just then.
        beside.chmod(mode)
    owner = 0o600 if may_write else 0o400
    path.chmod(owner)
    second = Storage(path, timings=QUICK)
    receive(second, "more")
    for beside in sidecars:
        assert beside.stat().st_mode & 0o777 == mode | owner
    second.close()
    first.close()


#: Ways in which a file and its log change without any of it being deleted at its path.
LOST_LOGS = """
import os, sys
from pathlib import Path
from jupyterlab_notify.storage import Storage
from tests.support.storage import QUICK, do, message, receive

path, how = Path(sys.argv[1]), sys.argv[2]
store = Storage(path, timings=QUICK)
receive(store, "before")
log, other = Path(f"{path}-wal"), path.parent.with_name("other")
if how == "log deleted":
    log.unlink()
elif how == "both sidecars deleted":
    log.unlink(), Path(f"{path}-shm").unlink()
elif how == "log renamed":
    log.rename(f"{log}.away")
elif how == "log replaced by an empty one":
    log.rename(f"{log}.away"), log.touch()
elif how == "file moved and linked":
    other.mkdir(), path.rename(other / "moved"), path.symlink_to(other / "moved")
elif how == "folder replaced by one with the same file":
    other.mkdir(), os.link(path, other / path.name)
    path.parent.rename(path.parent.with_name("away")), other.rename(path.parent)
elif how == "file emptied":
    path.write_bytes(b"")
for number in range(20):
    row = message(f"after {number}")
    stored = do(store, lambda tx: store.notifications.add(tx, row))
    print(int(stored.durable), flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("how", re.findall(r'how == "(.+)"', LOST_LOGS))
def test_what_was_called_durable_is_there_after_a_kill_whatever_became_of_the_log(
    path: Path, how: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST_LOGS, str(path), how],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout.split() == ["1"] * 20
    again = Storage(path)
    assert len(live(again)) == 21
    again.close()
    check_sound(path)
