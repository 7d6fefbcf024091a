"""Receipts that come within seconds of each other: few commits, and the same answers as ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import cast

import pytest

from jupyterhub_notify.identity.caller import Caller
from jupyterhub_notify.models.receipts import LabReceipt
from jupyterhub_notify.services import receipt_groups
from jupyterhub_notify.services.receipt_groups import ReceiptGroups, Sent
from jupyterhub_notify.storage.writer import Transaction, Writer

from .support import CountingWriter, Service

URL = "/v1/receipts"
CALLER = Caller(name="alice", kind="user", method="token-file")
SHOWN = LabReceipt(id="a-broadcast", state="shown", tabs=1)

#: Valid bodies, and bodies that are invalid in every way.
BODIES = [
    b'{"receipts": []}',
    b'{"receipts": [{"id": "unknown", "state": "shown", "tabs": 2}]}',
    b'{"receipts": [{"id": "unknown", "state": "read", "at": "2026-01-01T00:00:00Z"}]}',
    b'{"receipts": [{"id": "unknown", "state": "shown", "tabs": "2", "more": null}]}',
    b'{"receipts": [{"id": "unknown", "state": "shown", "tabs": NaN}]}',
    b'{"receipts": [{"id": "unknown", "state": "shown", "tabs": -1}]}',
    b'{"receipts": [{"id": "unknown", "state": "heard"}]}',
    b'{"receipts": [{"id": "unknown", "state": "shown", "at": "tomorrow"}]}',
    b'{"receipts": [{"id": "\\ud800", "state": "shown"}]}',
    b'{"receipts": [{"id": "\\u0000", "state": "shown"}]}',
    b'{"receipts": [{"id": 7, "state": "shown"}]}',
    b'{"receipts": {}}',
    b"\xef\xbb\xbf" + b'{"receipts": []}',
    b'{"receipts": []} and more',
    b'{"receipts": [',
    b"\xff\xfe",
    b"[]",
    b"null",
    b"",
    b'{"receipts": ["' + b"x" * 300_000 + b'"]}',
    b'{"receipts": [' + b",".join([b'{"id":"a","state":"shown"}'] * 1001) + b"]}",
]


async def test_what_comes_soon_after_a_commit_is_written_together(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = asyncio.Event()

    async def pause(seconds: float) -> None:
        if seconds > 0:
            await over.wait()

    # The pause ends when the test says so: a busy machine may take longer than any other pause.
    monkeypatch.setattr(receipt_groups, "PAUSE_S", 3600.0)
    paused = SimpleNamespace(**{**vars(asyncio), "sleep": pause})
    monkeypatch.setattr(receipt_groups, "asyncio", paused)
    written: list[str] = []

    async def write(transaction: Transaction, sent: Sequence[Sent]) -> None:
        del transaction
        written.extend(receipt.id for _, receipt in sent)

    async def nothing(transaction: Transaction) -> None:
        del transaction

    writer = CountingWriter(service.parts.writer)
    groups = ReceiptGroups(writer=cast(Writer, writer), write=write)
    # The first after a quiet time is not kept waiting.
    await groups.take(CALLER, [SHOWN])
    assert (writer.commands, len(written)) == (1, 1)
    labs = []
    for _ in range(5):
        labs.append(asyncio.create_task(groups.take(CALLER, [SHOWN])))
        # Without the pause, the writer would have written it by the end of this.
        await service.parts.writer.run(nothing)
    over.set()
    await asyncio.gather(*labs)
    assert (writer.commands, len(written)) == (2, 6)


@pytest.mark.parametrize(
    ("who", "answers"),
    [
        ("alice", {204, 413, 422}),
        ("quota", {403, 413, 422}),
        (None, {401, 413, 422}),
        ("wrong", {401, 413, 422}),
    ],
)
async def test_each_body_is_answered_as_the_other_routes_answer(
    service: Service, who: str | None, answers: set[int]
) -> None:
    """A body whose content type has parameters goes the same way as on other routes."""
    client = service.as_(None if who == "wrong" else who)
    more = {"Authorization": "Bearer jhn_wrong"} if who == "wrong" else {}

    async def answer(body: bytes, kind: str) -> tuple[int, str | None, str]:
        got = await client.post(URL, content=body, headers={"Content-Type": kind, **more})
        return got.status_code, got.headers.get("www-authenticate"), got.text

    found = set()
    for body in BODIES:
        plain = await answer(body, "application/json")
        assert plain == await answer(body, "application/json; charset=utf-8"), body[:80]
        found.add(plain[0])
    assert found == answers
