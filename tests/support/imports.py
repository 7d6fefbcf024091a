"""The modules that a server has imported."""

from __future__ import annotations

from pathlib import Path

#: For a server's configuration: notes which of these the extension imports, whoever has already.
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
    """Return what the extension has imported by now of what an idle server has no need of."""
    return set(record.read_text().split()) if record.exists() else set()
