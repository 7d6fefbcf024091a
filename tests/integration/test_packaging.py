"""An install from a wheel needs no Node, and enables the extension by itself."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

import jupyterlab_notify
from scripts.set_version import versions

from ..support.environments import make_environment, pip_install, pip_show
from ..support.sending import find
from ..support.servers import ROOT, Server, clean_environment

SCRIPTS = {
    "jupyter-server": "jupyter_server.serverapp:main",
    "jupyter-labextension": "jupyterlab.labextensions:main",
}


def run(*command: str | Path, env: dict[str, str], cwd: Path) -> str:
    ran = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        timeout=60,
        env=env,
        cwd=cwd,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel with the browser side that `make` has built."""
    built = ROOT / "jupyterlab_notify" / "labextension" / "static" / "style.js"
    assert built.exists(), "The browser side is not built: run `make setup`."
    return build(ROOT, tmp_path_factory.mktemp("wheel"))


def build(source: Path, directory: Path) -> Path:
    """Build the wheel of a distribution in an empty directory."""
    run(
        *(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory),
        env={**os.environ, "SKIP_JUPYTER_BUILDER": "1"},
        cwd=source,
    )
    (found,) = directory.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def client_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of the client, which the lab's needs."""
    return build(ROOT / "client", tmp_path_factory.mktemp("client-wheel"))


