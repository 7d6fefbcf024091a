"""Our own rules: their file, and their results with any crash."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyterhub_notify.alerts.evaluation import UserState, advance, settled, tried, wants_retry
from jupyterhub_notify.alerts.rules import Rule, RulesError, read_rules
from jupyterhub_notify.cli import main
from jupyterhub_notify.templates import TemplateDirectory

from .rules import START, rule, write_rules

# --- The file

NEEDS_MORE = """---
summary: You use {{ percent }} %
schema: {type: object, required: [percent]}
sample: {percent: 93}
---
"""


def _acting(**begin: Any) -> dict[str, Any]:
    end = {"url": "http://x"}
    return {"action": {"begin": {**end, **begin}, "end": end}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a b"}, "rules.a b.name"),
        ({"querry": "x"}, r"rules.traffic.querry: Extra inputs"),
        ({"thresholds": []}, "rules.traffic.thresholds"),
        ({"thresholds": [{"above": 90}, {"above": 80}]}, "thresholds must rise"),
        ({"thresholds": [{"above": 90, "clear_below": 95}]}, "clear_below must not be higher"),
        ({"thresholds": [{"above": "nan"}]}, "thresholds.0.above"),
        ({"thresholds": [{"above": 1, "hold": "soon"}]}, "must be a time such as"),
        ({"thresholds": [{"above": 1, "clear_below": float("nan")}]}, "clear_below: .* finite"),
        ({"thresholds": [{"above": 1, "hold": -1}]}, "hold must be between 0 and 30 days"),
        ({"thresholds": {"above": 1}}, "thresholds: must be a list"),
        ({"every": "0s"}, "every must be between"),
        ({"absent_after": -5}, "absent_after must be between 0 and 30 days"),
        ({"query": 3}, "query: must be a text"),
        ({"user_label": ""}, "user_label"),
        ({"prometheus": None}, "either prometheus or influxdb"),
        ({"prometheus": {"url": "file:///etc/passwd"}}, "prometheus.url"),
        ({"prometheus": {"url": "http://"}}, "prometheus.url: must be an address such as"),
        ({"prometheus": {"url": "http://[::1"}}, "prometheus.url: must be an address such as"),
        ({"prometheus": "http://x"}, "prometheus: must have fields"),
        ({"summary": None}, "either summary or template"),
        ({"summary": "{{ nothing }}"}, "summary: 'nothing' is undefined"),
        ({"summary": "{{"}, "summary: "),
        ({"summary": " "}, "summary must not be blank"),
        ({"summary": "{{ value / 0 }}"}, "summary: float division by zero"),
        ({"action": {"begin": {"url": "http://x"}}}, "action.end"),
        (
            {"action": {"at": 2, "begin": {"url": "http://x"}, "end": {"url": "http://x"}}},
            "action.at names a threshold",
        ),
        (
            {"prometheus": {"url": "http://x", "headers": {"A": "b\nc: d"}}},
            "prometheus.headers: the value of A must be one line",
        ),
        (
            {"prometheus": {"url": "http://x", "headers": {"A": "Bearer ${TWO_LINES}"}}},
            "headers: the value of A must be one line, and TWO_LINES has more",
        ),
        (
            {"prometheus": {"url": "http://x", "headers": {"A b": "c"}}},
            "headers: 'A b' cannot be the name of a header",
        ),
        ({"prometheus": {"url": "http://x\n/y"}}, "url: must be an address without spaces"),
        (_acting(headers={"A": "b\r"}), "action.begin.headers: the value of A must be one line"),
        (_acting(body={"until": date(2026, 11, 28)}), "begin.body: cannot be .* a date in quotes"),
        (_acting(body=[float("inf")]), "begin.body: cannot be .* a number in it is not finite"),
        (
            {"summary": None, "template": "quota"},
            "rules.traffic.template: There is no template 'quota'",
        ),
        (
            {"summary": None, "template": "needs-more"},
            "rules.traffic.template: The data do not fit",
        ),
    ],
)
def test_a_rule_that_is_no_good_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: Any, words: str
):
    monkeypatch.setenv("TWO_LINES", "one\ntwo")
    (tmp_path / "needs-more.md").write_text(NEEDS_MORE)
    data = {name: value for name, value in rule(**changes).items() if value is not None}
    with pytest.raises(RulesError, match=words):
        read_rules(write_rules(tmp_path / "rules.yaml", data), TemplateDirectory(tmp_path).check)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the file: must have fields"),
        ("- a", "the file: must have fields"),
        ("rules:", "rules: must be a list"),
        ("rules: [null]", "rules.number 1: must have fields"),
        ("rules:\n\t- a", "it is no YAML, line 2"),
        ("rules: !!python/object/apply:os.system [ls]", "it is no YAML, line 1"),
        ("rules: 2026-13-45", "it is no YAML"),
        ("[" * 3000, "it is no YAML"),
    ],
)
def test_a_file_that_is_none_of_rules_says_where(tmp_path: Path, text: str, words: str):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(RulesError, match=words):
        read_rules(path)


def test_the_command_checks_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = write_rules(tmp_path / "rules.yaml", rule())
    assert main(["rules", "check", str(path)]) == 0
    assert "traffic: above 90" in capsys.readouterr().out
    path.write_text("rules: [")
    assert main(["rules", "check", str(path)]) == 1
    assert "it is no YAML, line 1" in capsys.readouterr().err
    assert main(["rules", "check", str(tmp_path / "nowhere")]) == 1


# --- What a rule comes to


@st.composite
def thresholds(draw: st.DrawFn) -> list[dict[str, Any]]:
    bounds = sorted(draw(st.sets(st.integers(2, 8), min_size=1, max_size=3)))
    return [
        {
            "above": above,
            "clear_below": above - draw(st.integers(0, 2)),
            "hold": f"{draw(st.integers(0, 3))}s",
        }
        for above in bounds
    ]


@settings(max_examples=300, deadline=None)
@given(thresholds(), st.lists(st.none() | st.integers(0, 10), max_size=30))
def test_a_threshold_is_on_if_and_only_if_the_rule_says_so(bounds: Any, series: Any):
    parsed = Rule.model_validate(rule(thresholds=bounds))
    state = UserState()
    for second, value in enumerate(series):
        state = advance(parsed, state, value, START + timedelta(seconds=second))
        state = UserState.from_json(json.loads(json.dumps(state.to_json())))
        expected = {
            number
            for number, threshold in enumerate(parsed.thresholds, 1)
            if _is_on(threshold, series[: second + 1])
        }
        assert set(state.on) == expected
        assert state.level == max(expected, default=0)


def _is_on(threshold: Any, series: list[Any]) -> bool:
    """Decide by the whole series: it was above for long enough, and has not ended since."""
    hold = int(threshold.hold.total_seconds())
    for last in reversed(range(len(series))):
        value = series[last]
        if value is None or value < threshold.over_below:
            return False
        run = series[max(0, last - hold) : last + 1]
        if len(run) == hold + 1 and all(one is not None and one > threshold.above for one in run):
            return True
    return False


ACTION = {"begin": {"url": "http://127.0.0.1:9/b"}, "end": {"url": "http://127.0.0.1:9/e"}}


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([0, 100]),
            st.sampled_from(["works", "fails", "killed before", "killed after"]),
        ),
        max_size=20,
    )
)
def test_actions_begin_and_end_in_pairs_whatever_crashes(steps: list[tuple[int, str]]):
    parsed = Rule.model_validate(rule(action=ACTION))
    state, calls, now = UserState(), [], START
    # In the end it falls, and everything works.
    for value, outcome in [*steps, (0, "works"), (0, "works")]:
        now += timedelta(hours=1)
        state = advance(parsed, state, value, now)
        if not wants_retry(state, now):
            continue
        state = tried(state)
        if outcome == "killed before":
            continue
        if outcome != "fails":
            calls.append((state.action, state.acting_since))
        if outcome == "killed after":
            continue
        state = settled(parsed, state, "it failed" if outcome == "fails" else None, now)
    assert state.action == "none"
    # A step that was called again counts once: it has the same key.
    steps_done = [call for index, call in enumerate(calls) if call not in calls[:index]]
    open_since = None
    for step, since in steps_done:
        if step == "beginning":
            assert open_since is None
            open_since = since
        else:
            assert open_since in (None, since)
            open_since = None
    assert open_since is None


def test_who_is_absent_stays_for_as_long_as_the_rule_says():
    parsed = Rule.model_validate(rule(absent_after="10s"))
    state = advance(parsed, UserState(), 95, START)
    assert advance(parsed, state, None, START + timedelta(seconds=9)).level == 1
    assert advance(parsed, state, None, START + timedelta(seconds=10)).level == 0
