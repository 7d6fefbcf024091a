"""Values that were never stored, in the tables beside the notifications, cost nothing else."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from jupyterlab_notify.pictures import read_picture
from jupyterlab_notify.storage import Storage

from ...support.pictures import png
from ...support.remote import LEASE_MS, change, outbox, renew_lease, take
from ...support.storage import QUICK, Clock, do, live, raw, receive


def tamper(path: Path, sql: str) -> None:
    db = sqlite3.connect(path)
    db.execute(sql)
    db.commit()
    db.close()


@pytest.fixture
def polling(path: Path, clock: Clock) -> Storage:
    """A store that polls a central service, with one message of it."""
    store = Storage(path, clock=clock, central="c", timings=QUICK)
    renew_lease(store, "me")
    (id_,) = take(store, "one")
    change(store, id_, read=True)
    return store


@pytest.mark.parametrize("claimed_ms", ["x'ff'", "'x'", "1.5", "9e999", "'[1]'", "NULL"])
def test_a_claim_whose_time_cannot_be_read_is_void(
    path: Path, polling: Storage, claimed_ms: str
) -> None:
    tamper(path, f"UPDATE outbox SET claimed_by = 'another', claimed_ms = {claimed_ms}")
    claim = do(polling, lambda tx: polling.outbox.claim(tx, "me", LEASE_MS))
    assert claim is not None
    assert claim.subjects == ("one",)
    assert polling.engine.durable
    polling.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE outbox SET number = 9223372036854775807",
        "UPDATE sqlite_sequence SET seq = 9223372036854775807",
    ],
)
def test_an_outbox_without_a_number_left_is_no_full_disk(
    path: Path, polling: Storage, sql: str
) -> None:
    tamper(path, sql)
    (id_,) = take(polling, "two")
    change(polling, id_, read=True)
    assert polling.engine.durable
    assert [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    assert [subjects for _, subjects in outbox(polling)] == [("one", "two")]
    assert len(live(polling)) == 2
    polling.close()


@pytest.mark.parametrize("size", ["9223372036854775807", "-9223372036854775807", "'x'", "x'ff'"])
def test_a_picture_takes_the_room_of_its_bytes_whatever_its_size_is_said_to_be(
    path: Path, clock: Clock, size: str
) -> None:
    store = Storage(path, clock=clock, timings=QUICK)
    picture = read_picture(png())
    ids = [receive(store, str(number)) for number in range(5)]
    do(store, lambda tx: store.pictures.set(tx, ids[2], "queue", picture))
    tamper(path, f"UPDATE pictures SET size = {size}")
    do(store, lambda tx: store.pictures.set(tx, ids[3], "queue", picture))
    assert store.engine.prune() == 0
    assert live(store).keys() == set(ids)
    for id_ in ids[2:4]:
        do(store, lambda tx, id_=id_: store.pictures.get(tx, id_, picture.version), write=False)
    store.close()
    # It is saved from a file that is set aside, too.
    tamper(path, "UPDATE state SET seq = 'x'")
    store = Storage(path, clock=clock, timings=QUICK)
    assert live(store).keys() == set(ids)
    assert len(raw(store, "SELECT id FROM pictures")) == 2
    store.close()
