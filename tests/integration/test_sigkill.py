"""A message that was answered survives SIGKILL, at whatever moment that comes."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from jupyterlab_notify.storage import Storage

from ..support.servers import NAMESPACE, Server
from ..support.storage import check_sound, live

MOMENTS = 190
SERVER_MOMENTS = 10
#: Number of senders at once.
SENDERS = 8

#: Python starts once; each child that is killed is a fork of it, made before it has a thread.
NURSERY = """
import asyncio, os, sys
from pathlib import Path
from jupyterlab_notify.manager import NotificationManager
from jupyterlab_notify.models import IngestMessage
from jupyterlab_notify.storage import StateChange, Storage

SENDERS = int(sys.argv[1])

async def ingest(path):
    manager = NotificationManager(Storage(Path(path)))
    manager.start()

    async def sender(name):
        n = 0
        while True:
            n += 1
            # Every third message replaces, so that a kill meets all of the store's writes.
            key = f"{name}" if n % 3 == 0 else None
            received = await manager.receive(IngestMessage(message=f"{name} {n}", key=key), "test")
            assert received.durable
            os.write(1, f"{received.id} {received.seq}\\n".encode())
            if n % 5 == 0:
                await manager.set_state(received.id, StateChange(read=True))

    await asyncio.gather(*(sender(n) for n in range(SENDERS)))

for path in sys.stdin:
    child = os.fork()
    if child == 0:
        asyncio.run(ingest(path.strip()))
    os.write(1, f"child {child}\\n".encode())
    _, status = os.waitpid(child, 0)
    os.write(1, f"ended {os.WTERMSIG(status)}\\n".encode())
"""


class Lines:
    """Lines of a pipe, with a time limit on waiting for the next."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self._rest = b""
        self._lines: list[str] = []

    def next(self, timeout_s: float) -> str | None:
        """Return the next line, or None if none comes in time."""
        while not self._lines:
            ready, _, _ = select.select([self._pipe], [], [], timeout_s)
            if not ready:
                return None
            data = os.read(self._pipe, 65536)
            assert data, "the child process ended by itself"
            *whole, self._rest = (self._rest + data).split(b"\n")
            self._lines += [line.decode() for line in whole]
        return self._lines.pop(0)


