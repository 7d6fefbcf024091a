"""Programs that speak to others already: tqdm and logging reach JupyterLab."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import pytest

from jupyter_notify import NotifyHandler
from jupyter_notify.logs import BURST
from jupyter_notify.tqdm import tqdm

from ..support.sending import Recorder, find, python
from ..support.servers import Server, wait_for
from .support import Directed

INVALID = "ValueError: invalid literal for int() with base 10: 'x'"


# tqdm


TQDM = """
import sys
hide, rest = sys.argv[1] == "plain", sys.argv[2]
if hide:
    sys.modules["tqdm"] = None
from jupyter_notify.tqdm import tqdm, trange
quiet = {} if hide else {"file": open("/dev/null", "w")}
assert [n for n in tqdm([1, 2, 3], desc="Whole " + rest, **quiet)] == [1, 2, 3]
with tqdm(total=10, desc="Manual " + rest, unit="B", unit_scale=True, **quiet) as bar:
    bar.update(4)
    bar.set_postfix(loss=0.123456)
    bar.refresh()
    bar.update(6)
    assert bar.n == 10 and bar.total == 10
for n in trange(5, desc="Broken " + rest, **quiet):
    if n == 2:
        break
try:
    for n in tqdm(range(5), desc="Failing " + rest, **quiet):
        if n == 2:
            raise ValueError("bad")
except ValueError:
    pass
try:
    with tqdm(total=3, desc="Block " + rest, **quiet) as bar:
        bar.update()
        raise OSError("gone")
except OSError:
    pass
assert len(tqdm(range(7), disable=True)) == 7
assert list(tqdm(range(2), disable=True)) == [0, 1]
tqdm.write("a line")
assert ("tqdm.std" in sys.modules) != hide
"""


@pytest.mark.parametrize("kind", ["plain", "tqdm"])
def test_tqdm_is_a_drop_in_whether_it_is_installed_or_not(server: Server, kind: str) -> None:
    ran = python(server, TQDM, kind, kind)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "a line\n", ""), ran.stderr
    for text, type_ in (
        (f"Whole {kind}: done, 3 in ", "success"),
        (f"Manual {kind}: done, 10 in ", "success"),
        (f"Broken {kind}: ended after 2 of 5 in ", "success"),
        (f"Failing {kind}: failed after 2 of 5: ValueError: bad", "error"),
        (f"Block {kind}: failed after 1 of 3: OSError: gone", "error"),
    ):
        row = find(server, text)
        assert row is not None, text
        assert row["type"] == type_
    manual = find(server, f"Manual {kind}")
    assert manual is not None and manual["message"].endswith(", loss=0.123")


def test_tqdm_keeps_its_own_bar_in_the_terminal(server: Server) -> None:
    code = "from jupyter_notify import notify\nfor n in notify.tqdm(range(3), desc='Bar'): pass"
    ran = python(server, code)
    assert "Bar: 100%" in ran.stderr
    assert find(server, "Bar: done, 3 in ")


HABITS = """
import itertools, sys
hide = sys.argv[1] == "plain"
if hide:
    sys.modules["tqdm"] = None
from jupyter_notify import notify
from jupyter_notify.tqdm import tqdm, trange
quiet = {} if hide else {"file": open("/dev/null", "w")}
for n in tqdm(range(3), desc="Vanishes", leave=False, **quiet): notify.flush()
for n in tqdm(range(3), desc="Vanishes broken", leave=False, **quiet):
    notify.flush(); break
with tqdm(total=2, desc="Vanishes by hand", leave=False, **quiet) as bar:
    bar.update(); notify.flush()
try:
    for n in tqdm(range(3), desc="Stays", leave=False, **quiet): int("x")
except ValueError: pass
for epoch in trange(2, desc="Outer", **quiet):
    for batch in tqdm(range(3), desc="Inner", **quiet):
        for step in tqdm(range(2), desc="Innermost", leave=False, **quiet): pass
try:
    for epoch in trange(2, desc="Outer fails", **quiet):
        for batch in tqdm(range(3), desc="Inner fails", **quiet): int("x")
except ValueError: pass
for n in zip(range(3), tqdm(range(10), desc="Zipped", **quiet)): pass
for n in itertools.islice(tqdm(range(10), desc="Sliced", **quiet), 4): pass
for n in tqdm(range(2), desc="After", **quiet): pass
def closed_in_finally():
    bar = tqdm(total=3, desc="Finally", **quiet)
    try:
        bar.update(); int("x")
    finally:
        bar.close()
def dropped():
    bar = tqdm(total=3, desc="Dropped", **quiet)
    bar.update(); int("x")
for function in (closed_in_finally, dropped):
    try: function()
    except ValueError: pass
try: int("x")
except ValueError:
    bar = tqdm(total=3, desc="While handling", **quiet)
    bar.update(); bar.close()
first, second = tqdm(total=2, desc="First", **quiet), tqdm(total=2, desc="Second", **quiet)
first.update(2); first.close()
second.update(2); second.close()
for n in zip(tqdm(range(3), desc="Zip left", **quiet), tqdm(range(3), desc="Zip right", **quiet)):
    pass
with tqdm(total=1, desc="Fractions", **quiet) as bar:
    for n in range(10): bar.update(0.1)
with tqdm(total=float("inf"), desc="Endless", **quiet) as bar: bar.update(3)
for n in tqdm(range(2), desc="\x1b[31mColoured\x1b[0m: ", **quiet): pass
# A length that is not known, and a description of which nothing can be seen.
with tqdm(total=-1, desc="Negative", **quiet) as bar: bar.update(3)
for n in tqdm(range(2), desc="\u200b\x1b[0m", **quiet): pass
class Loader:
    def __len__(self): raise TypeError("no length")
    def __iter__(self): return iter(range(2))
