"""The TypeScript types and the OpenAPI file are those of the models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..support.servers import ROOT


def check(root: Path) -> subprocess.CompletedProcess[str]:
    """Run what `make types` runs, on the files in ``root``, without writing."""
    return subprocess.run(
        [sys.executable, str(root / "scripts" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("scripts/generate.py", "src/wire.ts", "docs/openapi.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "schema", tmp_path / "schema")
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    return tmp_path


def test_the_generated_files_are_up_to_date() -> None:
    ran = check(ROOT)
    assert ran.returncode == 0, ran.stderr


def test_a_type_that_a_setting_lacks_is_noticed(copy: Path) -> None:
    file = copy / "schema" / "center.json"
    file.write_text(file.read_text().replace('"success",', "", 1))
    ran = check(copy)
    assert ran.returncode != 0
    assert "schema/center.json" in ran.stderr


def test_a_generated_file_that_differs_is_noticed(copy: Path) -> None:
    for name in ("src/wire.ts", "docs/openapi.json"):
        file = copy / name
        text = file.read_text()
        file.write_text(text.replace("dismissed", "dismissd", 1))
        ran = check(copy)
        assert ran.returncode != 0
        assert name in ran.stderr
        file.unlink()
        assert name in check(copy).stderr
        file.write_text(text)
