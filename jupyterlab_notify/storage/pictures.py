"""The pictures of notifications, one each, in a table beside them.

A row says which picture it has. Triggers in ``schema`` delete the picture when its row goes, is
revoked or expires, whichever version of this software does that.
"""

from __future__ import annotations

from collections import defaultdict

from ..encoding import dumps
from ..exceptions import NotFound
from ..pictures import Picture
from .notifications import Stored
from .replies import find_sent
from .retention import Retention
from .transaction import Transaction

#: The part of the database's bound that pictures may take. A text is worth more than a picture, so
#: pictures do not drive out messages.
SHARE = 0.5


class PictureRepository:
    """The table ``pictures``.

    Parameters
    ----------
    retention
        How much is kept.
    """

    def __init__(self, retention: Retention) -> None:
        self._retention = retention

    def set(
        self, transaction: Transaction, id_or_key: str, source: str, picture: Picture | None
    ) -> Stored:
        """Set, replace or remove a message's picture.

        The row changes quietly: the message does not ask for attention again.

        Parameters
        ----------
        transaction
            A transaction that writes.
        id_or_key, source
            Which message; see ``find_sent``.
        picture
            The picture; None removes the present one.

        Raises
        ------
        NotFound
            If this source has no such message.
        """
        id_ = find_sent(transaction, id_or_key, source)
        known, seq = transaction.execute(
            "SELECT (SELECT version FROM pictures WHERE pictures.id = notifications.id), seq "
            "FROM notifications WHERE id = ?",
            (id_,),
        ).fetchone()
        changes = known != (None if picture is None else picture.version)
        if changes:
            seq = transaction.next_seq()
            if picture is None:
                _take_away(transaction, id_, seq)
            else:
                _put(transaction, id_, seq, picture)
                self._make_room(transaction, id_)
        return Stored(id_, seq, "updated" if changes else None, transaction.durable)

    def get(self, transaction: Transaction, id_: str, version: str) -> tuple[bytes, str]:
        """Return a picture's bytes and type.

        Raises
        ------
        NotFound
            If the notification does not have this picture, or no longer has it.
        """
        found = transaction.execute(
            "SELECT pictures.data, json_extract(image, '$.type') FROM pictures "
            "JOIN notifications USING (id) WHERE id = ? AND version = ? AND image IS NOT NULL",
            (id_, version),
        ).fetchone()
        if found is None:
            raise NotFound("There is no such picture, or no more.")
        return found[0], found[1]

    def _make_room(self, transaction: Transaction, newest: str) -> None:
        """Remove pictures until the rest fits, from whoever takes most room; keep the newest.

        A sender is a token, as for ``retention``. Of one token's pictures, the oldest one of the
        source that takes most room goes first.
        """
        bound = self._retention.size * SHARE
        if not bound:
            return
        rows = transaction.execute(
            "SELECT id, length(pictures.data), coalesce(via, source), source "
            "FROM pictures JOIN notifications USING (id) ORDER BY position"
        ).fetchall()
        total = 0
        by_sender: defaultdict[str, int] = defaultdict(int)
        by_source: defaultdict[tuple[str, str], int] = defaultdict(int)
        for _, size, sender, source in rows:
            total += size
            by_sender[sender] += size
            by_source[sender, source] += size
        # Only what may go is compared: the newest picture may be the only one of its sender.
        rows = [row for row in rows if row[0] != newest]
        while total > bound and rows:
            # The first of equals is the oldest.
            row = max(rows, key=lambda row: (by_sender[row[2]], by_source[row[2], row[3]]))
            id_, size, sender, source = row
            rows.remove(row)
            total -= size
            by_sender[sender] -= size
            by_source[sender, source] -= size
            _take_away(transaction, id_, transaction.next_seq())


def _put(transaction: Transaction, id_: str, seq: int, picture: Picture) -> None:
    transaction.execute(
        "INSERT OR REPLACE INTO pictures (id, version, size, data) VALUES (?, ?, ?, ?)",
        (id_, picture.version, len(picture.data), picture.data),
    )
    image = {
        "version": picture.version,
        "type": picture.media_type,
        "width": picture.width,
        "height": picture.height,
    }
    transaction.execute(
        "UPDATE notifications SET seq = ?, image = ? WHERE id = ?", (seq, dumps(image), id_)
    )


def _take_away(transaction: Transaction, id_: str, seq: int) -> None:
    transaction.execute("UPDATE notifications SET seq = ?, image = NULL WHERE id = ?", (seq, id_))
    # One that is held for a message that may come back is not its row's at the moment.
    transaction.execute("DELETE FROM pictures WHERE id = ?", (id_,))
