"""Check that relative links in Markdown files lead to an existing file and heading.

`make check` runs this script. It does not follow links to other hosts, whose failures are not ours.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent

FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|(?:src|srcset|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes from a page's headings."""
    found: set[str] = set()
    for heading in HEADING.findall(FENCE.sub("", text)):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        count = 1
        unique = slug
        while unique in found:
            unique = f"{slug}-{count}"
            count += 1
        found.add(unique)
    return found


def broken_links(page: Path) -> list[str]:
    """Return a sentence for each broken link of a page."""
    text = page.read_text(encoding="utf-8")
    problems = []
    for groups in LINK.findall(CODE.sub("", FENCE.sub("", text))):
        link = groups[0] or groups[1]
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (page.parent / unquote(parts.path)) if parts.path else page
        if not target.exists():
            problems.append(f"{page.relative_to(ROOT)}: there is no {link}")
        elif (
            parts.fragment
            and target.suffix == ".md"
            and parts.fragment not in anchors(target.read_text(encoding="utf-8"))
        ):
            problems.append(f"{page.relative_to(ROOT)}: {link} names a heading that is not there")
    return problems


def main() -> int:
    """Check the Markdown files that Git knows; return the exit code."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    pages = [ROOT / name for name in listed if (ROOT / name).exists()]
    problems = [problem for page in pages for problem in broken_links(page)]
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"{len(pages)} pages, {len(problems)} broken links")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
