"""Set the version of every distribution of this repository: ``make version V=0.2.0``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Each file that holds the version, and the text before the version. The build of the root's Python
#: package takes the version from package.json.
PLACES = (
    ("package.json", '"version": '),
    ("client/jupyter_notify/_version.py", "__version__ = "),
    ("hub/jupyterhub_notify/_version.py", "__version__ = "),
)


def versions() -> dict[str, str]:
    """Return the version that each file holds."""
    found = {}
    for name, before in PLACES:
        match = re.search(re.escape(before) + '"([^"]+)"', (ROOT / name).read_text("utf-8"))
        assert match is not None, f"{name} has no version"
        found[name] = match[1]
    return found


def main(version: str) -> None:
    """Write a version into every file that holds it."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        sys.exit(f"A version is of the form 0.2.0, not {version!r}.")
    for name, before in PLACES:
        path = ROOT / name
        text = path.read_text("utf-8")
        path.write_text(
            re.sub(re.escape(before) + '"[^"]+"', f'{before}"{version}"', text, count=1), "utf-8"
        )


if __name__ == "__main__":
    main(sys.argv[1])
