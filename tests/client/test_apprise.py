"""Programs that speak Apprise reach JupyterLab."""

from __future__ import annotations

import sys
from pathlib import Path

import apprise
import pytest

import jupyter_notify.apprise  # importing it is what registers it

from ..support.sending import find, outside, run, wait_for_message
from ..support.servers import Server

assert jupyter_notify.apprise


def test_apprise_reaches_a_named_server(server: Server) -> None:
    to = apprise.Apprise()
    assert to.add(f"jupyter://{server.token}@127.0.0.1:{server.port}/lab")
    (url,) = [one.url() for one in to]
    (private,) = [one.url(privacy=True) for one in to]
    assert server.token in url
    assert server.token not in private
    for kind, type_ in (("failure", "error"), ("success", "success"), ("info", "info")):
        assert to.notify(title=f"Apprise {kind}", body="what *it* says", notify_type=kind)
        row = wait_for_message(server, f"Apprise {kind}")
        assert (row["type"], row["source"]) == (type_, "Apprise")
        assert server.detail(row["id"])["body"] == "what *it* says"
    assert to.notify(body="Apprise without a title")
    assert find(server, "Apprise without a title")
    # The URL that the plugin gives for itself works as well as the first.
    again = apprise.Apprise()
    assert again.add(url)
    assert again.notify(body="Apprise again")


def test_a_text_for_apprise_is_shown_as_it_is_and_markdown_as_markdown(server: Server) -> None:
    to = apprise.Apprise()
    assert to.add(f"jupyter://{server.token}@127.0.0.1:{server.port}/")
    said = "#include <vector>\n<stdin>:1: \x1b[31merror\x1b[0m\n```"
    bodies = {}
    for given in ("text", "markdown", "html"):
        assert to.notify(title=f"As {given}", body=said, body_format=given)
        row = find(server, f"As {given}")
        assert row is not None
        bodies[given] = server.detail(row["id"])["body"]
    assert bodies["text"] == "~~~\n#include <vector>\n<stdin>:1: error\n```\n~~~"
    assert bodies["markdown"] == said


def test_what_is_attached_for_apprise_is_named(server: Server, tmp_path: Path) -> None:
    plot = tmp_path / "plot *1*.png"
    plot.write_bytes(b"png")
    to = apprise.Apprise()
    assert to.add(f"jupyter://{server.token}@127.0.0.1:{server.port}/")
    assert to.notify(title="Attached", body="See *this*", attach=[str(plot)])
    row = find(server, "Attached")
    assert row is not None
    body = server.detail(row["id"])["body"]
    assert body == "See *this*\n\nAttachments (not shown here):\n\n```\nplot *1*.png\n```"
    assert to.notify(body="", attach=[str(plot)])
    assert find(server, "Attachments")
    # What is not seen in a name is written as an escape, and no name looks like two.
    odd = tmp_path / "plot.png\nlog.txt\x1b[31m\u202e"
    odd.write_bytes(b"text")
    assert to.notify(title="Odd", body="", attach=[str(odd)])
    row = find(server, "Odd")
    assert row is not None
    body = server.detail(row["id"])["body"]
    assert body.endswith("```\nplot.png\\nlog.txt\\x1b[31m\\u202e\n```")


@pytest.mark.parametrize(
    ("path", "base"),
    [
        ("/a%20b/", "/a%20b/"),
        ("/user/a%2Fb/lab", "/user/a%2Fb/"),
        ("/user/who%3F%23/lab/tree/x", "/user/who%3F%23/"),
        ("/user/a%2520b/lab", "/user/a%2520b/"),
        ("/lab/team/lab", "/lab/team/"),
        ("/user/J%C3%B6rg/lab/tree/x", "/user/J%C3%B6rg/"),
        ("/a;b/", "/a;b/"),
        ("", "/"),
    ],
)
def test_a_url_of_apprise_may_have_any_base(path: str, base: str) -> None:
    (one,) = apprise.Apprise(f"jupyter://secret@h.example:8888{path}")
    assert one.target().url == f"http://h.example:8888{base}"
    (again,) = apprise.Apprise(one.url())
    assert again.target() == one.target()


@pytest.mark.parametrize(
    ("url", "token"),
    [
        ("jupyter://to:ken@h/", "to:ken"),
        ("jupyter://to%3Aken@h/", "to:ken"),
        ("jupyter://h/?token=secret", "secret"),
        ("jupyter://h/lab?token=to%2525ken", "to%25ken"),
        ("jupyter://secret@h/?token=other", "secret"),
    ],
)
def test_the_whole_token_is_taken_from_wherever_a_url_has_it(url: str, token: str) -> None:
    (one,) = apprise.Apprise(url)
    assert one.target().token == token
    (again,) = apprise.Apprise(one.url())
    assert again.target() == one.target()


@pytest.mark.parametrize(
    ("title", "body", "message"),
    [
        ("", "  \nSecond line", "Second line"),
        ("", "\x1b[31m\n\u200b\nThird line", "Third line"),
        ("\u3164", "Said below", "Said below"),
        ("", "\u2800", "A message without a text"),
    ],
)
def test_a_message_whose_first_line_is_blank_is_shown(
    server: Server, title: str, body: str, message: str
) -> None:
    to = apprise.Apprise(f"jupyter://{server.token}@127.0.0.1:{server.port}/")
    assert to.notify(title=title, body=body, body_format="text")
    assert find(server, message)


def test_apprise_says_no_when_the_server_does(server: Server) -> None:
    to = apprise.Apprise()
    assert to.add(f"jupyter://wrong@127.0.0.1:{server.port}/")
    assert not to.notify(body="Apprise refused")
    assert find(server, "Apprise refused") is None


def test_the_apprise_command_finds_the_server_by_itself(server: Server, tmp_path: Path) -> None:
    # As docs/send.md says.
    plugin = tmp_path / "jupyter.py"
    plugin.write_text("from jupyter_notify.apprise import *\n")
    ran = run(
        *(Path(sys.executable).with_name("apprise"), "--plugin-path", plugin),
        *("--title", "Apprise command", "--body", "b", "jupyter://"),
        env=outside(server),
        cwd=tmp_path,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert find(server, "Apprise command")
