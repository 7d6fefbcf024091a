"""Perform a batch: run its operations in the engine's transaction, in groups where possible."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from ..exceptions import NotifyError
from .connection import is_corrupt
from .transaction import GroupedOperation, Operation, Transaction


class OperationFailed(Exception):
    """An operation failed by its own fault, perhaps halfway, so the batch must be rolled back."""

    def __init__(self, index: int, error: Exception) -> None:
        super().__init__(str(error))
        self.index, self.error = index, error


def perform(
    transaction: Transaction,
    calls: Sequence[Operation[Any]],
    failed: Mapping[int, Exception],
) -> list[Any | Exception]:
    """Run operations in order; return the result of each, or the exception that it raised.

    Consecutive operations that can be grouped run together. SQLite releases Python's global
    lock between two statements, and waiting to get it back takes longer than the statements.

    Parameters
    ----------
    transaction
        The transaction.
    calls
        The operations.
    failed
        The errors of operations that failed in an earlier attempt, by index. They are not run.

    Raises
    ------
    OperationFailed
        If an operation fails unexpectedly.
    sqlite3.DatabaseError, OSError
        If the file fails.
    """
    results: list[Any | Exception] = []
    while (start := len(results)) < len(calls):
        if start in failed:
            results.append(failed[start])
            continue
        group: list[GroupedOperation] = []
        for index in range(start, len(calls)):
            call = calls[index]
            if index in failed or not isinstance(call, GroupedOperation):
                break
            if not call.can_group(transaction):
                break
            group.append(call)
        if len(group) > 1:
            results += _perform_group(transaction, start, group)
        else:
            results.append(_perform_one(transaction, start, calls[start]))
    return results


def _perform_group(
    transaction: Transaction, start: int, group: list[GroupedOperation]
) -> list[Any | Exception]:
    try:
        return group[0].run_group(transaction, group)
    except (sqlite3.DatabaseError, OSError):
        raise
    except Exception:
        # One of the operations is at fault, so each runs alone.
        return [
            _perform_one(transaction, start + number, call) for number, call in enumerate(group)
        ]


def _perform_one(transaction: Transaction, index: int, call: Operation[Any]) -> Any:
    try:
        return call(transaction)
    except NotifyError as error:
        # An operation raises such an error before it changes anything.
        return error
    except Exception as error:
        # The in-memory database cannot fail, so there the error is always the operation's own.
        if transaction.durable and (
            isinstance(error, sqlite3.OperationalError) or is_corrupt(error)
        ):
            raise
        raise OperationFailed(index, error) from error
