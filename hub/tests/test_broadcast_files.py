from __future__ import annotations

import contextlib
import json
import os
import re
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from jupyterhub_notify.broadcast_files import (
    BroadcastDirectory,
    BroadcastFileError,
    parse_broadcast,
    schedule_of,
)
from jupyterhub_notify.frontmatter import FrontMatterError
from jupyterhub_notify.rendering import render_block


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def parsed(front_matter: str, body: str = ""):
    return parse_broadcast("x.md", f"---\n{front_matter}\n---\n{body}")


def test_a_file_says_everything_that_semaphore_serves():
    broadcast = parsed(
        "summary: Outage of the **portal**\ncategory: outage\nenv: [prod, int]\nenabled: false",
        "\nWe are looking into it.\n",
    )
    assert broadcast.summary == "Outage of the **portal**"
    assert broadcast.body == "We are looking into it."
    assert (broadcast.category, broadcast.enabled) == ("outage", False)
    assert broadcast.is_for("int")
    assert not broadcast.is_for("dev")
    assert not broadcast.is_for(None)


def test_the_file_in_the_documentation_is_good():
    text = (Path(__file__).parents[2] / "docs" / "hub-install.md").read_text()
    [example] = re.findall(r"```markdown\n(---\n.*?)```", text, re.DOTALL)
    broadcast = parse_broadcast("x.md", example)
    assert (broadcast.category, broadcast.important) == ("outage", True)
    assert broadcast.schedule.start == at("2026-12-01T07:00")
    assert broadcast.schedule.end == at("2026-12-01T09:00")


def test_the_first_paragraph_is_the_summary_where_none_is_given():
    broadcast = parsed("enabled: true", "One title\nof two lines.\n\nThe text.\n\nMore of it.\n")
    assert broadcast.summary == "One title of two lines."
    assert broadcast.body == "The text.\n\nMore of it."
    assert (broadcast.category, broadcast.environments) == ("notice", None)
    assert parsed("env: prod, int\nsummary: x").environments == ("prod", "int")


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-02T13:30:00Z",
        "'2026-01-02T13:30:00Z'",
        "2026-01-02 13:30:00",
        "2026-01-02T14:30:00+01:00",
        "2026-01-02T13:30",
        "January 2, 2026 at 1:30pm UTC",
        "2 Jan 2026 13:30 GMT",
    ],
)
def test_an_unquoted_time_keeps_its_time_of_day(written):
    schedule = parsed(f"summary: x\ndefer: {written}\nttl: 2hr").schedule
    assert schedule.start == at("2026-01-02T13:30")
    assert schedule.end == at("2026-01-02T15:30")


def test_a_time_without_zone_is_in_the_files_own():
    broadcast = parsed(
        "summary: x\ndefer: January 1, 2026 at 12pm UTC\nexpire: January 2, 2026 at 4am\n"
        "timezone: America/Los Angeles"
    )
    assert broadcast.schedule.start == at("2026-01-01T12:00")
    assert broadcast.schedule.end == at("2026-01-02T12:00")
    assert parsed("summary: x\nexpire: 2026-01-02").schedule.active(at("2026-01-01")) is not None


def test_patch_thursday():
    broadcast = parsed(
        "ttl: 2hr\ntimezone: America/Los_Angeles\nrules:\n"
        "  - freq: weekly\n    start: 2021-07-08T15:00\n    by_weekday:\n      - day: thursday\n"
        "  - date: 2026-03-19T15:00\n    exclude: true\n"
        "  - date: 2026-03-20 15:00",
        "System maintenance is happening now.\n",
    )
    found = broadcast.schedule.upcoming(at("2026-03-01"), at("2026-03-28"))
    assert [one.start for one in found] == [
        at("2026-03-05T23:00"),
        at("2026-03-12T22:00"),
        at("2026-03-20T22:00"),
        at("2026-03-26T22:00"),
    ]
    assert broadcast.schedule.active(at("2026-03-13T00:00")) is None
    # Stored as JSON, it means the same.
    assert schedule_of(json.loads(json.dumps(broadcast.when))) == broadcast.schedule


def test_the_last_of_a_set_can_be_chosen():
    schedule = parsed(
        "summary: x\nttl: 1 day 12 hours\nrules:\n"
        "  - freq: monthly\n    by_weekday: [{day: friday}]\n    by_set_position: [-1]\n"
        "    by_hour: [9]\n    by_month: [1, 2, 3]"
    ).schedule
    found = list(schedule.upcoming(at("2026-01-01"), at("2026-12-01")))
    assert [one.start for one in found] == [
        at("2026-01-30T09:00"),
        at("2026-02-27T09:00"),
        at("2026-03-27T09:00"),
    ]
    assert found[0].end == at("2026-01-31T21:00")


