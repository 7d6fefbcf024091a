"""Virtual environments with some of the distributions that are installed here, and no others."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from .servers import clean_environment


def with_requirements(names: Iterable[str]) -> dict[str, Distribution]:
    """Return distributions that are installed here, and all that they need."""
    found: dict[str, Distribution] = {}
    wanted = [Requirement(name) for name in names]
    seen = set()
    while wanted:
        one = wanted.pop()
        name = re.sub(r"[-_.]+", "-", one.name).lower()
        if (name, *sorted(one.extras)) in seen:
            continue
        seen.add((name, *sorted(one.extras)))
        found[name] = distribution(name)
        for line in found[name].requires or ():
            needed = Requirement(line)
            extras = ("", *one.extras)
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                wanted.append(needed)
    return found


def make_environment(directory: Path, *names: str) -> Path:
    """Make an environment with these distributions and what they need; return its interpreter.

    They are linked and not installed, so that no package index is asked.
    """
    venv.create(directory, symlinks=True)
    (site,) = directory.glob("lib/python*/site-packages")
    for one in with_requirements(names).values():
        tops = {Path(file).parts[0] for file in one.files or () if not str(file).startswith("..")}
        for top in tops - {"__pycache__"}:
            link, source = site / top, Path(str(one.locate_file(top)))
            if source.exists() and not link.exists():
                link.symlink_to(source)
    return directory / "bin" / "python"


def pip(
    python: Path, *arguments: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run pip for an environment."""
    directory = python.parent.parent
    return subprocess.run(
        [
            *(sys.executable, "-m", "pip", "--python", str(python)),
            *("--disable-pip-version-check", *map(str, arguments)),
        ],
        env={**clean_environment(directory), "SKIP_JUPYTER_BUILDER": "1"},
        cwd=cwd or directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def pip_install(
    python: Path, *what: str | Path, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``pip install``, which asks no package index and builds no browser side."""
    return pip(python, "install", "--no-index", "--no-build-isolation", *what, cwd=cwd)


def pip_show(python: Path, name: str) -> str:
    """Return what ``pip show`` says of a distribution in an environment."""
    ran = pip(python, "show", name)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