for n in tqdm(Loader(), desc="Loader", **quiet): pass
def closed_at_its_total(total, desc):
    # As tqdm.pandas does, it counts a step before that is done.
    bar = tqdm(total=total, desc=desc, **quiet)
    try:
        bar.update(); int("x")
    finally:
        bar.close()
for total, desc in ((1, "At its total"), (None, "Without a total")):
    try: closed_at_its_total(total, desc)
    except ValueError: pass
notify.flush()
"""


@pytest.mark.parametrize("kind", ["plain", "tqdm"])
def test_the_habits_of_tqdm_are_kept(make_server: Callable[..., Server], kind: str) -> None:
    server = make_server()
    ran = python(server, HABITS, kind)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", ""), ran.stderr
    rows = server.page(limit=200)["notifications"]
    # Sorted: an end that comes soon after its bar's first message waits for that bar's turn.
    assert sorted(row["message"].split(" in ")[0] for row in rows) == [
        "After: done, 2",
        f"At its total: failed after 1 of 1: {INVALID}",
        "Coloured: done, 2",
        "Dropped: left unfinished after 1 of 3",
        "Endless: done, 3",
        f"Finally: failed after 1 of 3: {INVALID}",
        "First: done, 2",
        "Fractions: done, 1",
        "Loader: done, 2",
        "Negative: done, 3",
        f"Outer fails: failed: {INVALID}",
        "Outer: done, 2",
        "Progress: done, 2",
        "Second: done, 2",
        "Sliced: ended after 4 of 10",
        f"Stays: failed: {INVALID}",
        "While handling: ended after 1 of 3",
        f"Without a total: failed after 1: {INVALID}",
        "Zip left: done, 3",
        "Zip right: done, 3",
        "Zipped: ended after 3 of 10",
    ]


def test_a_bar_inside_of_another_is_shown_in_its_row(
    recorder: Recorder, to_recorder: Directed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_notify.api.notify", to_recorder)
    with open(os.devnull, "w") as nowhere:
        outer = tqdm(total=2, desc="Outer", file=nowhere)
        inner = tqdm(total=30, desc="Inner", file=nowhere)
        inner.update(7)
        said = "Outer: 0 of 2, Inner: 7 of 30"
        wait_for(lambda: said in [one.value["message"] for one in recorder.requests], said)
        inner.close()
        outer.update(2)
        outer.close()
    assert to_recorder.flush()
    assert {one.value["key"] for one in recorder.requests} == {recorder.requests[0].value["key"]}
    assert recorder.requests[-1].value["message"].startswith("Outer: done, 2 in ")


# logging


def handler(notify: Directed, **options: Any) -> tuple[logging.Logger, NotifyHandler]:
    logger = logging.getLogger(f"pipeline-{id(notify)}")
    logger.setLevel(1)
    logger.propagate = False
    made = NotifyHandler(notify=notify, **{"source": "pipeline", **options})
    logger.addHandler(made)
    return logger, made


def test_records_are_shown_by_level_with_what_was_raised(
    recorder: Recorder, to_recorder: Directed
) -> None:
    logger, made = handler(to_recorder, level=logging.INFO)
    made.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logger.debug("not shown")
    logger.info("info %d", 1)
    try:
        raise ValueError("bad")
    except ValueError:
        logger.exception("it\nfailed")
    assert to_recorder.flush()
    first, second = (asked.value for asked in recorder.requests)
    assert (first["message"], first["type"], first["source"]) == ("info 1", "info", "pipeline")
    assert (second["message"], second["type"]) == ("it", "error")
    assert "ERROR it\nfailed\nTraceback" in second["body"]
    assert second["body"].endswith("ValueError: bad\n```")


def test_a_storm_shows_a_few_and_counts_the_others(
    recorder: Recorder, to_recorder: Directed, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger, made = handler(to_recorder)
    for number in range(500):
        logger.error("error %d", number)
    assert to_recorder.flush()
    assert len(recorder.requests) == BURST
    made._window_began = float("-inf")
    logger.error("later")
    assert to_recorder.flush()
    said = [asked.value["message"] for asked in recorder.requests[BURST:]]
    assert said == ["later", f"{500 - BURST} more log messages were not shown"]


def test_it_never_raises_into_the_caller_and_never_recurses(
    recorder: Recorder, to_recorder: Directed, capfd: pytest.CaptureFixture[str]
) -> None:
    logger, _ = handler(to_recorder)

    class Unprintable:
        def __str__(self) -> str:
            logger.error("from within")
            raise RuntimeError("no text")

    # As logging itself does it: said on the error output, not to the caller.
    logger.error(Unprintable())
    logger.error("%d", "no number")
    logger.error("fine \ud800 %s", "x" * 10_000)
    assert to_recorder.flush()
    (only,) = recorder.requests
    assert only.value["message"].startswith("fine ? xxx")
    assert "RuntimeError: no text" in capfd.readouterr().err


def test_what_sending_itself_logs_is_not_sent(server: Server) -> None:
    with Recorder(500) as broken:
        code = (
            "import logging\nfrom jupyter_notify import NotifyHandler, notify\n"
            f"notify.configure({broken.url!r})\n"
            "logging.basicConfig(level=0, handlers=[NotifyHandler(0), logging.StreamHandler()])\n"
            "logging.warning('once'); notify.flush(); notify.flush(0.5)\n"
        )
        ran = python(server, code, JUPYTER_NOTIFY_TOKEN="t")
        assert ran.returncode == 0
        assert len(broken.requests) == 1
        assert ran.stderr.splitlines()[0] == "WARNING:root:once"
        assert len(ran.stderr.splitlines()) == 2
