"""Values that were never stored, in the tables beside the notifications, cost nothing else."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from jupyterlab_notify.pictures import read_picture
from jupyterlab_notify.storage import Storage
from jupyterlab_notify.storage.quiet import QuietChange, SharedQuiet

from ...support.pictures import png
from ...support.remote import LEASE_MS, change, outbox, renew_lease, take
from ...support.storage import QUICK, Clock, check_sound, do, frame, live, raw, receive

if TYPE_CHECKING:
    from jupyterlab_notify.storage.shapes import WelcomeContent


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


#: Values beside the notifications that nobody could read, each with what would fail on it.
ODD: dict[str, tuple[str, ...]] = {
    "UPDATE quiet SET until_ms = {}": ("253402300800000", "9223372036854775807", "'x'", "1.5"),
    "UPDATE quiet SET source = {} WHERE source = 'spam'": ("x'ff'",),
    "UPDATE quiet SET changed_ms = {}": ("'x'", "x'ff'"),
    "UPDATE quiet SET stamp = {}": ("'x'", "x'ff'", "'[1]'"),
    "UPDATE welcome SET content = {}": ("'x'", "'null'", "'[1]'", "'{}'", "5", "x'ff00'", "1.5"),
    "UPDATE welcome SET views = {}": ("'x'", "x'ff00'", "9e999"),
    "UPDATE askers SET central = {}": ("x'ff00'",),
}


@pytest.mark.parametrize(
    "sql", [sql.format(value) for sql, values in ODD.items() for value in values]
)
@pytest.mark.parametrize("is_open", [True, False])
def test_what_cannot_be_read_beside_the_notifications_is_set_aside_and_the_rest_kept(
    path: Path, clock: Clock, polling: Storage, sql: str, is_open: bool
) -> None:
    store = polling
    quiet = QuietChange(do_not_disturb=True, until_ms=clock() + 60_000, mute="spam")
    do(store, lambda tx: store.quiet.change(tx, quiet))
    listed: WelcomeContent = {
        "id": "1",
        "aspect": "a",
        "title": "t",
        "summary": None,
        "body": "b",
        "dismissable": True,
        "must_accept": False,
        "max_views": 3,
        "updated": None,
    }
    do(store, lambda tx: store.welcome.sync(tx, store.welcome.sync_version(tx), [listed], 0, None))
    do(store, lambda tx: store.welcome.record_views(tx, ["central:c:1"]))
    if not is_open:
        store.close()
    tamper(path, sql)
    if not is_open:
        store = Storage(path, clock=clock, central="c", timings=QUICK)
    # As the handlers do, outside of the operation.
    json.dumps(do(store, lambda tx: store.welcome.messages(tx, every=True), write=False))
    json.dumps(do(store, store.quiet.read, write=False))
    frame(store, None)
    do(store, store.quiet.untold, write=False)
    do(store, lambda tx: store.quiet.adopt(tx, [SharedQuiet("spam", True, None, 5)]))
    do(store, lambda tx: store.welcome.dismiss(tx, None))
    assert store.engine.durable
    assert [p for p in path.parent.iterdir() if ".corrupt-" in p.name]
    assert [row["message"] for row in live(store).values()] == ["message one"]
    store.close()
    check_sound(path)
