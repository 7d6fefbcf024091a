"""Rules and their files for tests."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import yaml

START = datetime(2026, 11, 28, 10, tzinfo=timezone.utc)


def rule(**more: Any) -> dict[str, Any]:
    return {
        "name": "traffic",
        "prometheus": {"url": "http://127.0.0.1:9"},
        "query": "x",
        "every": "1s",
        "thresholds": [{"above": 90}],
        "summary": "{{ user }} is at {{ value }}",
        **more,
    }


def write_rules(path: Path, *rules: dict[str, Any]) -> Path:
    path.write_text(yaml.safe_dump({"rules": list(rules)}))
    return path
