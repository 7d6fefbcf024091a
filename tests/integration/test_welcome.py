"""Welcome messages: from files, counted and dismissed, one version for every tab and server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyterlab_notify import models
from jupyterlab_notify.sources.welcome_files import MAX_FILES, place_images
from jupyterlab_notify.timings import SourceTimings, Timings

from ..support.models import exactly
from ..support.servers import NAMESPACE, PATIENT, Server, at_once, wait_for
from ..support.welcome import ask, due, folder, tell, write

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def make_server(make_server: Callable[..., Server]) -> Callable[..., Server]:
    """Return a function that starts a server which answers once it has read the files."""

    def make(*, timings: Timings = PATIENT, **options: Any) -> Server:
        return make_server(timings=timings, **options)

    return make


def post(server: Server, action: str, value: dict[str, Any] | None = None) -> int:
    version = tell(server, action, value)
    assert version == ask(server)["version"]
    return version


def test_files_beyond_the_most_that_are_read_are_said_in_status_and_log(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(start=False)
    where = folder(server)
    for number in range(MAX_FILES):
        write(where, f"n{number:03}")
    server.start()
    assert len(ask(server)["messages"]) == MAX_FILES
    assert server.status()["welcomeProblem"] is None
    write(where, "one-more")
    assert len(ask(server)["messages"]) == MAX_FILES
    said = server.status()["welcomeProblem"]
    assert said.startswith(f"The folder {where} holds more welcome messages than are read: ")
    ask(server)
    wait_for(lambda: said in server.log, "the log")
    assert server.log.count(said) == 1
    (where / "one-more.md").unlink()
    ask(server)
    assert server.status()["welcomeProblem"] is None


def test_a_file_is_a_welcome_message_until_it_was_seen_enough(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(start=False)
    write(folder(server), "news", "# What is *new*", max_views=2)
    write(folder(server), "law", "Obey.", dismissable="false")
    write(folder(server), "other", aspect="portal")
    server.start()
    assert server.status()["central"] is None
    law, news = ask(server)["messages"]
    assert news.pop("updated").endswith("Z")
    assert news == {
        "id": "file:news",
        "aspect": "jupyterlab",
        "title": "Title of news",
        "summary": None,
        "body": "# What is *new*",
        "dismissable": True,
        "must_accept": False,
        "max_views": 2,
        "views": 0,
        "source": "file",
        "due": True,
    }
    assert law["dismissable"] is False
    with server.websocket() as tab:
        version = tab.receive()["welcome"]
        assert version == ask(server)["version"]
        post(server, "seen", {"ids": ["file:news", "file:unknown"]})
        frame = tab.receive()
        assert frame["type"] == "changes"
        assert frame["notifications"] == []
        assert frame["welcome"] not in (version, None)
    assert due(server) == ["file:law", "file:news"]
    post(server, "seen", {"ids": ["file:news"]})
    assert due(server) == ["file:law"]
    assert [(m["id"], m["due"], m["views"]) for m in ask(server, every=True)["messages"]] == [
        ("file:law", True, 0),
        ("file:news", False, 2),
    ]
    # A message stays if its author forbids dismissal; unknown ones are passed over.
    post(server, "dismiss", {"ids": ["file:law", "file:unknown"]})
    assert due(server) == ["file:law"]
    before = ask(server)["version"]
    assert post(server, "reset") != before
    assert due(server) == ["file:law", "file:news"]


def test_two_servers_of_one_person_agree_and_remember(make_server: Callable[..., Server]) -> None:
    often = PATIENT._replace(watch_interval_s=0.25)
    one = make_server(start=False, timings=often)
    write(folder(one), "a")
    write(folder(one), "b")
    two = make_server(start=False, timings=often, home=one.home)
    at_once(one.start, two.start)
    with one.websocket() as left, two.websocket() as right:
        wait_for(lambda: left.receive()["welcome"] == ask(one)["version"], "its version")
        wait_for(lambda: right.receive()["welcome"] == ask(two)["version"], "the other's version")
        assert due(one) == due(two) == ["file:a", "file:b"]
        version = post(one, "dismiss", {"ids": ["file:a"]})
        assert left.receive()["welcome"] == version
        assert right.receive()["welcome"] == version
        assert due(one) == due(two) == ["file:b"]
        version = post(two, "dismiss", {"all": True})
        assert left.receive()["welcome"] == version
        # A message that arrives later is not due either.
        write(folder(one), "c")
        assert due(one) == due(two) == []
    at_once(one.restart, two.restart)
    assert due(one) == due(two) == []
    post(two, "reset")
    assert due(one) == due(two) == ["file:a", "file:b", "file:c"]


def test_a_file_that_changes_is_noticed_by_open_tabs(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    server = make_server(
        timings=Timings(watch_interval_s=0.2, sources=SourceTimings(files_interval_s=0.2))
    )
    with server.websocket() as tab:
        first = tab.receive()["welcome"]
        path = write(folder(server), "late")
        second = tab.receive()["welcome"]
        assert second != first
        assert due(server) == ["file:late"]
        post(server, "dismiss", {"ids": ["file:late"]})
        third = tab.receive()["welcome"]
        # A new text is still the same message: only a new id makes a new one.
        better = write(tmp_path, "late", "Hello, with fewer typing errors.")
        os.utime(better, (2_000_000_000, 2_000_000_000))
        better.replace(path)
        assert tab.receive()["welcome"] not in (second, third)
        assert due(server) == []
        write(folder(server), "late", id="later")
        assert tab.receive()["welcome"]
        assert due(server) == ["file:later"]


BAD = {
    "no-matter": "Hello.",
    "no-end": "---\nid: x\ntitle: y\n",
    "no-yaml": "---\nid: [x\n---\nHello.",
    "list": "---\n- id\n---\nHello.",
    "no-id": "---\ntitle: x\n---\nHello.",
    "no-title": "---\nid: x\n---\nHello.",
    "empty": "---\nid: x\ntitle: y\n---\n\n",
    "views": "---\nid: x\ntitle: y\nmax_views: none\n---\nHello.",
    "views-0": "---\nid: x\ntitle: y\nmax_views: 0\n---\nHello.",
    "dismissable": "---\nid: x\ntitle: y\ndismissable: maybe\n---\nHello.",
    "deep": f"---\nid: x\ntitle: {'[' * 5000}\n---\nHello.",
    "half": '---\nid: x\ntitle: "Update \\ud83c"\n---\nHello.',
    "tag": "---\nid: !!python/object/apply:os.system ['true']\ntitle: x\n---\nHello.",
}


def test_a_bad_file_is_one_line_in_the_log_and_nothing_else(
    make_server: Callable[..., Server],
) -> None:
    server = make_server(start=False)
    for name, text in BAD.items():
        (folder(server) / f"{name}.md").write_text(text)
    (folder(server) / "latin.md").write_bytes(b"---\nid: x\ntitle: \xff\n---\nHello.")
    (folder(server) / "large.md").write_text("---\nid: x\ntitle: y\n---\n" + "x" * 300_000)
    (folder(server) / "directory.md").mkdir()
    (folder(server) / "dangling.md").symlink_to("nowhere.md")
    # As ``json.dumps`` writes it, which is YAML too: two halves of one sign.
    write(folder(server), "good", title=json.dumps("Update 🎉"))
    server.start()
    for _ in range(3):
        (message,) = ask(server)["messages"]
        assert (message["id"], message["title"]) == ("file:good", "Update 🎉")
    server.stop()
    lines = [line for line in server.log.splitlines() if "The welcome message" in line]
    assert len(lines) == len(BAD) + 4
    assert len({line.partition(" is left out")[0].rpartition("/")[2] for line in lines}) == len(
        lines
    )
    assert "Traceback" not in server.log


def test_of_two_files_with_one_id_the_first_of_the_data_path_counts(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    image = tmp_path / "share" / "notify" / "welcome"
    image.mkdir(parents=True)
    write(image, "hello", "The image's.")
    write(image, "more", "![](more.png)")
    (image / "more.png").write_bytes(PNG)
    server = make_server(start=False, env={"JUPYTER_PATH": str(tmp_path / "share")})
    write(folder(server), "hello", "My own.")
    server.start()
    messages = {m["id"]: m for m in ask(server)["messages"]}
    # ``JUPYTER_PATH`` takes precedence over every other folder.
    assert messages["file:hello"]["body"] == "The image's."
    assert sorted(messages) == ["file:hello", "file:more"]
    url = messages["file:more"]["body"].removeprefix("![](").removesuffix(")")
    assert server.request("GET", url).content == PNG


def test_images_beside_a_file_are_served_and_nothing_else(
    make_server: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    server = make_server(start=False, config={"ServerApp": {"base_url": "/user/jo/"}})
    where = folder(server)
    (where / "img").mkdir()
    (where / "img" / "a b.png").write_bytes(PNG)
    (where / "logo.svg").write_bytes(SVG)
    (where / "linked.png").symlink_to("img/a b.png")
    (where / "escape.png").symlink_to(tmp_path / "secret.png")
    (where / "out").symlink_to(tmp_path)
    (where / ".hidden.png").write_bytes(b"secret")
    (where / "notes.txt").write_text("secret")
    (where / "page.html").write_text("secret")
    (server.data_dir / "notify" / "outside.png").write_bytes(b"secret")
    write(where, "a", "![x](<img/a b.png> 'title')\n\n![y](./logo.svg) ![z](https://e.org/z.png)")
    server = start_below(server, "/user/jo")
    body = ask(server)["messages"][0]["body"]
    first, second, third = (part.split(")")[0].split(" ")[0] for part in body.split("](")[1:])
    assert third == "https://e.org/z.png"
    assert first.startswith(f"/user/jo/{NAMESPACE}/welcome/image/")
    root = first.removesuffix("img/a%20b.png")
    image = server.request("GET", first.removeprefix("/user/jo"))
    assert (image.status_code, image.content) == (200, PNG)
    assert image.headers["content-type"] == "image/png"
    assert image.headers["x-content-type-options"] == "nosniff"
    image = server.request("GET", second.removeprefix("/user/jo"))
    assert image.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in image.headers["content-security-policy"]
    assert "default-src 'none'" in image.headers["content-security-policy"]
    below = root.removeprefix("/user/jo")
    assert server.request("GET", f"{below}linked.png").content == PNG
    for name in (
        *("escape.png", "out/secret.png", ".hidden.png", "notes.txt", "page.html", "a.md"),
        *("../outside.png", "..%2Foutside.png", "%2e%2e/outside.png", "img/../../outside.png"),
        *("", "img", "img/", "nothing.png", "%00.png", "..%5Coutside.png"),
        *(f"{tmp_path}/secret.png", f"%2F{tmp_path}/secret.png", "../99/a.png"),
    ):
        answer = server.request("GET", below + name)
        assert answer.status_code == 404, name
        assert b"secret" not in answer.content
    for number in ("99", "-1", "x", "٣", "1" * 50):
        elsewhere = f"{below.rstrip('/').rpartition('/')[0]}/{number}/logo.svg"
        assert server.request("GET", elsewhere).status_code == 404
    assert server.request("GET", first.removeprefix("/user/jo"), token=None).status_code == 403


def start_below(server: Server, base: str) -> Server:
    """Start a server whose base URL is not the root."""

    class Below(Server):
        @property
        def url(self) -> str:
            return f"http://127.0.0.1:{self.port}{base}"

    server.__class__ = Below
    return server.start()


@pytest.mark.parametrize(
    ("text", "placed"),
    [
        ("![a](b.png)", "![a](/i/b.png)"),
        ("![a](./b/c.PNG 't')", "![a](/i/b/c.PNG 't')"),
        ("[![a](b.png)](https://e.org)", "[![a](/i/b.png)](https://e.org)"),
        ("![a][r]\n\n[r]: b.svg", "![a][r]\n\n[r]: /i/b.svg"),
        ("<img width=1 src='b.png'>", '<img width=1 src="/i/b.png">'),
        ("`![a](b.png)` ![a](b.png)", "`![a](b.png)` ![a](/i/b.png)"),
        ("```\n![a](b.png)\n```\n![a](b.png)", "```\n![a](b.png)\n```\n![a](/i/b.png)"),
        ("[a](b.md) ![a](/b.png)", "[a](b.md) ![a](/b.png)"),
        ("![a](data:image/png;base64,xx)", "![a](data:image/png;base64,xx)"),
        ("![a](//e.org/b.png) ![a](javascript:b.png)",) * 2,
    ],
)
def test_only_relative_images_are_given_a_place(text: str, placed: str) -> None:
    assert place_images(text, "/i/") == placed


@pytest.mark.parametrize(
    ("action", "value"),
    [
        *(("seen", v) for v in ({}, {"ids": []}, {"ids": "x"}, {"ids": [1]}, {"all": True})),
        *(("dismiss", v) for v in ({}, {"all": False}, {"ids": ["x"], "all": True}, {"ids": []})),
        ("dismiss", {"ids": ["x"] * 1001}),
    ],
)
def test_bad_input_changes_nothing(server: Server, action: str, value: Any) -> None:
    before = ask(server)["version"]
    answer = server.request("POST", f"/{NAMESPACE}/welcome/{action}", value)
    assert answer.status_code == 400
    exactly(models.ErrorAnswer, answer.content)
    assert ask(server)["version"] == before


def test_neither_list_nor_object_is_a_reset(server: Server) -> None:
    for content in ("", "[]", "null", "{"):
        answer = server.request("POST", f"/{NAMESPACE}/welcome/reset", content=content)
        assert answer.status_code == 400
    assert server.request("GET", f"/{NAMESPACE}/welcome", params={"all": "x"}).status_code == 400
