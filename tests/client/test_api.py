"""``from jupyter_notify import notify``: it updates in place, and never stops its caller."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jupyter_notify.api import Notify
from jupyter_notify.discovery import Target
from jupyter_notify.errors import BadUsage
from jupyter_notify.send_queue import INTERVAL_S, MAX_WAITING

from ..support.sending import Recorder, find, outside, python, run
from ..support.servers import Server, clean_environment, python_path, wait_for
from .support import PRELUDE, Directed, final

# Costs and rates


@pytest.mark.parametrize(
    "hot",
    [
        lambda notify, steps: [None for _ in notify.track(steps, "Hot")],
        lambda notify, steps: [notify("Hot", key="k", progress=n % 100 / 100) for n in steps],
        lambda notify, steps: hot_progress(notify, steps),
    ],
    ids=["track", "notify", "progress"],
)
def test_a_hot_loop_makes_at_most_four_requests_a_second(
    recorder: Recorder, to_recorder: Directed, hot: Callable[[Notify, Iterator[int]], object]
) -> None:
    hot(to_recorder, steps_until(lambda: len(recorder.requests) >= 4))
    assert to_recorder.flush()
    assert recorder.most_in_a_second() <= 4
    assert len({asked.value["key"] for asked in recorder.requests}) == 1


def steps_until(enough: Callable[[], bool]) -> Iterator[int]:
    n = 0
    end = time.monotonic() + 20
    while not enough():
        assert time.monotonic() < end, "It was told too little."
        n += 1
        yield n


def hot_progress(notify: Notify, steps: Iterator[int]) -> None:
    with notify.progress("Hot") as progress:
        for _ in steps:
            progress.update()


def test_what_arrives_late_is_not_followed_at_once(
    recorder: Recorder, to_recorder: Directed
) -> None:
    recorder.reads_after_s = [0.3]
    hot_progress(to_recorder, steps_until(lambda: len(recorder.requests) >= 3))
    at = [asked.at for asked in recorder.requests]
    assert all(later - earlier >= INTERVAL_S for earlier, later in pairwise(at)), at


def test_a_million_steps_make_few_requests(recorder: Recorder, to_recorder: Directed) -> None:
    # benchmarks/bench_track.py measures the cost of a step beside a bare loop.
    assert sum(1 for _ in to_recorder.track(range(1_000_000), "Million")) == 1_000_000
    assert to_recorder.flush()
    assert recorder.most_in_a_second() <= 4
    last = recorder.requests[-1].value
    assert last["type"] == "success"
    assert last["message"].startswith("Million: done, 1,000,000 in ")


def test_the_newest_of_one_key_is_what_arrives(recorder: Recorder, to_recorder: Directed) -> None:
    began = time.monotonic()
    sent = [to_recorder(f"n{n}", key="k") for n in range(100)]
    took_s = time.monotonic() - began
    assert to_recorder.flush()
    assert recorder.requests[-1].value["message"] == "n99"
    # The first and the last message are sent, and in between at most one for each interval.
    assert len(recorder.requests) <= 2 + took_s / INTERVAL_S
    assert all(one.wait(1) for one in sent)


def test_messages_of_their_own_all_arrive_in_order(server: Server, to_server: Directed) -> None:
    sent = [to_server(f"ordered {n}") for n in range(50)]
    assert to_server.flush()
    rows = [r for r in server.page(limit=200)["notifications"] if "ordered" in r["message"]]
    assert [row["message"] for row in reversed(rows)] == [f"ordered {n}" for n in range(50)]
    assert [one.id for one in sent] == [row["id"] for row in reversed(rows)]


def test_what_waits_is_bounded_and_the_caller_does_not_wait() -> None:
    with Recorder(503, {"Retry-After": "5"}) as busy:
        notify = Directed(busy.url)
        sent = [notify(f"m{n}") for n in range(MAX_WAITING + 10)]
        refused = [one for one in sent if one.error]
        assert 9 <= len(refused) <= 10
        assert refused[0] is sent[-len(refused)]
        notify.queue.close(0.1)


def test_a_progress_that_stands_still_is_renewed_just_as_it_was(
    recorder: Recorder, to_recorder: Directed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_notify.send_queue.RENEWAL_S", 0.5)
    with to_recorder.progress("Still", total=4) as progress:
        progress.update()

        def renewed() -> list[Any] | None:
            said = [asked.value for asked in recorder.requests if asked.value["progress"] == 0.25]
            return said if len(said) >= 2 else None

        said = wait_for(renewed, "renewals")
    assert said is not None
    assert said[0] == said[1]
    assert said[0]["heartbeat"] == 30


# Failures around it


def test_without_a_server_one_warning_and_the_program_goes_on(tmp_path: Path) -> None:
    code = PRELUDE + (
        "import asyncio, logging\n"
        "from jupyter_notify import NotifyHandler\n"
        "from jupyter_notify.tqdm import tqdm\n"
        "logging.getLogger().addHandler(NotifyHandler(logging.DEBUG))\n"
        "logging.getLogger().addHandler(logging.StreamHandler())\n"
        "assert notify('a').wait() is None\n"
        "for n in notify.track(range(3), 'b'): pass\n"
        "with notify.progress('c') as p: p.update()\n"
        "assert asyncio.run(notify.asend('d')) is None\n"
        "list(tqdm(range(3), disable=None, file=open('/dev/null', 'w')))\n"
        "notify.revoke('e'); notify.flush()\n"
        "print('goes on')\n"
    )
    env = {**clean_environment(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    ran = run(sys.executable, "-c", code, env=env, cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (0, "goes on\n"), ran.stderr
    (line,) = ran.stderr.splitlines()
    assert line.startswith("Notifications are not sent. No Jupyter server of yours runs here")


def test_what_was_sent_while_the_server_was_away_arrives_when_it_is_back(
    make_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = make_server()
    notify = Notify()
    for name, value in outside(server).items():
        monkeypatch.setenv(name, value)
    assert notify("before").wait()
    server.stop()
    sent = notify("meanwhile")
    # The sender looks for the server in the runtime directory, and does not find it.
    assert sent.wait(1) is None
    assert sent.error is None
    server.start()
    assert sent.wait(20), sent
    assert [row["message"] for row in server.page()["notifications"]] == ["meanwhile", "before"]


@pytest.mark.parametrize("moved", [401, 403, 404, 0], ids=str)
def test_the_last_word_follows_a_server_that_came_back_elsewhere(
    recorder: Recorder, to_recorder: Directed, moved: int
) -> None:
    assert to_recorder("before").wait()
    with Recorder() as elsewhere:
        to_recorder.target = Target(elsewhere.url, "another", local=True)
        if moved:
            # The server's old port now belongs to another server, or its token has changed.
            recorder.status = moved
        else:
            recorder.close()
        sent = to_recorder("done")
        # The program ends right after that.
        to_recorder.queue.close(5)
        assert sent.id, sent
        (asked,) = elsewhere.requests
    assert asked.value["message"] == "done"
    assert asked.headers["Authorization"] == "Bearer another"


def test_a_progress_that_the_server_does_not_take_is_offered_less_and_less(
    recorder: Recorder, to_recorder: Directed
) -> None:
    recorder.status = 403
    with to_recorder.progress("Not taken", total=1000) as bar:

        def offered() -> bool:
            bar.update()
            return len(recorder.requests) >= 3

        wait_for(offered, "it to be offered again")
        first, second, third = (asked.at for asked in recorder.requests[:3])
        assert second - first >= 0.5
        assert third - second >= 1.0


def test_what_is_no_number_takes_neither_the_programs_time_nor_the_others_turn(
    recorder: Recorder, to_recorder: Directed
) -> None:
    class Odd:
        looked = 0

        def __format__(self, how: str) -> str:
            Odd.looked += 1
            raise TypeError("unsupported")

        def __str__(self) -> str:
            raise TypeError("unsupported")

    odd: Any = to_recorder.progress("Odd")
    odd.n = Odd()
    sound = to_recorder.progress("Sound")
    for n in range(3):
        sound.set(n)
        wait_for(lambda n=n: len(recorder.requests) > n, "the other to be told")
    assert {asked.value["message"].split(":")[0] for asked in recorder.requests} == {"Sound"}
    assert Odd.looked <= 20
    odd.n = 5
    wait_for(lambda: recorder.requests[-1].value["message"] == "Odd: 5", "it to be told again")
    odd.n = [1]
    odd.done()
    sound.done()
    assert to_recorder.flush()
    last = [asked.value["message"].split(" in ")[0] for asked in recorder.requests[-2:]]
    assert sorted(last) == ["Odd: done, [1]", "Sound: done, 2"]


async def test_asend_comes_back_from_an_answer_that_is_none(
    recorder: Recorder, to_recorder: Directed
) -> None:
    recorder.said = {}
    assert await asyncio.wait_for(to_recorder.asend("x"), 10) is None


def test_what_the_server_refuses_is_logged_once_and_told_to_who_asks(
    server: Server, to_server: Directed, caplog: pytest.LogCaptureFixture
) -> None:
    # Put invalid messages into the queue directly, since the sender checks its own limits before.
    # A newer server might refuse a message that passes them.
    first, second = (
        to_server.queue.submit({"message": "x" * 5000, "key": key}) for key in ("first", "second")
    )
    assert to_server.flush()
    assert first.id is second.id is None
    assert "message" in str(first.error)
    assert len(caplog.records) == 1
    assert to_server("fine").wait()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda n: n(""), "must not be empty"),
        (lambda n: n("m", type="sucess"), "must be one of default, info"),
        (lambda n: n("m", progress=2), "from 0 to 1"),
        (lambda n: n("m", data=object()), "cannot be written as JSON"),
        (lambda n: n("m", data=float("nan")), "cannot be written as JSON"),
        (lambda n: n("m", toast=False, persistent=True), "only one of"),
        (lambda n: n("m", actions=["x"]), "must be LABEL=COMMAND"),
        (lambda n: n("m", link="javascript:alert(1)"), "must begin with http"),
        (lambda n: n.progress("p", total=-1), "must not be negative"),
        (lambda n: n.configure(url="ftp://example.org"), "must begin with http"),
    ],
)
def test_wrong_use_is_told_at_once_as_a_value_error(
    to_recorder: Directed, recorder: Recorder, wrong: Callable[[Notify], object], said: str
) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        wrong(to_recorder)
    assert isinstance(caught.value, BadUsage)
    assert to_recorder.flush()
    assert recorder.requests == []


async def test_asend_returns_the_id_once_it_is_stored(server: Server, to_server: Directed) -> None:
    id_ = await to_server.asend("Awaited", body="b")
    assert id_ is not None
    assert server.detail(id_)["body"] == "b"
    to_server.revoke(id_).wait()
    assert find(server, "Awaited") is None


def test_workers_send_their_own_and_end_nothing_of_their_parents(server: Server) -> None:
    code = PRELUDE + (
        "import multiprocessing, os, time\n"
        "def work(n): notify(f'worker {n}')\n"
        "with notify.progress('Parent', total=2) as p:\n"
        "    p.update(); notify('warm').wait()\n"
        "    context = multiprocessing.get_context('fork')\n"
        "    workers = [context.Process(target=work, args=(n,)) for n in range(2)]\n"
        "    for worker in workers: worker.start()\n"
        "    for worker in workers: worker.join()\n"
        "    if os.fork() == 0:\n"
        "        raise SystemExit(3)\n"
        "    os.wait()\n"
        "    notify.flush()\n"
        "    from jupyter_notify.connection import Client\n"
        "    from jupyter_notify.discovery import find\n"
        "    rows = Client(find()).request('GET', '/notifications')['notifications']\n"
        "    assert [r['type'] for r in rows if 'Parent' in r['message']] == ['in-progress']\n"
        "    p.update()\n"
    )
    ran = python(server, code)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    assert find(server, "worker 0") and find(server, "worker 1")
    assert final(server, "Parent: done, 2 in ")


def test_threads_share_it(recorder: Recorder, to_recorder: Directed) -> None:
    def work(number: int) -> None:
        for n in to_recorder.track(range(1000), f"thread {number}"):
            if n == 500 and number % 2:
                to_recorder(f"half of {number}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert to_recorder.flush()
    said = [asked.value["message"] for asked in recorder.requests]
    assert sum(": done, 1,000 in " in text for text in said) == 8
    assert sum("half of" in text for text in said) == 4


# The cost of having it


def test_importing_it_is_cheap_and_the_server_does_not_import_it() -> None:
    sent = "import sys; from jupyter_notify import notify, NotifyHandler; "
    heavy = "'http.client', 'ssl', 'asyncio', 'tornado', 'pydantic', 'jupyter_core', 'tqdm'"
    check = f"print([n for n in ({heavy}, 'jupyter_server') if n in sys.modules])"
    served = (
        "import sys, jupyterlab_notify.app, jupyterlab_notify.models; "
        "print([n for n in sys.modules if n.startswith('jupyter_notify')])"
    )
    for code in (sent + check, served):
        ran = run(sys.executable, "-c", code, env={"PATH": "", "PYTHONPATH": python_path()})
        assert ran.stdout == "[]\n", ran.stdout + ran.stderr
