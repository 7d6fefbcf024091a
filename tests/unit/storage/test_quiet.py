"""Being left alone: do not disturb until a time, and muted sources."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify.exceptions import Conflict
from jupyterlab_notify.limits import MAX_MUTED
from jupyterlab_notify.storage import Cursor, Storage, no_operation
from jupyterlab_notify.storage.quiet import MAX_UNMUTED, QuietChange, SharedQuiet, UntoldQuiet

from ...support import file_faults as places
from ...support.storage import QUICK, Clock, Make, do


def change(store: Storage, **changes: Any) -> Any:
    return do(store, lambda tx: store.quiet.change(tx, QuietChange(**changes)))


def quiet(store: Storage) -> Any:
    return do(store, store.quiet.read, False)


def frame(store: Storage, since: Cursor | None = None) -> Any:
    return do(store, lambda tx: store.notifications.frame(tx, since), False)


def test_a_user_who_never_changed_it_has_nothing(store: Storage) -> None:
    assert quiet(store) is None
    assert frame(store)["quiet"] is None


def test_a_change_is_in_the_next_frame_without_rows(store: Storage) -> None:
    since = Cursor.parse(frame(store)["cursor"])
    held = change(store, do_not_disturb=True)
    assert held == {"doNotDisturb": True, "until": None, "muted": []}
    following = frame(store, since)
    assert following["type"] == "changes" and following["notifications"] == []
    assert following["quiet"] == held
    assert following["cursor"] != str(since)


def test_do_not_disturb_ends_by_itself_and_tells_so(store: Storage, clock: Clock) -> None:
    held = change(store, do_not_disturb=True, until_ms=clock() + 3_600_000)
    assert held["until"] == "2027-01-15T09:00:00.000Z"
    before = frame(store)["cursor"]
    clock.forward(3599)
    do(store, no_operation)
    assert quiet(store)["doNotDisturb"] is True
    assert frame(store)["cursor"] == before
    clock.forward(1)
    # An operation that only reads finds do-not-disturb ended, too.
    assert quiet(store) == {"doNotDisturb": False, "until": None, "muted": []}
    assert frame(store)["cursor"] != before
    # Once.
    after = frame(store)["cursor"]
    clock.forward(3600)
    do(store, no_operation)
    assert frame(store)["cursor"] == after


def test_it_is_kept_over_a_restart_and_ends_meanwhile(make: Make, clock: Clock) -> None:
    store = make()
    change(store, do_not_disturb=True, until_ms=clock() + 60_000)
    change(store, mute="quota")
    store.close()
    again = make()
    assert quiet(again)["doNotDisturb"] is True
    again.close()
    clock.forward(61)
    assert quiet(make()) == {"doNotDisturb": False, "until": None, "muted": ["quota"]}


def test_a_new_end_takes_the_place_of_the_earlier_one(store: Storage, clock: Clock) -> None:
    change(store, do_not_disturb=True, until_ms=clock() + 60_000)
    change(store, do_not_disturb=True)
    clock.forward(120)
    assert quiet(store) == {"doNotDisturb": True, "until": None, "muted": []}
    change(store, do_not_disturb=False)
    assert quiet(store)["doNotDisturb"] is False


def test_sources_are_muted_and_heard_again_each_by_its_own_name(store: Storage) -> None:
    change(store, mute="quota")
    change(store, mute="backup")
    assert change(store, mute="quota")["muted"] == ["backup", "quota"]
    assert change(store, unmute="never muted")["muted"] == ["backup", "quota"]
    held = change(store, unmute="backup")
    assert held == {"doNotDisturb": None, "until": None, "muted": ["quota"]}


def test_too_many_sources_cannot_be_muted_and_nothing_changes(store: Storage) -> None:
    for number in range(MAX_MUTED):
        change(store, mute=f"source {number}")
    before = frame(store)["cursor"]
    with pytest.raises(Conflict, match="unmute another"):
        change(store, mute="one more")
    assert frame(store)["cursor"] == before
    change(store, mute="source 3")
    assert len(quiet(store)["muted"]) == MAX_MUTED


@pytest.mark.parametrize("ahead_s", [-3600, 0, 400 * 86_400])
def test_an_end_in_the_past_or_too_far_ahead_is_refused_and_nothing_changes(
    store: Storage, clock: Clock, ahead_s: int
) -> None:
    with pytest.raises(Conflict, match="in the future"):
        change(store, mute="quota", do_not_disturb=True, until_ms=clock() + ahead_s * 1000)
    assert quiet(store) is None


def test_what_was_changed_while_the_file_failed_is_in_the_file_afterwards(
    make: Make, path: Path, clock: Clock
) -> None:
    store = make(timings=QUICK)
    change(store, mute="before")
    change(store, mute="heard again")
    change(store, do_not_disturb=True, until_ms=clock() + 60_000)
    with places.locked(path):
        change(store, unmute="heard again")
        change(store, mute="meanwhile")
        change(store, do_not_disturb=False)
        assert not store.engine.durable
    do(store, no_operation)
    assert store.engine.durable
    held = {"doNotDisturb": False, "until": None, "muted": ["before", "meanwhile"]}
    assert quiet(store) == held
    store.close()
    assert quiet(make()) == held


# Entries of a central service, told by the user's other servers


def untold(store: Storage) -> list[UntoldQuiet]:
    return do(store, store.quiet.untold, False)


def muted(store: Storage) -> list[str]:
    return (quiet(store) or {"muted": []})["muted"]


def adopt(store: Storage, *entries: SharedQuiet, sent: Any = ()) -> list[UntoldQuiet]:
    return do(store, lambda tx: store.quiet.adopt(tx, entries, sent))


def test_the_last_change_counts_wherever_it_was_made(store: Storage, clock: Clock) -> None:
    change(store, mute="quota")
    change(store, mute="backup")
    sent = untold(store)
    assert [(one.source, one.on) for one in sent] == [("backup", True), ("quota", True)]
    # The user unmutes one source while the service answers, so the answer counts for the other.
    clock.forward(5)
    change(store, unmute="backup")
    answer = [SharedQuiet("backup", True, None, 1000), SharedQuiet("quota", False, None, 2000)]
    assert adopt(store, *answer, sent=sent) == []
    assert muted(store) == []
    assert [(one.source, one.on, one.age_ms) for one in untold(store)] == [("backup", False, 0)]
    # An earlier change from elsewhere counts no more; a later one does.
    assert adopt(store, SharedQuiet("quota", True, None, 1999)) == []
    assert muted(store) == []
    assert adopt(store, SharedQuiet("quota", True, None, 2001)) == []
    assert muted(store) == ["quota"]


def test_do_not_disturb_of_another_server_ends_here_too_and_tabs_hear_of_it_once(
    store: Storage, clock: Clock
) -> None:
    until_ms = clock() + 3_600_000
    before = frame(store)["cursor"]
    adopt(store, SharedQuiet("", True, until_ms, 1000))
    assert quiet(store)["doNotDisturb"] is True
    heard = frame(store)["cursor"]
    assert heard != before
    # The same entry again, or with its end in whole seconds, changes nothing.
    adopt(store, SharedQuiet("", True, until_ms, 1000))
    adopt(store, SharedQuiet("", True, until_ms - 999, 1001))
    assert frame(store)["cursor"] == heard
    clock.forward(3600)
    do(store, no_operation)
    assert quiet(store) == {"doNotDisturb": False, "until": None, "muted": []}
    # Do-not-disturb does not begin again, nor does one that had ended before it was known here.
    adopt(store, SharedQuiet("", True, until_ms, 1001))
    adopt(store, SharedQuiet("", True, clock() - 1000, 2000))
    assert quiet(store)["doNotDisturb"] is False


def test_what_the_service_lost_or_refused_holds_here(store: Storage) -> None:
    change(store, mute="quota")
    change(store, mute="backup")
    change(store, mute="refused")
    sent = untold(store)
    adopt(
        store, SharedQuiet("quota", True, None, 7), SharedQuiet("backup", True, None, 8), sent=sent
    )
    assert untold(store) == []
    # A service whose database was restored has lost entries, or has older ones.
    lost = adopt(store, SharedQuiet("backup", False, None, 3))
    assert [one.source for one in lost] == ["backup", "quota"]
    assert muted(store) == ["backup", "quota", "refused"]


def test_only_so_many_unmuted_sources_are_remembered(store: Storage, clock: Clock) -> None:
    change(store, mute="kept")
    for number in range(MAX_UNMUTED + 5):
        clock.forward(1)
        change(store, mute=f"source {number}")
        change(store, unmute=f"source {number}")
    sources = [one.source for one in untold(store)]
    assert len(sources) == MAX_UNMUTED + 1
    assert "kept" in sources and "source 4" not in sources
