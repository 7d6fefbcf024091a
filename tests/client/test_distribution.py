"""The client's distribution needs nothing else: a kernel's environment is enough for it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..support.environments import make_environment, pip_install, pip_show
from ..support.sending import Api, find, outside, run, wait_for_message
from ..support.servers import ROOT, Server

KERNEL_SPEC = """
{{"argv": ["{python}", "-m", "ipykernel_launcher", "-f", "{{connection_file}}"],
 "display_name": "Own", "language": "python"}}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel of the client."""
    directory = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)],
        cwd=ROOT / "client",
        check=True,
        capture_output=True,
    )
    (found,) = directory.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that has the client and nothing else."""
    python = make_environment(tmp_path_factory.mktemp("bare") / "venv")
    ran = pip_install(python, wheel)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return python


@pytest.fixture(scope="module")
def with_kernel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the interpreter of an environment that has ipykernel and the client."""
    python = make_environment(tmp_path_factory.mktemp("kernel") / "venv", "ipykernel")
    ran = pip_install(python, wheel)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return python


@pytest.fixture(scope="module")
def lab(with_kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that offers the other environment's kernel."""
    directory = tmp_path_factory.mktemp("lab")
    made = Server(directory)
    spec = made.home / ".local" / "share" / "jupyter" / "kernels" / "own"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(KERNEL_SPEC.format(python=with_kernel))
    try:
        yield made.start()
    finally:
        made.stop()
        made.client.close()


def lone(python: Path, server: Server) -> dict[str, str]:
    """Return an environment in which nothing of the tests' own packages is found."""
    env = outside(server)
    env.pop("PYTHONPATH")
    return {**env, "PATH": os.pathsep.join([str(python.parent), os.defpath])}


def test_it_requires_nothing(wheel: Path, bare: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (about,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        said = archive.read(about).decode()
        (points,) = (name for name in names if name.endswith(".dist-info/entry_points.txt"))
        assert b"jupyter-notify = jupyter_notify.cli:main" in archive.read(points)
    assert "\nRequires-Python: >=3.9\n" in said
    needed = [line for line in said.splitlines() if line.startswith("Requires-Dist")]
    assert all("; extra == " in line for line in needed), needed
    assert "jupyter_notify/py.typed" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "jupyter_notify",
        "jupyter_notify_client",
    }
    assert "\nRequires: \n" in pip_show(bare, "jupyter-notify-client")


def test_alone_it_sends_and_tracks(bare: Path, lab: Server) -> None:
    code = (
        "import sys\n"
        "from jupyter_notify import notify\n"
        "assert notify('From a bare environment').wait(), 'not sent'\n"
        "for n in notify.track(range(3), 'Bare'): pass\n"
        "assert notify.flush()\n"
        "third = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)\n"
        "print(sorted(name for name in third if not name.startswith('_')))\n"
    )
    ran = run(bare, "-c", code, env=lone(bare, lab), cwd=lab.root_dir)
    assert (ran.returncode, ran.stderr) == (0, ""), ran.stderr
    assert ran.stdout == "['jupyter_notify']\n"
    assert find(lab, "From a bare environment")
    assert find(lab, "Bare: done, 3 in ")
    command = bare.with_name("jupyter-notify")
    ran = run(command, "send", "By its command", env=lone(bare, lab), cwd=lab.root_dir)
    assert ran.returncode == 0, ran.stderr
    assert find(lab, "By its command")
    ran = run(command, "watch", env=lone(bare, lab), cwd=lab.root_dir)
    assert ran.returncode == 1
    assert ran.stderr == (
        "jupyter notify: jupyter notify watch needs Tornado, which is not installed here: "
        "pip install 'jupyter-notify-client[watch]'.\n"
    )


def test_without_the_variable_it_finds_the_server_as_jupyter_core_would(
    bare: Path, lab: Server
) -> None:
    env = lone(bare, lab)
    env.pop("JUPYTER_RUNTIME_DIR")
    env["XDG_DATA_HOME"] = str(lab.directory / "data-home")
    there = lab.directory / "data-home" / "jupyter"
    there.mkdir(parents=True, mode=0o700)
    (there / "runtime").symlink_to(lab.runtime_dir)
    ran = run(
        *(bare.with_name("jupyter-notify"), "send", "Found by itself"), env=env, cwd=lab.root_dir
    )
    assert ran.returncode == 0, ran.stderr


def test_a_kernel_with_it_sends_tracks_and_runs_magics(with_kernel: Path, lab: Server) -> None:
    with Api(lab.url, lab.token).kernel("own.ipynb", name="own") as kernel:
        where = kernel.ok("import jupyter_notify, sys\nprint(sys.prefix, jupyter_notify.__file__)")
        assert where.count(str(with_kernel.parent.parent)) == 2
        kernel.ok(
            "from importlib.util import find_spec\n"
            "names = ('jupyter_server', 'jupyterlab_notify', 'pydantic')\n"
            "assert not [n for n in names if find_spec(n)]"
        )
        kernel.ok("from jupyter_notify import notify\nassert notify('From a kernel').wait()")
        kernel.ok("for n in notify.track(range(4), 'In a kernel'): pass")
        kernel.ok("%load_ext jupyter_notify")
        kernel.ok("%%notify --after 0 Ada's cell\n1 + 1", cell_id="own-cell")
        kernel.ok("assert notify.flush()")
    assert find(lab, "From a kernel")
    assert find(lab, "In a kernel: done, 4 in ")
    row = wait_for_message(lab, "Ada's cell: done in ")
    assert row["source"] == "own.ipynb"
    assert row["actions"][0]["args"] == {"path": "own.ipynb", "cellId": "own-cell"}