def test_the_second_tuesday_by_its_index_and_daily():
    rule = "  - {freq: monthly, by_weekday: [{day: tuesday, index: 2}], start: 2026-01-01T08:00}"
    schedule = parsed(f"summary: x\nttl: 1h\nrules:\n{rule}").schedule
    assert schedule.next(at("2026-01-01")).start == at("2026-01-13T08:00")
    daily = parsed("summary: x\nttl: 1h\nrules: [{freq: daily, start: 2026-01-01T08:00}]").schedule
    assert daily.next(at("2026-01-05")).start == at("2026-01-05T08:00")


def test_a_rule_without_a_start_means_the_same_whenever_it_is_read():
    rule = "summary: x\nttl: 1h\nrules: [{freq: weekly, by_weekday: [{day: monday}]}]"
    assert parsed(rule).schedule.next(at("2026-11-28")).start == at("2026-11-30T00:00")


def test_struck_text_drops_nothing():
    broadcast = parsed("summary: ~~old~~ new", "~~gone~~")
    assert broadcast.summary == "~~old~~ new"
    assert render_block(broadcast.body) == "<p><s>gone</s></p>\n"


@pytest.mark.parametrize(
    ("front_matter", "words"),
    [
        ("enabled: true", "summary: there is none"),
        ("summary: ''", "summary: there is none"),
        ("summary: [x]", "summary: there is none"),
        ("summary: x\nenabled: maybe", "enabled: it must be"),
        ("summary: x\nimportant: very", "important: it must be true or false"),
        ("summary: x\ncategory: alarm", "category: it must be one of"),
        ("summary: x\nenv: {a: b}", "env: it must be"),
        ("summary: x\ndefer: tomorrow", "defer: 'tomorrow' is no date"),
        ("summary: x\ndefer: at 4am", "defer: 'at 4am' is no date"),
        ("summary: x\ndefer: January 2", "with year, month and day"),
        ("summary: x\ndefer: January 2, 2026 at 1pm PST", "defer: "),
        ("summary: x\ndefer: 2026", "defer: it must be a date"),
        ("summary: x\nexpire: 9999-01-01", "expire: "),
        ("summary: x\ntimezone: Mars/Olympus", "timezone: there is no time zone"),
        ("summary: x\ntimezone: 3", "timezone: it must be a name"),
        ("summary: x\nttl: 2hr", "ttl: it needs defer or rules"),
        ("summary: x\ndefer: 2026-01-01\nttl: soon", "ttl: it must be a time"),
        ("summary: x\ndefer: 2026-01-01\nttl: 0h", "ttl: it must be a time"),
        ("summary: x\ndefer: 2026-01-01\nttl: 90", "ttl: it must be a time"),
        ("summary: x\ndefer: 2026-01-02\nexpire: 2026-01-01", "expire: it is not after defer"),
        ("summary: x\nexpire: 2026-01-01\nttl: 1h", "ttl: it does not go with expire"),
        ("summary: x\nrules: [{freq: daily}]", "rules: it needs ttl"),
        ("summary: x\nttl: 1h\nrules: []", "rules: it must be a list"),
        ("summary: x\nttl: 1h\nrules: [3]", "rules, number 1: it is no mapping"),
        ("summary: x\nttl: 1h\ndefer: 2026-01-01\nrules: [{freq: daily}]", "rules: it does not go"),
        ("summary: x\nttl: 1h\nrules: [{freq: minutely}]", "number 1: freq: it must be"),
        ("summary: x\nttl: 1h\nrules: [{freq: daily, interval: 0}]", "interval: it must be"),
        ("summary: x\nttl: 1h\nrules: [{freq: daily, by_hour: [25]}]", "BYHOUR must be"),
        ("summary: x\nttl: 1h\nrules: [{freq: daily, by_hour: [x]}]", "by_hour: it must be"),
        ("summary: x\nttl: 1h\nrules: [{freq: daily, count: 3}]", "count: it needs start"),
        ("summary: x\nttl: 1h\nrules: [{date: 2026-01-01, freq: daily}]", "date: it does not go"),
        ("summary: x\nttl: 1h\nrules: [{date: 2026-01-01, exclude: true}]", "all of them exclude"),
        (
            "summary: x\nttl: 1h\nrules: [{freq: weekly, by_weekday: [{day: someday}]}]",
            "a day must",
        ),
    ],
)
def test_a_file_that_is_no_good_says_which_field(front_matter, words):
    with pytest.raises(BroadcastFileError, match=words):
        parsed(front_matter)


