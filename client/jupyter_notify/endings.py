"""Recognize exceptions that are no failures: interrupts, cancellations and exits on purpose."""

from __future__ import annotations

from contextlib import suppress

#: The exit codes of a command that Ctrl-C has ended: by the signal, and as a shell tells of it.
INTERRUPTED = (-2, 130)


def is_interrupt(error: BaseException | None) -> bool:
    """Return whether somebody interrupted or cancelled the work.

    The exceptions of asyncio, concurrent.futures and trio are recognized by their names: none of
    these libraries is imported just for this.
    """
    # Any attribute of an exception, or of its class, may itself raise one.
    with suppress(Exception):
        return _is_interrupt(error)
    return False


def _is_interrupt(error: BaseException | None) -> bool:
    group: tuple[BaseException, ...] = getattr(error, "exceptions", ())
    if group and type(error).__name__ == "BaseExceptionGroup":
        return all(map(_is_interrupt, group))
    if isinstance(error, (KeyboardInterrupt, GeneratorExit)):
        return True
    name = type(error).__name__
    if name == "CalledProcessError":
        return getattr(error, "returncode", None) in INTERRUPTED
    return name == "CancelledError" or (name == "Cancelled" and not isinstance(error, Exception))


def is_plain_exit(error: BaseException | None) -> bool:
    """Return whether an exception comes from ``sys.exit()`` or ``sys.exit(0)``, a success."""
    with suppress(Exception):
        if isinstance(error, SystemExit):
            code = error.code
            # Any other code that equals zero, such as 0.0, is printed by Python and counts as a
            # failure.
            return code is None or (isinstance(code, int) and code == 0)
    return False
