"""``rules check``: read a file of rules and say what is wrong with it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from .exit import CommandError
from .local import settings_of

if TYPE_CHECKING:
    from ..alerts.rules import Rule

__all__ = ["add_arguments", "read", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("file", nargs="?", type=Path, help="which (JUPYTERHUB_NOTIFY_RULES)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """Check the file; return 1 if it is not valid."""
    settings = settings_of()
    rules = read(options.file or settings.rules, settings.templates)
    if options.json:
        print(json.dumps([rule.model_dump(mode="json", exclude_none=True) for rule in rules]))
    for rule in rules if not options.json else ():
        bounds = ", ".join(f"{threshold.above:g}" for threshold in rule.thresholds)
        note = " (dry run)" if rule.dry_run else ""
        print(f"{rule.name}: above {bounds}{', acts' if rule.action else ''}{note}")
    return 0


def read(path: Path | None, templates: Path | None) -> list[Rule]:
    """Read the rules, or end the command; `templates` is the service's folder of templates."""
    from ..alerts.rules import RulesError, read_rules
    from ..services.content import NoTemplates
    from ..templates import TemplateDirectory

    if path is None:
        raise CommandError("say which file, or set JUPYTERHUB_NOTIFY_RULES", 2)
    try:
        found = NoTemplates() if templates is None else TemplateDirectory(templates)
        return list(read_rules(path, found.check).rules)
    except RulesError as error:
        raise CommandError(f"{path}: {error}") from None
