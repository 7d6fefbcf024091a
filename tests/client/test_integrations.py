"""Programs that speak to others already: tqdm, logging and Apprise reach JupyterLab."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Any

import apprise
import pytest

import jupyter_notify.apprise  # importing it is what registers it
from jupyter_notify import NotifyHandler
from jupyter_notify.logs import BURST

from ..servers import Server
from ..support.sending import Recorder, find, outside, python, run, wait_for_message
from .support import Directed

assert jupyter_notify.apprise


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


# Apprise


def test_apprise_reaches_a_named_server(server: Server) -> None:
    to = apprise.Apprise()
    assert to.add(f"jupyter://{server.token}@127.0.0.1:{server.port}/lab")
    (url,) = [one.url() for one in to]
    (private,) = [one.url(privacy=True) for one in to]
    assert server.token in url
    assert server.token not in private
    for kind, type_ in (("failure", "error"), ("success", "success"), ("info", "info")):
        assert to.notify(title=f"Apprise {kind}", body="what *it* says", notify_type=kind)
        row = wait_for_message(server, f"Apprise {kind}")
        assert (row["type"], row["source"]) == (type_, "Apprise")
        assert server.detail(row["id"])["body"] == "what *it* says"
    assert to.notify(body="Apprise without a title")
    assert find(server, "Apprise without a title")
    # The URL that it gives of itself is as good as the first.
    again = apprise.Apprise()
    assert again.add(url)
    assert again.notify(body="Apprise again")


def test_apprise_says_no_when_the_server_does(server: Server) -> None:
    to = apprise.Apprise()
    assert to.add(f"jupyter://wrong@127.0.0.1:{server.port}/")
    assert not to.notify(body="Apprise refused")
    assert find(server, "Apprise refused") is None


def test_the_apprise_command_finds_the_server_by_itself(server: Server, tmp_path: Path) -> None:
    # What docs/send.md says.
    plugin = tmp_path / "jupyter.py"
    plugin.write_text("from jupyter_notify.apprise import *\n")
    ran = run(
        *(Path(sys.executable).with_name("apprise"), "--plugin-path", plugin),
        *("--title", "Apprise command", "--body", "b", "jupyter://"),
        env=outside(server),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert find(server, "Apprise command")
