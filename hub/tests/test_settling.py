"""Outcomes of pushes are written together, and not lost when the process ends."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import cast

from jupyterhub_notify.delivery.settling import Settling
from jupyterhub_notify.schema import now
from jupyterhub_notify.storage.broadcasts import BroadcastStore
from jupyterhub_notify.storage.pushes import Claimed, PushStore
from jupyterhub_notify.storage.writer import Transaction, Writer

from .support import CountingWriter, Service

URL = "/v1/admin/broadcasts"
USERS = ("alice", "bob", "carol")


async def claimed(service: Service, pushes: PushStore) -> tuple[str, int, list[Claimed]]:
    """Send a broadcast with pushes to its recipients' servers, and claim all of them.

    Return its id, its number and the claimed deliveries.
    """
    admin = service.as_("admin")
    body = {"summary": "Down at ten", "users": list(USERS)}
    id_ = str((await admin.post(URL, json=body)).json()["id"])

    async def due(transaction: Transaction) -> int:
        stored = await BroadcastStore().one(transaction.connection, id_)
        assert stored is not None
        for user in USERS:
            at = now() - timedelta(seconds=1)
            await pushes.make_due(transaction, stored, (user, ""), at, "http://127.0.0.1:9/")
        return stored.seq

    seq = await service.parts.writer.run(due)
    return id_, seq, await pushes.claim("this", 10, 60)


async def outcomes(service: Service, id_: str) -> dict[str, str]:
    answer = await service.as_("admin").get(f"{URL}/{id_}/deliveries")
    return {one["user"]: one["outcome"] for one in answer.json()}


async def test_results_of_one_moment_are_one_command(service: Service) -> None:
    pushes = PushStore(database=service.parts.database)
    id_, seq, claims = await claimed(service, pushes)
    assert [one.user for one in claims] == list(USERS)
    writer = CountingWriter(service.parts.writer)
    settling = Settling(writer=cast(Writer, writer), pushes=pushes, owner="this")
    results = ("stored", "error", "no-extension")
    await asyncio.gather(
        *(
            settling.settle(one, seq, {"outcome": outcome, "due": None})
            for one, outcome in zip(claims, results, strict=True)
        )
    )
    assert writer.commands == 1
    # Each is answered after the commit: it can be read.
    assert await outcomes(service, id_) == dict(zip(USERS, results, strict=True))
    # A delivery that another replica has taken over is not written over.
    stranger = Settling(writer=service.parts.writer, pushes=pushes, owner="another")
    await stranger.settle(claims[0], seq, {"outcome": "error", "due": None})
    assert (await outcomes(service, id_))["alice"] == "stored"


async def test_a_result_outlives_the_push_that_is_cancelled(service: Service) -> None:
    pushes = PushStore(database=service.parts.database)
    id_, seq, claims = await claimed(service, pushes)
    settling = Settling(writer=service.parts.writer, pushes=pushes, owner="this")
    pushed = [
        asyncio.create_task(settling.settle(one, seq, {"outcome": "stored", "due": None}))
        for one in claims
    ]
    # Each has begun: what came of it is known, and not written yet.
    await asyncio.sleep(0)
    for one in pushed:
        one.cancel()
    await settling.flush()
    await asyncio.gather(*pushed, return_exceptions=True)
    assert all(one.cancelled() for one in pushed)
    assert await outcomes(service, id_) == dict.fromkeys(USERS, "stored")
