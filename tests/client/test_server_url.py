"""What a URL from a browser's address bar means, as a server's base URL."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from jupyter_notify.discovery import find
from jupyter_notify.errors import BadUsage
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
    ],
)
def test_what_is_no_url_is_told_without_its_token(url: str, said: str) -> None:
    with pytest.raises(BadUsage, match=said) as caught:
        candidates(url, "elsewhere")
    assert "secret" not in str(caught.value)


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
