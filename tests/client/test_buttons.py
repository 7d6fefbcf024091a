"""A button has a command or a link that leads somewhere, or is refused at once."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_notify.errors import BadUsage
from jupyter_notify.message import compose


@pytest.mark.parametrize(
    "action",
    [
        "Docs=example.org",
        "Docs=www.example.org/a?b=c",
        "Docs=ftp://example.org",
        "Docs=javascript:alert(1)",
        "Docs=//example.org",
        "Docs=readme.md",
        "Docs=open it: now",
        "Docs=:",
    ],
)
def test_a_button_that_is_neither_command_nor_url_is_refused(action: str) -> None:
    with pytest.raises(BadUsage, match="neither a command of JupyterLab"):
        compose("m", actions=[action])


@pytest.mark.parametrize(
    "action",
    [
        "Docs=localhost:8888",
        "Docs=127.0.0.1:8888/lab",
        "Docs=C:\\data\\new",
        "Docs=c:/data",
        "Docs=https:/example.org",
        "Docs=http:example.org",
        "Docs=tel:123",
        "Docs=wss:example.org",
        "Docs=view-source:https",
        "Docs=magnet:x",
        "Docs=git+ssh:x",
        "Docs=[::1]:8888",
        "Docs=[::1]:x",
        "Docs=a=b:c",
        "Docs=\u202egnp:open",
        "Docs=a\u200b:b",
        "Docs=a:b\x00",
        "Docs=a:b\u00a0",
        "Docs=www.example.org/a:b",
        "Docs=git@example.org:a/b.git",
        "Docs=~/notes:today",
        "Docs=geo:1,2",
        "Docs=s3:bucket",
        "Docs=ldap:x",
        "Docs=livescript:x",
    ],
)
def test_a_host_a_path_or_another_scheme_is_no_command_either(action: str) -> None:
    with pytest.raises(BadUsage, match="neither a command of JupyterLab"):
        compose("m", actions=[action])


@pytest.mark.parametrize(
    "address",
    [
        "https://",
        "http:///path",
        "https://h:99999/",
        "https://evil.example\\@good.example/",
        "https://[::1",
        "https://:80",
        "mailto:",
        "https://a\u00a0b",
        "https://a\u2028b",
        "https://h/\x85",
        "https://h<x>/",
        "https://h|x/",
        "https://[::1]x/",
        "https://a..b/",
        "https://./",
        "https://\u00ad/",
    ],
    ids=ascii,
)
def test_a_link_that_leads_nowhere_is_refused(address: str) -> None:
    each: list[dict[str, Any]] = [
        {"link": address},
        {"link": f"Docs={address}"},
        {"actions": [f"Docs={address}"]},
        {"actions": [{"label": "Docs", "url": address}]},
    ]
    for options in each:
        with pytest.raises(BadUsage, match="A link must"):
            compose("m", **options)


@pytest.mark.parametrize("command", ["@jupyterlab/x:y", "a::b", "jupyterlab-x:open.it", "x:y/z"])
def test_whatever_a_command_is_called_stays_one(command: str) -> None:
    assert compose("m", actions=[f"Go={command}"])["actions"] == [
        {"label": "Go", "commandId": command}
    ]


@pytest.mark.parametrize("blank", [" ", "\u3164", "\u200b\u2060", "\u2800"], ids=ascii)
def test_a_button_that_nobody_sees_is_refused(blank: str) -> None:
    with pytest.raises(BadUsage, match="can be seen"):
        compose("m", actions=[{"label": blank, "commandId": "a:b"}])
    with pytest.raises(BadUsage, match="can be seen"):
        compose("m", reply={"choices": ["Yes", blank]})