@pytest.mark.timeout(300)
def test_a_message_answered_survives_sigkill_of_a_process_with_an_inbox(tmp_path: Path) -> None:
    chance = random.Random(20_300_131)
    moments = 0
    acknowledged = 0
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, str(SENDERS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as nursery:
        assert nursery.stdin is not None and nursery.stdout is not None
        lines = Lines(nursery.stdout.fileno())
        path = tmp_path / "0.sqlite"
        known: dict[str, int] = {}
        for moment in range(MOMENTS):
            # Kill ten times in a row for each file; the first time, the file is just being made.
            if moment % 10 == 0:
                path, known = tmp_path / f"{moment}.sqlite", {}
            nursery.stdin.write(f"{path}\n".encode())
            nursery.stdin.flush()
            child = 0
            answered = 0
            # Kill after a number of answers and a short delay. That meets the store in the middle
            # of its work more evenly than a fixed time.
            wanted = chance.choice((0, 0, 1, 5, 20, 60))
            while not child or answered < wanted:
                line = lines.next(20)
                assert line is not None
                name, _, value = line.partition(" ")
                if name == "child":
                    child = int(value)
                else:
                    known[name] = int(value)
                    answered += 1
            threading.Event().wait(chance.random() * 0.02)
            os.kill(child, signal.SIGKILL)
            while (line := lines.next(20)) != f"ended {int(signal.SIGKILL)}":
                assert line is not None and not line.startswith("ended"), line
                name, _, value = line.partition(" ")
                known[name] = int(value)
            moments += 1
            store = Storage(path)
            rows = live(store)
            store.close()
            missing = {id_ for id_ in known if id_ not in rows}
            assert not missing, (moment, missing)
            assert all(rows[id_]["seq"] >= seq for id_, seq in known.items())
            check_sound(path)
            acknowledged += len(known) if moment % 10 == 9 else 0
        nursery.stdin.close()
    assert moments == MOMENTS
    assert acknowledged > MOMENTS, "enough was under way to show anything"


@pytest.mark.timeout(300)
def test_a_message_answered_200_survives_sigkill_of_its_server(
    make_server: Callable[..., Server],
) -> None:
    chance = random.Random(20_300_131)
    # Two servers take turns, so that one starts while the other is at work.
    servers = [make_server(start=False) for _ in range(2)]

    def moments(server: Server, count: int) -> int:
        known: set[str] = set()
        for _ in range(count):
            server.start()
            assert known <= {row["id"] for row in all_rows(server)}
            known |= asyncio.run(ingest_until_killed(server, chance.random() * 0.3))
        server.start()
        rows = [row["id"] for row in all_rows(server)]
        assert len(rows) == len(set(rows))
        assert known <= set(rows)
        assert server.status()["store"]["durable"] is True
        assert "Traceback" not in server.log
        server.stop()
        check_sound(server.database)
        return len(known)

    with ThreadPoolExecutor(2) as pool:
        known = list(pool.map(lambda server: moments(server, SERVER_MOMENTS // 2), servers))
    assert sum(known) > SERVER_MOMENTS


async def ingest_until_killed(server: Server, delay_s: float) -> set[str]:
    """Push messages from several senders at once, and kill the server under them."""
    answered: set[str] = set()
    some = asyncio.Event()
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {server.token}"}, trust_env=False, timeout=10
    ) as client:

        async def sender(name: int) -> None:
            n = 0
            while True:
                n += 1
                try:
                    answer = await client.post(
                        f"{server.url}/{NAMESPACE}/ingest", json={"message": f"{name} {n}"}
                    )
                except httpx.TransportError:
                    return
                assert answer.status_code == 200, answer.text
                assert answer.json()["durable"] is True
                answered.add(answer.json()["notification_id"])
                some.set()

        senders = [asyncio.create_task(sender(n)) for n in range(SENDERS)]
        await some.wait()
        await asyncio.sleep(delay_s)
        # ``kill`` waits for the server's end and blocks this loop. What the server has still sent
        # is read afterwards.
        server.kill()
        await asyncio.gather(*senders)
    return answered


def all_rows(server: Server) -> list[dict[str, str]]:
    """Return the whole manager, page by page."""
    rows: list[dict[str, str]] = []
    parameters = {"limit": 200}
    while True:
        page = server.page(**parameters)
        rows += page["notifications"]
        if page["next"] is None:
            return rows
        parameters["before"] = page["next"]


def test_a_message_answered_200_survives_the_stop_of_its_server(
    make_server: Callable[..., Server],
) -> None:
    server = make_server()

    async def ingest_until_stopped() -> tuple[set[str], list[int]]:
        answered: set[str] = set()
        refused: list[int] = []
        some = asyncio.Event()
        headers = {"Authorization": f"Bearer {server.token}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=10) as client:

            async def sender() -> None:
                while True:
                    try:
                        answer = await client.post(
                            f"{server.url}/{NAMESPACE}/ingest", json={"message": "stopping"}
                        )
                    except httpx.TransportError:
                        return
                    if answer.status_code != 200:
                        refused.append(answer.status_code)
                        continue
                    answered.add(answer.json()["notification_id"])
                    some.set()

            senders = [asyncio.create_task(sender()) for _ in range(SENDERS)]
            await some.wait()
            await asyncio.get_running_loop().run_in_executor(None, server.stop)
            await asyncio.gather(*senders)
        return answered, refused

    answered, refused = asyncio.run(ingest_until_stopped())
    assert set(refused) <= {503}
    assert "Traceback" not in server.log
    assert not Path(f"{server.database}-wal").exists(), "the store was closed"
    check_sound(server.database)
    store = Storage(server.database)
    assert answered <= set(live(store))
    store.close()
