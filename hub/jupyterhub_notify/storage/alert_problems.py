"""Reads and writes the reasons why alerts reach nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ..schema import AlertProblem, now

__all__ = ["AlertProblemStore"]

_P = AlertProblem.__table__.c

#: Maximum number of rows: a label with ever new values must not fill the database.
MAX_ROWS = 1000
MAX_SUBJECT = 200


class AlertProblemStore:
    """The queries of the table; each method is given its connection."""

    async def add(
        self, connection: AsyncConnection, engine: str, problems: Sequence[tuple[str, str]]
    ) -> list[tuple[str, str]]:
        """Count problems.

        Parameters
        ----------
        connection
            The connection.
        engine
            The alerting engine.
        problems
            The reason and subject of each problem.

        Returns
        -------
        list of tuple
            The problems that are new.
        """
        at, new = now(), []
        counts = Counter((reason, subject[:MAX_SUBJECT]) for reason, subject in problems)
        rows = (await connection.execute(select(func.count()).select_from(AlertProblem))).scalar()
        left = MAX_ROWS - int(rows or 0)
        for (reason, subject), count in counts.items():
            where = and_(_P.engine == engine, _P.reason == reason, _P.subject == subject)
            changed = await connection.execute(
                update(AlertProblem).where(where).values(count=_P.count + count, last=at)
            )
            if changed.rowcount == 0 and left > 0:
                left -= 1
                new.append((reason, subject))
                values = {"reason": reason, "subject": subject, "count": count}
                await connection.execute(
                    insert(AlertProblem).values(engine=engine, first=at, last=at, **values)
                )
        return new

    async def all(self, connection: AsyncConnection) -> list[dict[str, Any]]:
        """Return all problems, the latest first."""
        statement = select(AlertProblem.__table__).order_by(_P.last.desc(), _P.subject)
        return [dict(row._mapping) for row in await connection.execute(statement)]
