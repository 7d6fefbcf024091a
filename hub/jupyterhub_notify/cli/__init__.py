"""The command line: each verb is a module of this package.

A verb's module has ``add_arguments(parser)`` and ``run(options)``, which returns the exit code.
`VERBS` has a verb's words, its module's name and one sentence of help. A module is imported only
when its verb is used, so that ``send`` need not wait for SQLAlchemy.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from types import ModuleType

from .._version import __version__
from .exit import CommandError

__all__ = ["VERBS", "main"]

#: The words of each verb, its module, and its help.
VERBS: dict[str, tuple[str, str]] = {
    "doctor": ("doctor", "Name what is missing at the hub, and look at every running server"),
    "serve": ("serve", "Run the service"),
    "upgrade": ("upgrade", "Bring the database to this version's schema"),
    "init": ("init", "Make the database and the token file of a service without a hub"),
    "token create": ("token_create", "Add a token to the token file"),
    "send": ("send", "Send a notification to users or a group"),
    "broadcast": ("broadcast", "Tell everyone, groups or users"),
    "list": ("list", "List what is active"),
    "show": ("show", "Show one message and what became of it"),
    "revoke": ("revoke", "Take a message from every screen"),
    "retry": ("retry", "Push a broadcast again where that failed"),
    "reconcile": ("reconcile", "Make a service's notifications what a file says"),
    "rules check": ("rules_check", "Check a file of rules"),
    "rules run": ("rules_run", "Run the rules once, as from cron"),
    "warn-idle": ("warn_idle", "Warn users before their idle servers are stopped"),
    "templates check": ("templates_check", "Render every template with its sample"),
    "copy": ("copy", "Bring everything into another database"),
}


def main(arguments: list[str] | None = None) -> int:
    """Run one verb.

    Parameters
    ----------
    arguments
        The command line without the program's name; ``None`` for the process's own.

    Returns
    -------
    int
        0 for success, 1 if the service refused or did not answer, 2 for bad usage, 3 if some
        recipients failed.
    """
    words = sys.argv[1:] if arguments is None else arguments
    verb = _verb(words)
    if verb is None:
        return _overview(words)
    module: ModuleType = importlib.import_module(f".{VERBS[verb][0]}", __name__)
    parser = argparse.ArgumentParser(
        prog=f"jupyterhub-notify {verb}", description=VERBS[verb][1], allow_abbrev=False
    )
    module.add_arguments(parser)
    options = parser.parse_args(words[len(verb.split()) :])
    try:
        return int(module.run(options))
    except CommandError as error:
        print(f"jupyterhub-notify {verb}: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130


def _verb(words: list[str]) -> str | None:
    for verb in sorted(VERBS, key=len, reverse=True):
        if words[: len(verb.split())] == verb.split():
            return verb
    return None


def _overview(words: list[str]) -> int:
    if words == ["--version"]:
        print(__version__)
        return 0
    wanted = not words or words[0] in ("-h", "--help")
    stream = sys.stdout if wanted and words else sys.stderr
    print("usage: jupyterhub-notify VERB [options]\n", file=stream)
    for verb, (_, text) in VERBS.items():
        print(f"  {verb:<18} {text}", file=stream)
    if not wanted:
        print(f"\njupyterhub-notify: there is no verb {words[0]!r}", file=sys.stderr)
    return 0 if wanted and words else 2
