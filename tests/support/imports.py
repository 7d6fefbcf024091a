"""The modules that a server has imported."""

from __future__ import annotations

from pathlib import Path

#: Code for a server's configuration that records which of these modules the extension imports, even
#: if other code has imported them already.
RECORD = """
import builtins

def note(name, globals=None, locals=None, fromlist=(), level=0, do=builtins.__import__):
    who = str((globals or {{}}).get("__name__"))
    what = name.partition(".")[0]
    if what in ("httpx", "pydantic", "yaml") and who.startswith("jupyterlab_notify"):
        with open("{file}", "a") as record:
            print(what, file=record)
    return do(name, globals, locals, fromlist, level)

builtins.__import__ = note
"""


def imported(record: Path) -> set[str]:
    """Return the modules that the extension has imported though an idle server needs none."""
    return set(record.read_text().split()) if record.exists() else set()
