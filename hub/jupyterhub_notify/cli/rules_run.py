"""``rules run``: run the rules once, if the service does not run them itself."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from ..alerts.evaluation import UserState
from .exit import CommandError
from .local import add_database_argument, settings_of
from .rules_check import read

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("file", nargs="?", type=Path, help="which (JUPYTERHUB_NOTIFY_RULES)")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say what would change: nobody is told, nothing is called or written",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_database_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Run the rules; return 1 if an engine did not answer."""
    settings = settings_of(database=options.database, rules=options.file)
    read(settings.rules, settings.templates)
    done = asyncio.run(_run(settings, rehearse=options.dry_run))
    states = {
        rule: {user: state.to_json() for user, state in users.items()}
        for rule, users in done.states.items()
    }
    if options.json:
        result = {"mine": done.mine, "failures": done.failures, "states": states}
        if options.dry_run:
            result["changes"] = [
                {"rule": rule, "user": user, "before": was.to_json(), "after": becomes.to_json()}
                for rule, user, was, becomes in done.changes
            ]
        print(json.dumps(result))
    elif options.dry_run:
        for rule, user, was, becomes in done.changes:
            print(f"{rule}: {user} {', '.join(_would(was, becomes))}")
        if not done.changes and not done.failures:
            print("Nothing would change")
    elif not done.mine:
        print("Another replica is running the rules")
    shown = {} if options.json or options.dry_run else states
    for rule, users in shown.items():
        for user, state in users.items():
            value = f"{state.get('value', 0):g}"
            print(f"{rule}: {user} at {value}, level {state['level']}, action {state['action']}")
    if done.failures:
        rule, reason = next(iter(done.failures.items()))
        raise CommandError(f"{rule}: {reason}")
    return 0


def _would(was: UserState, becomes: UserState) -> list[str]:
    """Return what would happen to a user, in words."""
    words = []
    if becomes.level > was.level:
        words.append(f"would be told at {becomes.value:g}, level {becomes.level}")
    elif becomes.level < was.level:
        words.append("would be told no more" if not becomes.level else f"level {becomes.level}")
    if becomes.action != was.action:
        begins = becomes.action == "beginning"
        words.append(f"the action would {'begin' if begins else 'end'}")
    return words


async def _run(settings: Any, *, rehearse: bool) -> Any:
    from ..errors import ServiceError
    from ..factory import build

    parts = build(settings)
    assert parts.rules is not None
    parts.writer.start()
    try:
        if rehearse:
            return await parts.rules.rehearse()
        done = await parts.rules.run()
        await parts.rules.release()
        return done
    except ServiceError as error:
        raise CommandError(str(error)) from None
    finally:
        await parts.writer.stop()
        await parts.database.close()