def test_one_bad_file_never_hides_a_good_one(tmp_path):
    for number, content in enumerate(
        [b"\xff", b"", b"---\n", b"---\nsummary: x\ndefer: never\n---\n", b"---\n" + b"[" * 9000]
    ):
        (tmp_path / f"0-bad-{number}.md").write_bytes(content)
    (tmp_path / "1-dir.md").mkdir()
    (tmp_path / "2-link.md").symlink_to("/nowhere")
    (tmp_path / "README.md").write_text("What this folder is.")
    folder = tmp_path / "sub"
    folder.mkdir()
    (folder / "good.md").write_text("---\nsummary: good\n---\n")
    (folder / "other.md").write_text("---\nsummary: elsewhere\nenv: int\n---\n")
    directory = BroadcastDirectory(tmp_path, environment="prod")
    assert [found.id for found in directory.read()] == ["sub/good.md"]
    assert set(directory.problems) == {
        *(f"0-bad-{number}.md" for number in range(5)),
        "1-dir.md",
        "2-link.md",
    }
    (folder / "other.md").write_text("---\nsummary: here\n---\n")
    assert [found.id for found in directory.read()] == ["sub/good.md", "sub/other.md"]


def test_what_makes_yaml_raise_or_last_and_what_is_no_file_hide_no_good_one(tmp_path):
    values = {
        "sexagesimal": "59:" * 1800 + "1.",
        "time": "!!timestamp x",
        "truth": "!!bool x",
        "number": "!!int ''",
        "fraction": "!!float ''",
        "nested": "[" * 100_000,
        "long": "x " * 100_000,
    }
    for name, value in values.items():
        (tmp_path / f"{name}.md").write_text(f"---\nsummary: {value}\n---\n")
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "endless.md").symlink_to("/dev/zero")
    (tmp_path / "z-good.md").write_text("---\nsummary: good\n---\n")
    directory = BroadcastDirectory(tmp_path)
    began = time.process_time()
    assert [found.id for found in directory.read()] == ["z-good.md"]
    assert time.process_time() - began < 4, "the nested one alone took three times as long"
    assert set(directory.problems) == {f"{name}.md" for name in (*values, "pipe", "endless")}


def test_a_folder_that_is_away_changes_nothing(tmp_path):
    directory = BroadcastDirectory(tmp_path / "away")
    assert directory.read() is None
    assert "cannot be read" in directory.problems[""]


def test_a_misspelt_field_is_refused_and_one_of_the_sites_own_is_ignored(tmp_path):
    for name, meant in {
        "defre": "defer",
        "expires": "expire",
        "Env": "env",
        "rule": "rules",
    }.items():
        with pytest.raises(BroadcastFileError, match=f"^{name}: there is no such .* {meant}"):
            parsed(f"summary: x\n{name}: 2030-01-01T00:00")
    with pytest.raises(BroadcastFileError, match="rules, number 1: by_weekdays: there is no such"):
        parsed("ttl: 1h\nrules: [{freq: weekly, by_weekdays: [{day: monday}]}]", "text")
    with pytest.raises(BroadcastFileError, match="more than 50 of its fields"):
        parsed("\n".join(["summary: x", *(f"own-{n}: 1" for n in range(51))]))
    text = "---\nsummary: x\nauthor: Ada\nticket: OPS-12\ntitle: y\n---\n"
    (tmp_path / "a.md").write_text(text)
    directory = BroadcastDirectory(tmp_path)
    with capture_logs() as logs:
        assert [found.id for found in directory.read()] == ["a.md"]
        directory.read()
    assert [(one["file"], one["field"]) for one in logs] == [
        ("a.md", "author"),
        ("a.md", "ticket"),
        ("a.md", "title"),
    ]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["summary", "env", "timezone", "defer", "expire", "ttl", "rules"]), _VALUES
    )
)
def test_whatever_a_file_says_it_is_read_or_refused(fields):
    with contextlib.suppress(BroadcastFileError, FrontMatterError):
        parse_broadcast("x", f"---\n{json.dumps(fields)}\n---\ntext")
