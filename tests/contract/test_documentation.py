"""The documentation says of options what the code does."""

from __future__ import annotations

import re

from jupyterlab_notify.app import NotifyApp

from ..support.servers import ROOT

ROW = re.compile(r"^\| `c\.NotifyApp\.(\w+)` \| (.+?) \| .+ \|$", re.MULTILINE)


def test_every_option_is_documented_with_its_default() -> None:
    documented = dict(ROW.findall((ROOT / "docs" / "administrators.md").read_text()))
    options = NotifyApp.class_own_traits(config=True)
    assert set(documented) == set(options)
    for name, trait in options.items():
        assert trait.help
        # Other defaults depend on the environment, and are described in words.
        if value := trait.default():
            shown = value if isinstance(value, str) else f"{value:.12g}"
            assert documented[name] == f"`{shown}`"
    assert documented["database"].startswith("`notify/notifications.sqlite`")
