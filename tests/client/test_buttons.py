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
