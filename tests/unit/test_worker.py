"""Promises of the storage thread: shared commits, no blocking, bounded waiting."""

from __future__ import annotations

import asyncio
import functools
import sys
import threading
import time
from pathlib import Path
from threading import Event

import pytest

from jupyterlab_notify.exceptions import Busy, NoThread
from jupyterlab_notify.sources.central.content import LARGE, parse_json
from jupyterlab_notify.sources.central.failure import Answer, Failure
from jupyterlab_notify.sources.central.transport import Transport
from jupyterlab_notify.sources.threads import in_thread
from jupyterlab_notify.storage import StateChange, Storage, Transaction, no_operation
from jupyterlab_notify.worker import Worker

from ..support import file_faults as places
from ..support.manager import (
    PATIENT,
    WRITER,
    opened,
    send,
    stored,
)
from ..support.storage import QUICK, check_sound, live
from ..support.tab import Tab


async def test_what_waits_shares_a_commit(path: Path) -> None:
    async with opened(path) as manager:
        await send(manager, "opened")
        commits = 0

        def trace(sql: str) -> None:
            nonlocal commits
            commits += sql == "COMMIT"

        def watch(tx: Transaction) -> None:
            assert manager.storage.engine._db is not None
            manager.storage.engine._db.set_trace_callback(trace)

        await manager._worker.submit(watch, write=False)
        answers = await asyncio.gather(*(send(manager, str(n)) for n in range(1000)))
        assert len({a.id for a in answers}) == len({a.seq for a in answers}) == 1000
        assert commits <= 20

        # Messages from many turns of the event loop share a commit too, if the disk was slow.
        commits, begun, slow = 0, Event(), Event()

        def wait(tx: Transaction) -> None:
            begun.set()
            slow.wait(10)

        alone = manager._worker.submit(wait, write=False)
        await asyncio.to_thread(begun.wait, 10)
        waiting = []
        for n in range(100):
            waiting.append(asyncio.ensure_future(send(manager, f"slow {n}")))
            await asyncio.sleep(0)
        # The last message needs some more turns.
        for _ in range(5):
            await asyncio.sleep(0)
        assert manager._worker._waiting == len(waiting) + 1
        assert not manager._worker._submitted
        slow.set()
        await asyncio.gather(alone, *waiting)
        # One commit for the slow operation, and one for all the others.
        assert commits == 2


async def test_a_blocked_disk_does_not_block_the_server(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path, PATIENT) as manager:
        await send(manager, "before")
        lags: list[float] = []
        goes_on = asyncio.Event()

        async def tick() -> None:
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0.005)
                lags.append(time.perf_counter() - before - 0.005)
                if len(lags) >= 100:
                    goes_on.set()

        ticking = asyncio.create_task(tick())
        with places.locked(path):
            lags.clear()
            goes_on.clear()
            waiting = [asyncio.create_task(send(manager, str(n))) for n in range(100)]
            reading = asyncio.create_task(manager.status("1"))
            # The lock is held until the event loop has gone on. A loop that waited for the lock
            # would go on only after half a minute.
            await asyncio.wait_for(goes_on.wait(), 20)
            assert not any(task.done() for task in (*waiting, reading))
            assert max(lags) < 5
        answers = await asyncio.gather(*waiting)
        assert all(answer.durable for answer in answers)
        ticking.cancel()


async def test_too_much_waiting_is_refused_and_soon_taken_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path, PATIENT, max_waiting=50) as manager:
        await send(manager, "before")
        with places.locked(path):
            waiting = [asyncio.create_task(send(manager, str(n))) for n in range(60)]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_EXCEPTION, timeout=5)
            refused = [task for task in waiting if task.done()]
            assert len(refused) == 10
            assert all(isinstance(task.exception(), Busy) for task in refused)
        await asyncio.gather(*(task for task in waiting if task not in refused))
        await send(manager, "after")
        assert len(await stored(manager)) == 52


async def test_servers_that_share_a_file_lose_and_double_nothing(path: Path) -> None:
    writers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, path, name),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        for name in ("one", "two", "three")
    ]
    # All open the file, which none has made yet, at once.
    outputs = await asyncio.gather(*(writer.communicate(b"go\n") for writer in writers))
    answers = [line.split() for output, _ in outputs for line in output.decode().splitlines()]
    assert len(answers) == 600
    assert all(durable == "True" for _, _, durable in answers)
    assert len({seq for _, seq, _ in answers}) == 600
    store = Storage(path, timings=QUICK)
    rows = live(store)
    assert {id_: str(row["seq"]) for id_, row in rows.items()} == {i: s for i, s, _ in answers}
    store.close()
    check_sound(path)


async def test_a_tab_sees_what_another_server_took_in(path: Path) -> None:
    async with opened(path) as one, opened(path) as two:
        tab = Tab()
        one.open(tab, None)
        await tab.until(lambda tab: tab.frames)
        sent = await send(two, "from the other")
        await tab.until(lambda tab: tab.messages == ["from the other"])
        await two.set_state(sent.id, StateChange(read=True))
        await tab.until(lambda tab: tab.rows[sent.id]["read"])


def refuse(thread: threading.Thread) -> None:
    """Stand in for the start of a thread where the system lets none start."""
    raise RuntimeError("can't start new thread")


async def test_a_thread_that_cannot_start_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    worker = Worker(Storage(tmp_path / "n.sqlite"), lambda: None, lambda update: None)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        worker.start()
        for _ in range(3):
            with pytest.raises(Busy, match="try again"):
                worker.submit(no_operation, write=True)
    assert len(caplog.messages) == 1 and "cannot start" in caplog.text
    await worker.submit(no_operation, write=True)
    await worker.stop()


async def test_a_server_that_can_start_no_thread_still_closes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "n.sqlite"
    worker = Worker(Storage(path), lambda: None, lambda update: None)
    worker.start()
    await worker.submit(no_operation, write=True)
    with monkeypatch.context() as patch:
        # asyncio starts the threads of its pool only once they are needed.
        patch.setattr(threading.Thread, "start", refuse)
        await worker.stop()
    assert not path.with_name(f"{path.name}-wal").exists()


async def test_what_needs_a_thread_says_that_none_can_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = Transport("http://127.0.0.1:9", token=lambda: "t", timeout_s=5)
    ask = functools.partial(service.ask, "GET", "/v1/broadcasts", None, {}, None)
    large = Answer(200, {}, b"[" + b" " * LARGE + b"]")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for call in (ask, functools.partial(ask, unauthenticated=True, anonymous=True)):
            with pytest.raises(Failure, match="no thread"):
                await call()
        with pytest.raises(Failure, match="no thread"):
            await parse_json(large)
        with pytest.raises(NoThread):
            await in_thread(lambda: None)
    with pytest.raises(Failure, match="cannot be reached"):
        await ask()
    assert await parse_json(large) == []
    await service.close()