@pytest.fixture(scope="module")
def python(wheel: Path, client_wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of a fresh environment, in which the wheels are installed.

    It sees what the tests' own has, JupyterLab for one, but not what is installed there for
    development: a path that a `.pth` file adds is not searched for other such files.
    """
    directory = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(directory, symlinks=True)
    fresh = directory / "bin" / "python"
    (site,) = directory.glob("lib/python*/site-packages")
    (site / "jupyterlab.pth").write_text(sysconfig.get_path("purelib") + "\n")
    env = clean_environment(directory)
    run(
        *(sys.executable, "-m", "pip", "--python", fresh, "install", "--no-index", "--no-deps"),
        *("--ignore-installed", "--disable-pip-version-check", client_wheel, wheel),
        env=env,
        cwd=directory,
    )
    for name, target in SCRIPTS.items():
        module, function = target.split(":")
        script = fresh.with_name(name)
        script.write_text(f"#!{fresh}\nfrom {module} import {function}\n{function}()\n")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return fresh


def without_node(python: Path, home: Path) -> dict[str, str]:
    env = clean_environment(home)
    env["PATH"] = str(python.parent)
    return env


def test_a_wheel_holds_the_browser_side_and_nothing_of_the_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = archive.read(about).decode()
        assert "\nRequires-Python: >=3.10\n" in said
        assert "\nRequires-Dist: jupyter-notify-client<1,>=0.1\n" in said
        assert "\nLicense-Expression: BSD-3-Clause\n" in said
        assert any(name.endswith("/LICENSE") for name in names)
    data = next(name.split("/")[0] for name in names if ".data/" in name)
    for name in (
        "jupyterlab_notify/py.typed",
        "jupyterlab_notify/event.yaml",
        "jupyterlab_notify/_version.py",
        f"{data}/data/share/jupyter/labextensions/jupyterlab_notify/package.json",
        f"{data}/data/share/jupyter/labextensions/jupyterlab_notify/install.json",
        f"{data}/data/etc/jupyter/jupyter_server_config.d/jupyterlab_notify.json",
    ):
        assert name in names
    assert not [n for n in names if n.startswith(("tests/", "ui-tests/", "benchmarks/"))]
    assert not [n for n in names if n.startswith(("client/", "hub/", "jupyter_notify/"))]
    assert not [n for n in names if "node_modules" in n or n.endswith((".ts", ".tsx"))]


def test_a_page_of_the_oldest_jupyterlab_is_not_said_to_be_too_old(wheel: Path) -> None:
    promised = json.loads((ROOT / "package.json").read_text())["dependencies"]
    with zipfile.ZipFile(wheel) as archive:
        (entry,) = (n for n in archive.namelist() if re.search(r"/static/remoteEntry\.\w+\.js$", n))
        script = archive.read(entry).decode()
    # The page warns in its console of each package that it has in an older version.
    required = dict(
        re.findall(
            r'shareKey"?:\s*"(@jupyterlab/[^"]+)"[^{}]*?requiredVersion"?:\s*"([^"]+)"', script
        )
    )
    assert "@jupyterlab/apputils" in required
    assert required == {name: promised[name] for name in required}


def test_both_lists_show_it_enabled_and_ok(python: Path, tmp_path: Path) -> None:
    env = without_node(python, tmp_path)
    run(python, "-c", "import shutil; assert shutil.which('node') is None", env=env, cwd=tmp_path)
    where = run(
        *(python, "-c", "import jupyterlab_notify; print(jupyterlab_notify.__file__)"),
        env=env,
        cwd=tmp_path,
    )
    assert Path(where.strip()).is_relative_to(python.parent.parent)
    listed = run(python, "-m", "jupyter", "server", "extension", "list", env=env, cwd=tmp_path)
    lines = listed.splitlines()
    assert any("jupyterlab_notify" in li and "enabled" in li for li in lines), listed
    assert any("jupyterlab_notify" in li and "OK" in li for li in lines), listed
    listed = run(python, "-m", "jupyter", "labextension", "list", env=env, cwd=tmp_path)
    (line,) = (li for li in listed.splitlines() if "jupyterlab_notify" in li)
    assert "enabled" in line
    assert "OK" in line
    assert str(python.parent.parent) in listed


def test_a_server_of_the_wheel_takes_messages_in(
    python: Path, make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server(python=str(python), env=without_node(python, tmp_path / "home"))
    assert server.ingest("m")["durable"] is True


def test_a_program_may_go_on_importing_the_client_from_the_lab(
    python: Path, tmp_path: Path
) -> None:
    code = (
        "import jupyterlab_notify, jupyter_notify\n"
        "from jupyterlab_notify import NotifyHandler, notify\n"
        "from jupyterlab_notify.send.tqdm import tqdm, trange\n"
        "from jupyterlab_notify.send.apprise import *\n"
        "assert notify is jupyter_notify.notify\n"
        "assert NotifyHandler is jupyter_notify.NotifyHandler\n"
        "assert tqdm is jupyter_notify.notify.tqdm\n"
        "from jupyter_notify.apprise import NotifyJupyter as moved\n"
        "assert NotifyJupyter is moved\n"
        "print(jupyter_notify.__file__)\n"
    )
    where = run(python, "-c", code, env=without_node(python, tmp_path), cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(python.parent.parent)


def test_a_checkout_installs_the_client_and_the_lab_together(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    python = make_environment(
        tmp_path / "checkout",
        *("jupyter_server", "jupyterlab", "pydantic"),
        *("hatchling", "hatch-nodejs-version", "hatch-jupyter-builder", "jupyter-builder"),
    )
    alone = pip_install(python, ".", cwd=ROOT)
    assert alone.returncode != 0
    assert "jupyter-notify-client" in alone.stderr
    together = pip_install(python, "./client", ".", cwd=ROOT)
    assert together.returncode == 0, together.stdout + together.stderr
    assert "\nRequires: \n" in pip_show(python, "jupyter-notify-client")
    shown = pip_show(python, "jupyterlab-notify-center").replace("_", "-")
    assert "\nRequires: jupyter-notify-client, jupyter-server, pydantic\n" in shown
    env = without_node(python, tmp_path / "home")
    server = make_server(python=str(python), env=env)
    code = "import jupyterlab_notify as lab, jupyter_notify as c; print(lab.__file__, c.__file__)"
    where = run(python, "-c", code, env=env, cwd=tmp_path)
    assert where.count(str(python.parent.parent)) == 2, where
    run(
        *(python.with_name("jupyter-notify"), "send", "From a checkout"),
        env={**env, "JUPYTER_RUNTIME_DIR": str(server.runtime_dir)},
        cwd=tmp_path,
    )
    assert find(server, "From a checkout")


def test_all_distributions_have_one_version() -> None:
    assert set(versions().values()) == {jupyterlab_notify.__version__}
