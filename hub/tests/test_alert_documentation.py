"""The rules and channels in the documentation are valid."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from jupyterhub_notify.alerts.rules import read_rules
from jupyterhub_notify.channels.settings import read_channels

from .engines import program

TEXT = (Path(__file__).parents[2] / "docs" / "hub-alerts.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.startswith("rules:")])
def test_a_rule_in_the_documentation_is_good(tmp_path: Path, block: str):
    path = tmp_path / "rules.yaml"
    path.write_text(block)
    assert read_rules(path).rules


def test_prometheus_understands_the_queries(tmp_path: Path):
    rules = [rule for block in BLOCKS for rule in yaml.safe_load(block).get("rules", [])]
    queries = [rule["query"] for rule in rules if "prometheus" in rule]
    assert len(queries) >= 2
    path = tmp_path / "rules.yml"
    group = {"name": "documented", "rules": [{"record": "a", "expr": one} for one in queries]}
    path.write_text(yaml.safe_dump({"groups": [group]}))
    done = subprocess.run(
        [program("promtool"), "check", "rules", "--lint=none", path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_channels_in_the_documentation_are_good(tmp_path: Path):
    [block] = [one for one in BLOCKS if one.startswith("after:")]
    path = tmp_path / "channels.yaml"
    path.write_text(block)
    assert read_channels(path).mail is not None


def test_every_block_of_yaml_can_be_read():
    assert len(BLOCKS) >= 5
    for block in BLOCKS:
        yaml.safe_load(block)
