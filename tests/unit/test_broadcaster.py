"""Promises of streams."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify import broadcaster
from jupyterlab_notify.exceptions import Busy
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.storage import Cursor, Storage, Transaction

from ..support import file_faults as places
from ..support.manager import (
    OFTEN,
    PATIENT,
    opened,
    send,
    stored,
)
from ..support.storage import QUICK, live
from ..support.tab import Tab


async def test_a_tab_that_opens_in_the_middle_of_a_batch_misses_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Wait however long the holder of the lock takes: this test is not about a fault.
    async with opened(path, PATIENT) as manager:
        for attempt in range(20):
            tab = Tab()
            with places.locked(path):
                # These wait together, and are one batch.
                before = asyncio.create_task(send(manager, f"before {attempt}"))
                await asyncio.sleep(0)
                stream = manager.open(tab, None)
                await asyncio.sleep(0)
                after = asyncio.create_task(send(manager, f"after {attempt}"))
                await asyncio.sleep(0)
            seq = max((await before).seq, (await after).seq)
            await tab.until(lambda tab, seq=seq: tab.cursor and tab.cursor.seq >= seq, 5)
            assert len(tab.rows) == min(2 * attempt + 2, 50)
            manager.close(stream)


async def test_two_frames_in_one_turn_of_the_loop_both_arrive() -> None:
    from jupyterlab_notify.broadcaster import Subscription, Update

    tab = Tab()

    def frame(seq: int) -> str:
        return (
            f'{{"type":"changes","cursor":"e:{seq}","counts":{{}},"durable":true,'
            '"notifications":[]}'
        )

    async def catch_up(since: Cursor | None) -> tuple[Cursor, str]:
        return Cursor("e", 3), frame(3)

    stream = Subscription(tab, Cursor("e", 1), catch_up)
    stream.push(Update(Cursor("e", 1), Cursor("e", 2), frame(2)))
    stream.push(Update(Cursor("e", 2), Cursor("e", 3), frame(3)))
    await tab.until(lambda tab: tab.cursor == Cursor("e", 3), 2)
    await asyncio.sleep(0)
    assert len(tab.frames) == 2
    stream.push(Update(Cursor("e", 2), Cursor("e", 3), frame(3)))
    await asyncio.sleep(0)
    assert len(tab.frames) == 2, "it has that one"


async def test_tabs_that_do_not_read_are_cut_off_before_they_fill_the_memory(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MAX_SENDING", 20_000)
    async with opened(path) as manager:
        await send(manager, "x" * 4000)
        asleep = [Tab() for _ in range(20)]
        for tab in asleep:
            tab.awake.clear()
            manager.open(tab, None)
        reader = Tab()
        manager.open(reader, None)
        await reader.until(lambda tab: tab.frames)
        # The last of them hold some four frames; those before are told to come back.
        cut_off = [not tab.connected for tab in asleep]
        assert cut_off == sorted(cut_off, reverse=True)
        assert cut_off.count(False) in (3, 4)
        for tab in asleep:
            tab.awake.set()
        await asyncio.sleep(0)
        await send(manager, "more")
        await reader.until(lambda tab: len(tab.rows) == 2)
        await asleep[-1].until(lambda tab: len(tab.rows) == 2)


async def test_a_frame_larger_than_all_may_be_is_still_sent(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broadcaster, "MAX_SENDING", 10)
    async with opened(path) as manager:
        tab = Tab()
        manager.open(tab, None)
        await tab.until(lambda tab: tab.frames)
        await send(manager, "m")
        await tab.until(lambda tab: len(tab.rows) == 1)


async def test_a_frame_that_fails_denies_no_message(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as manager:
        tab = Tab()
        manager.open(tab, None)
        await tab.until(lambda tab: tab.frames)
        await send(manager, "first")
        frame = manager.storage.notifications.frame
        failures = 0

        def fail(tx: Transaction, since: Cursor | None) -> Any:
            nonlocal failures
            failures += 1
            if failures == 1:
                raise ValueError("a bug")
            return frame(tx, since)

        monkeypatch.setattr(manager.storage.notifications, "frame", fail)
        await send(manager, "second")
        await tab.until(lambda tab: tab.messages == ["second", "first"])
        assert failures >= 2


async def test_a_listener_that_fails_denies_no_message(path: Path) -> None:
    def fail(action: str, ids: list[str]) -> None:
        raise ValueError("a bug of another extension")

    manager = NotificationManager(Storage(path, timings=QUICK), timings=OFTEN, emit_event=fail)
    manager.start()
    sent = await send(manager, "told")
    assert list(await stored(manager)) == [sent.id]
    await manager.stop()


async def test_what_waits_when_the_server_stops_is_answered(path: Path) -> None:
    manager = NotificationManager(Storage(path, timings=QUICK), timings=OFTEN)
    manager.start()
    waiting = [asyncio.create_task(send(manager, str(n))) for n in range(500)]
    await asyncio.sleep(0)
    await manager.stop()
    answers = await asyncio.gather(*waiting)
    with pytest.raises(Busy):
        await send(manager, "too late")
    store = Storage(path, timings=QUICK)
    assert set(live(store)) == {answer.id for answer in answers}
    store.close()
