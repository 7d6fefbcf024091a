"""A URL from a browser's address bar becomes a server's base URL."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from jupyter_notify.connection import Client
from jupyter_notify.discovery import Target, find
from jupyter_notify.errors import BadUsage, Unreachable
from jupyter_notify.server_url import candidates

from .test_discovery import info


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("", "/"),
        ("/", "/"),
        ("/lab", "/"),
        ("/lab/", "/"),
        ("/lab?reset", "/"),
        ("/lab/tree/a/b.ipynb", "/"),
        ("/lab/workspaces/auto-x/tree/a", "/"),
        ("/user/ada/lab", "/user/ada/"),
        ("/user/ada/", "/user/ada/"),
        # A page's name may be a folder's of the base URL.
        ("/lab/team/lab", "/lab/team/"),
        ("/lab/team/", "/lab/team/"),
        ("/lab/lab", "/lab/"),
        ("/tree/x/lab/tree/y", "/tree/x/"),
        ("/user/lab/lab", "/user/lab/"),
        ("/edit/doc/notebooks/a.ipynb", "/edit/doc/"),
        # Or of the user's own path.
        ("/user/ada/lab/tree/lab/tree/doc/x.ipynb", "/user/ada/"),
        ("/lab/tree/files/view/x.csv", "/"),
        ("/doc/tree/x.ipynb", "/"),
        # Whatever must be quoted is, and nothing twice.
        ("/user/J\u00f6rg M\u00fcller/lab", "/user/J%C3%B6rg%20M%C3%BCller/"),
        ("/user/J%C3%B6rg%20M%c3%bcller/lab", "/user/J%C3%B6rg%20M%C3%BCller/"),
        ("/a%20b/tree", "/a%20b/"),
        ("/user/ada@example.org/lab", "/user/ada@example.org/"),
        ("/100%25/lab", "/100%25/"),
        ("/100%/lab", "/100%25/"),
        ("//double///lab", "/double/"),
        ("/user/%ff/lab", "/user/%FF/"),
        ("/user/a%2Fb/lab", "/user/a%2Fb/"),
        # A hub's user may have the name of a page.
        ("/user/lab", "/user/lab/"),
        ("/user/lab/", "/user/lab/"),
        ("/user/lab/tree/x.ipynb", "/user/lab/"),
        ("/user/tree/lab", "/user/tree/"),
        ("/user/doc/doc/tree/lab", "/user/doc/"),
        ("/user/user/lab", "/user/user/"),
        ("/user/user/lab/tree/user/x.ipynb", "/user/user/"),
        ("/user/user/user/lab", "/user/user/user/"),
        ("/prefix/user/notebooks/lab/workspaces/lab", "/prefix/user/notebooks/"),
        ("/lab/tree/user/lab/tree/x.ipynb", "/"),
        ("/lab/tree/hub/home/x.ipynb", "/"),
        # The view of one document alone has workspaces and paths as `lab` has.
        ("/user/ada/doc/workspaces/x/tree/a.ipynb", "/user/ada/"),
        ("/doc/tree/lab", "/"),
        ("/user/ada/lab/workspaces/lab/tree/lab/lab", "/user/ada/"),
        # Pages of the server itself, and of what stands beside JupyterLab.
        ("/user/ada/login?next=%2Fuser%2Fada%2Flab", "/user/ada/"),
        ("/user/ada/nbclassic/notebooks/x.ipynb", "/user/ada/"),
        ("/user/ada/voila/render/lab/x.ipynb", "/user/ada/"),
        ("/user/ada/jupyterlab-notify/ingest", "/user/ada/"),
        ("/user/ada/jupyterlab-notifications-extension/ingest", "/user/ada/"),
        ("/user/ada/retro/tree", "/user/ada/"),
        ("/retro/notebooks/lab/x.ipynb", "/"),
        ("/retro/edit/lab/tree/x.py", "/"),
        # What is named like a hub and is none.
        ("/user/hub/", "/user/hub/"),
        ("/user/hub/lab/tree/hub", "/user/hub/"),
        ("/user/ada/hub/", "/user/ada/hub/"),
        ("/user/ada/hub/login", "/user/ada/hub/"),
        ("/user/ada/lab/tree/hub", "/user/ada/"),
        ("/services/hub/", "/services/hub/"),
        ("/hub/lab", "/hub/"),
        ("/hub/tree/x.ipynb", "/hub/"),
        ("/services/notify/", "/services/notify/"),
        ("/user/ada/proxy/8000/", "/user/ada/proxy/8000/"),
        ("/user/ada/lab\\tree\\x", "/user/ada/"),
        # As a browser would ask for it.
        ("/a/../user/./ada/lab", "/user/ada/"),
        ("/%2e%2e/lab", "/"),
        ("/%6Cab/tr%65e/lab/x.ipynb", "/"),
    ],
)
def test_the_base_is_cut_at_the_last_page(path: str, base: str) -> None:
    assert candidates(f"https://h.example{path}", "elsewhere")[0] == f"https://h.example{base}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("h.example/lab", "must begin with"),
        ("ftp://h.example/", "must begin with"),
        ("http:///lab", "must begin with"),
        ("http://h:99999/", "is not a valid URL"),
        ("http://[::1", "is not a valid URL"),
        ("http://h/\r\nX-Header: 1", "control characters"),
        ("http://user:secret@h/", "Other users can read a token"),
        ("http://h/lab?token=secret", "Other users can read a token"),
        ("http://h/lab#token=secret", "Other users can read a token"),
        ("http://h/lab#?token=secret", "Other users can read a token"),
        ("http://h/lab#/token=secret", "Other users can read a token"),
        # The page that one is led to after the login.
        ("http://h/login?next=%2Flab%3Ftoken%3Dsecret", "Other users can read a token"),
        ("http://h/hub/login?next=/x%3Fnext%3D%252Flab%253Ftoken%253Dsecret", "Other users"),
        ("http://h/lab?a=b&Token=secret", "Other users can read a token"),
        ("http://h/lab?to%6ben=secret", "Other users can read a token"),
        ("http://user:secret@h:99999/lab", "is not a valid URL"),
        ("http://h:99999/lab#token=secret", "is not a valid URL"),
        ("http://h\\x/lab", "is not a valid URL"),
        ("http://[::1]x/lab", "is not a valid URL"),
        ("http://[v1.x]/lab", "is not a valid URL"),
        ("http://[fe80::1%eth0/..]/lab", "is not a valid URL"),
        ("http://a..b/lab", "is not a valid URL"),
        ("http://.h/lab", "is not a valid URL"),
        (f"http://{'a' * 64}/lab", "is not a valid URL"),
        ("http://\u202eh/lab", "is not a valid URL"),
        ("http://h:0/lab", "is not a valid URL"),
        ("http://h x/lab", "is not a valid URL"),
        # Python would look up `fass.example`, a browser `xn--fa-hia.example`.
        ("http://fa\u00df.example/lab", "write its ASCII form"),
        ("http://h.\u03b2\u03cc\u03bb\u03bf\u03c2/lab", "write its ASCII form"),
        ("http://h\u200d.example/lab", "write its ASCII form"),
        ("http://h/hub/user-redirect/lab/tree/x", "an address of the hub"),
        ("http://h/prefix/hub/home", "an address of the hub"),
        ("http://h/hub", "an address of the hub"),
        ("http://h/hub/", "an address of the hub"),
        ("http://h/hub/?next=x#y", "an address of the hub"),
        ("http://h/x/../h%75b//", "an address of the hub"),
        ("http://h/prefix/hub/", "an address of the hub"),
        ("http://hub:8081/hub/api", "an address of the hub"),
        ("http://h/hub/api/users/ada", "an address of the hub"),
        ("http://h/hub/user/ada/lab", "an address of the hub"),
        ("http://h/hub/logout", "an address of the hub"),
        ("http://h/hub/admin#/groups", "an address of the hub"),
        ("http://h/hub/hub/home", "an address of the hub"),
        ("http://h/hub/error/503", "an address of the hub"),
        ("http://h/hub/logo", "an address of the hub"),
        ("http://h/hub/login?next=%2Fhub%2Fhome", "an address of the hub"),
    ],
)
def test_what_is_no_url_is_told_without_its_token(url: str, said: str) -> None:
    with pytest.raises(BadUsage, match=said) as caught:
        candidates(url, "elsewhere")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("base", ["/lab/", "/user/lab/", "/notebooks/"])
def test_a_base_that_is_named_like_a_page_is_known_if_it_runs_here(
    tmp_path: Path, base: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        value = info(port, base_url=base, token="its own", pid=os.getpid())
        (tmp_path / "jpserver-1.json").write_text(json.dumps(value))
        found = find(f"http://127.0.0.1:{port}{base}", env={"JUPYTER_RUNTIME_DIR": str(tmp_path)})
    assert (found.url, found.token) == (f"http://127.0.0.1:{port}{base}", "its own")


@pytest.mark.parametrize(
    "host",
    [
        *("localhost.", "LOCALHOST", "127.1", "0x7f000001", "2130706433", "0.0.0.0", "0"),
        *("[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::FFFF:7f00:1]"),
    ],
)
def test_a_server_that_runs_here_is_known_by_any_form_of_its_address(
    tmp_path: Path, host: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        value = info(port, token="its own", pid=os.getpid())
        (tmp_path / "jpserver-1.json").write_text(json.dumps(value))
        found = find(f"http://{host}:{port}/lab", env={"JUPYTER_RUNTIME_DIR": str(tmp_path)})
    # Its token goes to the address at which it was found.
    assert (found.url, found.token) == (f"http://127.0.0.1:{port}/", "its own")


@pytest.mark.parametrize("written", ["[fe80::1%25eth0]", "[fe80::1%eth0]"])
def test_an_address_may_name_its_interface(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, *_: object) -> list[object]:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    (url, _) = candidates(f"http://{written}:8888/lab", "elsewhere")
    with pytest.raises(Unreachable):
        Client(Target(url, "secret")).request("GET", "/notifications")
    assert asked == ["fe80::1%eth0"]


def test_of_two_bases_that_run_here_the_longer_one_is_meant(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        for base in ("/", "/lab/team/", "/J\u00f6rg/"):
            value = info(port, base_url=base, token=f"of {len(base)}", pid=os.getpid())
            name = f"jpserver-{len(base)}.json"
            (tmp_path / name).write_text(json.dumps(value))
        env = {"JUPYTER_RUNTIME_DIR": str(tmp_path)}
        for path, length in (
            ("/lab/team/lab", 10),
            ("/lab/team", 10),
            ("/J%C3%B6rg/lab", 6),
            ("/J\u00f6rg", 6),
            ("/lab", 1),
        ):
            target = find(f"http://localhost:{port}{path}", env=env)
            assert target.token == f"of {length}", path
            assert target.url.isascii()
