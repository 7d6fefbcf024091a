"""Retention keeps of each sender the most valuable longest, within a number of bytes."""

from __future__ import annotations

import pytest

from jupyterlab_notify.storage import Retention, Storage, connection

from ...support.storage import Clock, Make, change, check_counts, live, receive


def texts(store: Storage) -> set[str]:
    return {row["message"] for row in live(store).values()}


def test_one_source_that_floods_drives_out_nothing_of_another(make: Make) -> None:
    store = make(retention=Retention(count=100))
    for number in range(20):
        receive(store, f"outage {number}", source="operator", banner=1, dismissable=0)
    for number in range(20):
        receive(store, f"quiet {number}", source="backup")
    for number in range(500):
        receive(store, f"flood {number}", source="loop", banner=1, dismissable=0)
    store.engine.prune()
    kept = texts(store)
    assert len(kept) == 100
    assert {f"outage {n}" for n in range(20)} | {f"quiet {n}" for n in range(20)} <= kept
    assert {f"flood {n}" for n in range(440, 500)} <= kept, "the newest of the flood"
    check_counts(store)


def test_a_token_gets_no_larger_share_by_naming_many_sources(make: Make) -> None:
    store = make(retention=Retention(count=100))
    for number in range(50):
        receive(store, f"quota {number}", source=f"quota {number % 2}", via="bot-quota")
        receive(store, f"own {number}", source="Jupyter")
    for number in range(1000):
        via = ("mallory", "Jupyter")[number % 2]
        receive(store, f"flood {number}", source=f"source {number}", via=via)
    store.engine.prune()
    kept = [text.split()[0] for text in texts(store)]
    shares = {name: kept.count(name) for name in ("quota", "own", "flood")}
    # Three tokens share the room evenly: the bot's, the flooding one, and the user's own.
    assert shares["quota"] in (33, 34)
    assert shares["own"] + shares["flood"] in (66, 67)
    check_counts(store)


@pytest.mark.parametrize("via", [None, "Jupyter"])
@pytest.mark.parametrize(("large", "banner"), [(True, 0), (True, 1), (False, 0)])
def test_a_flood_of_many_sources_drives_out_no_banner(
    make: Make, via: str | None, large: bool, banner: int
) -> None:
    store = make(retention=Retention(count=100, size=4_000_000))
    for number in range(20):
        receive(store, f"outage {number}", source="operator", via=via, banner=1, dismissable=0)
    for number in range(400):
        more = {"body": "x" * 32_000, "data": '"' + "y" * 30_000 + '"'} if large else {}
        receive(
            store,
            f"flood {number}",
            source=f"{number}",
            via="Jupyter",
            banner=banner,
            dismissable=1 - banner,
            **more,
        )
    store.engine.prune()
    kept = texts(store)
    assert {f"outage {n}" for n in range(20)} <= kept
    assert any(text.startswith("flood") for text in kept)
    check_counts(store)


def test_large_messages_drive_out_no_small_ones(make: Make) -> None:
    store = make(retention=Retention(size=4_000_000))
    for number in range(1000):
        receive(store, f"small {number}", source="quota")
    for number in range(100):
        receive(store, f"large {number}", source="loop", body="x" * 62_000)
    store.engine.prune()
    kept = texts(store)
    assert {f"small {n}" for n in range(1000)} <= kept
    assert 40 < len(kept) - 1000 < 60, "the large ones take the rest of the room"


def test_what_is_unread_or_must_be_in_sight_is_kept_longest(make: Make) -> None:
    store = make(retention=Retention(count=3))
    receive(store, "banner", banner=1, dismissable=0)
    receive(store, "unread")
    for text, state in (
        ("read", {"read": True}),
        ("dismissed", {"dismissed": True}),
        ("read too", {"read": True}),
    ):
        change(store, receive(store, text), **state)
    store.engine.prune()
    assert texts(store) == {"banner", "unread", "read too"}


def test_bytes_are_bounded_while_a_source_floods(make: Make, clock: Clock) -> None:
    size = 4_000_000
    store = make(retention=Retention(size=size))
    for number in range(20):
        receive(store, f"outage {number}", source="operator", banner=1, dismissable=0)
    largest = 0
    for number in range(300):
        receive(
            store,
            f"flood {number}",
            source="loop",
            body="x" * 32_000,
            data='"' + "y" * 30_000 + '"',
        )
        largest = max(largest, connection.measure(store.engine._connection))
    # A tenth more is allowed, and what comes in until the size is measured again.
    assert largest < 1.1 * size + 5 * 70_000
    kept = texts(store)
    assert {f"outage {n}" for n in range(20)} <= kept
    assert 40 < len(kept) < 100 and "flood 299" in kept
    assert store.engine.path is not None
    check_counts(store)


def test_small_messages_count_with_what_they_take_on_disk(make: Make) -> None:
    size = 1_000_000
    for body in ("", "x" * 100, "x" * 1000, "x" * 2500, "x" * 5000):
        store = make(path=None, retention=Retention(size=size, count=0))
        for number in range(900):
            receive(store, str(number), body=body)
        store.engine.prune()
        assert connection.measure(store.engine._connection) < 1.2 * size, len(body)
        store.close()


def test_zero_bytes_means_without_bound(make: Make) -> None:
    store = make(retention=Retention(size=0))
    for number in range(20):
        receive(store, str(number), body="x" * 32_000)
    assert store.engine.prune() == 0
