"""The Pythons of this machine that the client promises to run on, for tests in each of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from ..support.servers import ROOT

#: The versions that `requires-python` and the classifiers of the client promise.
PROMISED = ("3.9", "3.10", "3.11", "3.12", "3.13")
CLIENT = ROOT / "client"


@cache
def interpreters() -> dict[str, str]:
    """Return the interpreter of each promised version that is found here; our own is one."""
    own = "{}.{}".format(*sys.version_info)
    found = {own: sys.executable}
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in PROMISED:
        there = sorted(str(one) for one in pyenv.glob(f"{version}.*/bin/python{version}"))
        on_path = shutil.which(f"python{version}")
        for path in (*there, *([on_path] if on_path else [])):
            # A script of pyenv on the path may only report that this version is not installed.
            if version not in found and _is_version(path, version):
                found[version] = path
    return {version: found[version] for version in sorted(found, key=_key)}


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _is_version(path: str, version: str) -> bool:
    code = "import sys, json, ssl; print('%d.%d' % sys.version_info[:2])"
    ran = subprocess.run([path, "-c", code], capture_output=True, text=True, timeout=20)
    return ran.returncode == 0 and ran.stdout.strip() == version


#: Run a test in each Python that is found.
in_each_python = pytest.mark.parametrize(
    "interpreter", list(interpreters().values()), ids=list(interpreters())
)


def run_program(
    interpreter: str,
    *arguments: str | Path,
    env: dict[str, str] | None = None,
    timeout_s: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run a program with the client on its path, and nothing else that is installed here."""
    return subprocess.run(
        [interpreter, "-W", "error", *map(str, arguments)],
        env={
            "PATH": os.defpath,
            "PYTHONPATH": str(CLIENT),
            "PYTHONDONTWRITEBYTECODE": "1",
            **(env or {}),
        },
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )
