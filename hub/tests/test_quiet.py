"""Do not disturb and muted sources: the same on all servers, and the last change counts."""

from __future__ import annotations

from typing import Any

import pytest

from jupyterhub_notify.models.quiet import MOST

from .support import Service

PATH = "/v1/quiet"


async def change(service: Service, *entries: dict[str, Any], user: str = "alice") -> Any:
    answer = await service.as_(user).patch(PATH, json={"entries": list(entries)})
    assert answer.status_code == 200, answer.text
    return by_source(answer.json())


async def quiet(service: Service, user: str = "alice") -> Any:
    return by_source((await service.as_(user).get(PATH)).json())


def by_source(answer: Any) -> dict[str, Any]:
    return {entry["source"]: (entry["on"], entry["until"]) for entry in answer["entries"]}


def muted(source: str, on: bool = True, age_s: float = 0) -> dict[str, Any]:
    return {"source": source, "on": on, "age_ms": int(age_s * 1000)}


async def test_it_is_the_users_own_and_told_to_their_streams_alone(service: Service) -> None:
    assert await quiet(service) == {}
    cursor = await service.cursor()
    until = "2030-01-01T09:00:00Z"
    async with service.stream() as events, service.stream("bob") as others:
        held = await change(service, {"source": "", "on": True, "until": until}, muted("quota"))
        assert held == {"": (True, until), "quota": (True, None)}
        told = await events.until("quiet")
        assert [entry["source"] for entry in told.data["entries"]] == ["", "quota"]
        # The next that another user hears of is their own.
        await change(service, muted("backup"), user="bob")
        own = await others.until("quiet")
        assert [entry["source"] for entry in own.data["entries"]] == ["backup"]
    assert await quiet(service) == held
    # Whoever was away hears of it, too.
    async with service.stream(cursor=cursor) as events:
        again = await events.until("quiet")
        assert again.data == told.data


async def test_the_last_change_counts_also_if_an_earlier_one_comes_after_it(
    service: Service,
) -> None:
    await change(service, muted("quota", age_s=7200), muted("backup", age_s=7200))
    # A lab that was offline tells what its user did before, and after.
    held = await change(service, muted("quota", False, 9000), muted("backup", False, 3600))
    assert held == {"quota": (True, None), "backup": (False, None)}
    # A change repeated with a later time wins over those in between.
    await change(service, muted("quota", age_s=600))
    assert (await change(service, muted("quota", False, 1800)))["quota"] == (True, None)


async def test_sources_that_are_no_longer_muted_give_way_and_muted_ones_do_not(
    service: Service,
) -> None:
    await change(service, *(muted(f"s{n}", False, 1000 - n) for n in range(MOST)))
    await change(service, {"source": "", "on": False, "age_ms": 10**7})
    held = await change(service, *(muted(f"t{n}") for n in range(MOST - 1)))
    assert len(held) == MOST
    assert held[""] == (False, None)
    refused = await service.as_("alice").patch(PATH, json={"entries": [muted("one more")]})
    assert refused.status_code == 422
    assert "unmute another" in refused.text
    assert await quiet(service) == held


@pytest.mark.parametrize(
    "entries",
    [
        [{"source": "x" * 256, "on": True}],
        [{"source": "a\x00b", "on": True}],
        [{"source": "x", "on": True, "age_ms": -1}],
        [{"source": "x", "on": True}] * 2,
        [{"source": "x"}],
        [muted(str(number)) for number in range(MOST + 1)],
    ],
)
async def test_what_is_no_good_changes_nothing(service: Service, entries: Any) -> None:
    answer = await service.as_("alice").patch(PATH, json={"entries": entries})
    assert answer.status_code == 422
    assert await quiet(service) == {}


async def test_only_users_have_it(service: Service) -> None:
    for caller, status in ((None, 401), ("quota", 403)):
        assert (await service.as_(caller).get(PATH)).status_code == status
        answer = await service.as_(caller).patch(PATH, json={"entries": [muted("x")]})
        assert answer.status_code == status
