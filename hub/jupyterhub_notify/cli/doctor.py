"""``doctor``: name what is missing at the running hub and in its configuration file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..models.doctor import Problem, Report
from .exit import CommandError
from .remote import add_where_arguments, asked, print_json

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="the hub's jupyterhub_config.py, which is run: what was set and then replaced",
    )
    add_where_arguments(parser)


def run(options: argparse.Namespace) -> int:
    """Print what is missing; return 1 if anything is."""
    report = Report(ok=True, problems=[], servers=[])
    if options.config is not None:
        report = _with(report, _of_file(options.config))
    if options.url or os.environ.get("JUPYTERHUB_NOTIFY_URL"):
        found = asked(
            options,
            lambda client: Report.model_validate(client.request("GET", "/v1/admin/doctor")),
        )
        report = _with(found, report.problems)
    elif options.config is None:
        raise CommandError(
            "What is to be looked at? Give --url (and a token that administers), --config, or both",
            2,
        )
    if options.json:
        print_json(report)
    else:
        _print(report)
    return 0 if report.ok else 1


def _with(report: Report, more: list[Problem]) -> Report:
    problems = [*report.problems, *more]
    return Report(ok=not problems, problems=problems, servers=report.servers)


def _of_file(file: Path) -> list[Problem]:
    from ..doctor.config_file import ConfigFileError, problems_of

    try:
        return problems_of(file)
    except ConfigFileError as error:
        raise CommandError(str(error)) from None


def _print(report: Report) -> None:
    for problem in report.problems:
        print(f"{problem.what}: {problem.problem}\n    {problem.remedy}")
    for server in report.servers:
        name = f"{server.user}/{server.server}"
        line = f"{name:<24} {server.state:<16} {server.version or ''}"
        print(f"{line} {server.detail or ''}".rstrip())
    if report.ok:
        print("Nothing is missing.")
