"""Pictures in the database: they go with their rows, keep within bounds and survive faults."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import NotFound
from jupyterlab_notify.pictures import Picture, read_picture
from jupyterlab_notify.storage import Retention, Storage, no_operation, recovery, schema

from ...support import file_faults as places
from ...support.manager import corrupt_text
from ...support.pictures import png
from ...support.storage import (
    QUICK,
    Clock,
    Make,
    change,
    check_counts,
    check_sound,
    do,
    frame,
    live,
    raw,
    receive,
    revoke,
    set_back,
)


def picture(shade: int = 0, size: int = 0) -> Picture:
    """Return a picture, padded to a size."""
    made = read_picture(png(shade=shade))
    return made._replace(data=made.data + bytes(max(size - len(made.data), 0)))


def give(store: Storage, name: str, given: Picture | None, source: str = "queue") -> Any:
    return do(store, lambda tx: store.pictures.set(tx, name, source, given))


def taken(store: Storage, id_: str, given: Picture) -> bytes:
    """Return the bytes that are served for a picture."""
    get = store.pictures.get
    data, media_type = do(store, lambda tx: get(tx, id_, given.version), write=False)
    assert media_type == given.media_type
    return data


def kept(store: Storage) -> set[str]:
    """Return the ids of the messages whose pictures are there, as rows and table agree."""
    named = {id_ for id_, row in live(store).items() if row["image"] is not None}
    if store.engine.durable:
        assert {id_ for (id_,) in raw(store, "SELECT id FROM pictures")} == named
    return named


def test_a_picture_goes_with_its_row_however_that_goes(make: Make, clock: Clock) -> None:
    store = make(retention=Retention(days=1, always=0))
    ends: dict[str, Callable[[str], object]] = {
        "revoked": lambda id_: revoke(store, id_),
        "expired": lambda id_: (clock.forward(60), do(store, no_operation)),
        "taken away": lambda id_: give(store, id_, None),
        "grown old": lambda id_: (clock.forward(2 * 86_400), store.engine.prune()),
    }
    for name, end in ends.items():
        expires_ms = clock() + 30_000 if name == "expired" else None
        id_ = receive(store, name, expires_ms=expires_ms)
        give(store, id_, picture())
        assert kept(store) == {id_}, name
        end(id_)
        assert kept(store) == set(), name
        with pytest.raises(NotFound):
            taken(store, id_, picture())
    check_counts(store)


def test_a_server_of_the_version_before_leaves_no_picture_behind(
    store: Storage, path: Path
) -> None:
    id_, other = receive(store), receive(store)
    give(store, id_, picture())
    give(store, other, picture())
    old = sqlite3.connect(path)
    # An earlier version, which knows no pictures, revokes like this.
    old.execute("UPDATE notifications SET revoked_ms = 1, message = '' WHERE id = ?", (id_,))
    old.execute("DELETE FROM notifications WHERE id = ?", (other,))
    assert old.execute("SELECT count(*) FROM pictures").fetchone() == (0,)
    old.rollback()
    old.close()


def test_a_replaced_picture_changes_its_row_and_nothing_else(store: Storage, clock: Clock) -> None:
    id_ = receive(store, key="loss")
    newer = receive(store, "newer")
    change(store, id_, read=True)
    before = live(store)[id_]
    clock.forward(5)
    cursor = do(store, lambda tx: tx.cursor, write=False)
    assert give(store, "loss", picture(1)).action == "updated"
    assert give(store, "loss", picture(1)).action is None
    (row,) = frame(store, cursor)["notifications"]
    assert row["image"] == {
        "version": picture(1).version,
        "type": "image/png",
        "width": 24,
        "height": 16,
    }
    assert {**row, "seq": 0, "image": None} == {**before, "seq": 0}
    assert next(iter(live(store))) == newer
    assert taken(store, id_, picture(1)) == picture(1).data
    check_counts(store)


def test_pictures_drive_out_no_message(make: Make) -> None:
    store = make(retention=Retention(size=2_000_000))
    texts = [receive(store, f"text {n}", source="backup") for n in range(100)]
    shown = receive(store, "shown", source="backup")
    give(store, shown, picture(0, 100_000), "backup")
    flood = [receive(store, f"picture {n}", source="loop") for n in range(40)]
    for number, id_ in enumerate(flood):
        give(store, id_, picture(number, 200_000), "loop")
    store.engine.prune()
    assert set(live(store)) == {*texts, shown, *flood}
    # Half of the bound is for pictures: four of the flood, and one of a sender with less.
    assert kept(store) == {shown, *flood[-4:]}
    check_counts(store)


@pytest.mark.parametrize("order", ["growing", "shrinking", "backwards"])
def test_pictures_of_many_senders_drive_out_no_message(make: Make, order: str) -> None:
    size = 2_000_000
    store = make(retention=Retention(size=size))
    ids = [receive(store, f"{n}", source=f"sender {n}") for n in range(30)]
    for n in reversed(range(30)) if order == "backwards" else range(30):
        more = {"growing": n, "shrinking": -n, "backwards": 0}[order]
        give(store, ids[n], picture(n, 100_000 + 100 * more), f"sender {n}")
        assert ids[n] in kept(store), "the newest picture stays"
        ((taken_up,),) = raw(store, "SELECT sum(size) FROM pictures")
        assert taken_up <= size / 2
    store.engine.prune()
    assert len(live(store)) == 30


def test_a_source_that_floods_takes_no_picture_of_another_with_the_same_token(make: Make) -> None:
    store = make(retention=Retention(size=2_000_000))
    id_ = receive(store, "plot", source="notebook", via="Jupyter")
    give(store, id_, picture(1, 100_000), "notebook")
    for n in range(30):
        flood = receive(store, f"{n}", source="loop", via="Jupyter")
        give(store, flood, picture(n, 100_000), "loop")
    assert id_ in kept(store)


def test_a_picture_counts_for_the_bound(make: Make) -> None:
    store = make(retention=Retention(size=100_000_000))
    ids = [receive(store, f"{n}") for n in range(10)]
    for number, id_ in enumerate(ids):
        give(store, id_, picture(number, 1_000_000))
    store.retention.size = 3_500_000
    store.engine.prune()
    assert list(live(store)) == ids[:-4:-1]
    assert kept(store) == set(ids[-3:])


def test_an_earlier_database_gets_a_place_for_pictures(make: Make, path: Path) -> None:
    store = make()
    id_ = receive(store)
    store.close()
    set_back(path, next(n for n, sql in enumerate(schema.MIGRATIONS) if "pictures" in sql))
    store = make()
    assert live(store)[id_]["image"] is None
    give(store, id_, picture())
    assert kept(store) == {id_}


def test_what_memory_received_is_stored_with_its_pictures(make: Make, path: Path) -> None:
    store = make(timings=QUICK)
    ids = {name: receive(store, name) for name in ("read", "other", "replaced", "taken", "gone")}
    for name in ids:
        give(store, ids[name], picture(1))
    with places.locked(path):
        ids["new"] = receive(store, "new")
        assert not store.engine.durable
        assert taken(store, ids["other"], picture(1)) == picture(1).data
        give(store, ids["new"], picture(2))
        give(store, ids["replaced"], picture(3))
        give(store, ids["taken"], None)
        revoke(store, ids["gone"])
        change(store, ids["read"], read=True)
    do(store, no_operation)
    assert store.engine.durable
    assert kept(store) == {ids[name] for name in ("read", "other", "replaced", "new")}
    for name, shade in (("read", 1), ("other", 1), ("replaced", 3), ("new", 2)):
        assert taken(store, ids[name], picture(shade)) == picture(shade).data
    check_sound(path)


def test_a_picture_that_memory_had_no_room_for_stays_in_the_file(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(timings=QUICK)
    old, new = receive(store, "old"), receive(store, "new")
    give(store, old, picture(1, 3000))
    give(store, new, picture(2, 3000))
    monkeypatch.setattr(recovery, "SALVAGED_PICTURE_BYTES", 4000)
    with places.locked(path):
        receive(store, "meanwhile")
        assert taken(store, new, picture(2, 3000))
        with pytest.raises(NotFound):
            taken(store, old, picture(1, 3000))
        change(store, old, read=True)
        change(store, new, read=True)
    do(store, no_operation)
    assert store.engine.durable
    assert live(store)[old]["read"]
    assert kept(store) == {old, new}
    assert taken(store, old, picture(1, 3000)) == picture(1, 3000).data


def test_a_new_file_after_a_corrupt_one_has_the_pictures_that_could_be_saved(
    make: Make, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make(timings=QUICK)
    ids = [receive(store, f"old {n} ") for n in range(10)]
    give(store, ids[1], picture(1, 3000))
    give(store, ids[8], picture(2, 3000))
    store.close()
    corrupt_text(path)
    monkeypatch.setattr(recovery, "SALVAGED_PICTURE_BYTES", 4000)
    store = make(timings=QUICK)
    for _ in range(3):
        live(store)
    assert store.engine.status()["setAside"]
    assert ids[1] in live(store)
    assert kept(store) == {ids[8]}
    assert taken(store, ids[8], picture(2, 3000)) == picture(2, 3000).data


def test_two_servers_on_one_home_serve_the_same_picture(make: Make) -> None:
    one, two = make(), make()
    id_ = receive(one)
    give(one, id_, picture(1))
    assert taken(two, id_, picture(1)) == picture(1).data
    give(two, id_, picture(2))
    assert taken(one, id_, picture(2)) == picture(2).data
    with pytest.raises(NotFound):
        taken(one, id_, picture(1))
