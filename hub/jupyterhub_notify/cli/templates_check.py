"""``templates check``: render every template with its sample."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .exit import CommandError

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "directory",
        nargs="?",
        type=Path,
        help="where they are (default: as the service is configured)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Check the templates; return 1 if one of them is not valid."""
    from ..config import Settings
    from ..templates import check_directory

    directory = options.directory or Settings().templates
    if directory is None:
        raise CommandError("say which directory, or set JUPYTERHUB_NOTIFY_TEMPLATES", 2)
    try:
        findings = check_directory(directory)
    except OSError as error:
        raise CommandError(f"{directory} cannot be read: {error.strerror or error}", 2) from None
    if options.json:
        print(
            json.dumps(
                [
                    {
                        "name": finding.name,
                        "error": finding.error,
                        "type": finding.type,
                        "summary": finding.filled.summary if finding.filled else None,
                        "body": finding.filled.body if finding.filled else None,
                    }
                    for finding in findings
                ]
            )
        )
    else:
        for finding in findings:
            said = finding.error or (finding.filled.summary if finding.filled else "")
            print(f"{'bad ' if finding.error else 'good'} {finding.name}: {said}")
    return 1 if any(finding.error for finding in findings) else 0
