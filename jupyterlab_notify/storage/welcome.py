"""Welcome messages: their content, the user's actions on them, and which are due."""

from __future__ import annotations

import json
import sqlite3
import sys
import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .outbox import OutboxRepository
from .transaction import StoreState, Transaction

if TYPE_CHECKING:
    from .shapes import WelcomeContent, WelcomeMessages, WelcomeVersion

#: Actions on welcome messages that a central service is told of.
WELCOME_ACTIONS = ("dismiss", "dismiss-all", "accept", "reset")


#: The dismissals that a service's list contradicts: the message's id and when it was dismissed.
ContradictedDismissals = frozenset[tuple[str, int]]


class StoredWelcome(NamedTuple):
    """A row of the table ``welcome``."""

    content: str | None
    listed: int
    dismissed_ms: int | None
    #: True once the service has received the dismissal.
    delivered: int


# Longer than a screen: messages of files and of the service are listed and dismissed alike.
class WelcomeRepository:
    """The table ``welcome``, and the messages from files, which need no table.

    Parameters
    ----------
    outbox
        Collects the user's actions for the central service.
    """

    def __init__(self, outbox: OutboxRepository) -> None:
        self._outbox = outbox
        self._central = outbox.central
        #: The messages from files.
        self.files: tuple[WelcomeContent, ...] = ()
        #: A checksum of the messages from files.
        self._files_number = 0

    def set_files(self, files: Sequence[WelcomeContent]) -> None:
        """Set the messages from files, which are not stored in the database."""
        self.files = tuple(files)
        text = json.dumps(self.files, sort_keys=True)
        self._files_number = zlib.crc32(text.encode(errors="replace")) & 0xFFFFF

    def version(self, transaction: Transaction) -> int:
        """Return a number that changes whenever the messages that are due change."""
        return self.version_of(transaction.state)

    def version_of(self, state: StoreState) -> int:
        """Return the version for a committed state."""
        return (state.welcome << 20) + self._files_number

    def messages(self, transaction: Transaction, *, every: bool) -> WelcomeMessages:
        """Return the messages that are due, or ``every`` message, as ``models.Welcome``."""
        states = {
            id_: (views, dismissed_ms, accepted)
            for id_, views, dismissed_ms, accepted in transaction.execute(
                "SELECT id, views, dismissed_ms, accepted FROM welcome"
            )
        }
        known: list[tuple[Any, str, bool]] = [(content, "file", True) for content in self.files]
        if self._central:
            rows = transaction.execute(
                "SELECT content, listed FROM welcome WHERE central = ? AND content IS NOT NULL",
                (self._central,),
            )
            remote = [(json.loads(content), "central", bool(listed)) for content, listed in rows]
            remote.sort(key=lambda entry: int(entry[0].pop("place")))
            known = remote + known
        messages = []
        for content, source, listed in known:
            views, dismissed_ms, accepted = states.get(content["id"], (0, None, None))
            if not isinstance(views, int):
                raise sqlite3.DatabaseError("malformed row: its views are no number")
            max_views = content["max_views"]
            must_accept = content.get("must_accept", False)
            if must_accept:
                # Even if the user dismissed all messages, and however often this one was shown.
                is_open = accepted != _version_of(content)
            else:
                is_open = (
                    transaction.state.muted_ms is None
                    and dismissed_ms is None
                    and (max_views is None or views < max_views)
                )
            due = listed and is_open
            if due or every:
                messages.append(
                    {
                        **content,
                        "must_accept": must_accept,
                        "source": source,
                        "views": views,
                        "due": due,
                    }
                )
        return {"version": self.version(transaction), "messages": messages}

    # The user's actions

    def record_views(self, transaction: Transaction, ids: Iterable[str]) -> WelcomeVersion:
        """Count a view of each message."""
        for id_ in dict.fromkeys(ids):
            if self._exists(transaction, id_):
                transaction.execute(
                    "INSERT INTO welcome (id, views) VALUES (?, 1) "
                    "ON CONFLICT (id) DO UPDATE SET views = views + 1",
                    (id_,),
                )
                transaction.state.welcome += 1
        return {"version": self.version(transaction)}

    def dismiss(self, transaction: Transaction, ids: Iterable[str] | None) -> WelcomeVersion:
        """Dismiss messages for good; None switches off all messages until a reset."""
        if ids is None:
            self._mute(transaction)
            dismissed = self._dismissed_with_all(transaction)
        else:
            dismissed = [id_ for id_ in dict.fromkeys(ids) if self._may_dismiss(transaction, id_)]
        for id_ in dismissed:
            changed = transaction.execute(
                "INSERT INTO welcome (id, dismissed_ms) VALUES (?, ?) ON CONFLICT (id) "
                "DO UPDATE SET dismissed_ms = excluded.dismissed_ms, told = 0 "
                "WHERE dismissed_ms IS NULL",
                (id_, transaction.now_ms),
            ).rowcount
            if changed:
                transaction.state.welcome += 1
                if ids is not None and id_.startswith("central:"):
                    _, central, subject = id_.split(":", 2)
                    if central in self._outbox.services(transaction):
                        self._outbox.append(transaction, "dismiss", subject, central)
        return {"version": self.version(transaction)}

    def accept(self, transaction: Transaction, ids: Iterable[str]) -> WelcomeVersion:
        """Accept those of the messages that must be accepted, with their present text.

        A reset keeps acceptances. If the text changes, it must be accepted again.
        """
        for id_ in dict.fromkeys(ids):
            row = transaction.execute(
                "SELECT content, central FROM welcome WHERE id = ? AND content IS NOT NULL", (id_,)
            ).fetchone()
            content: WelcomeContent = {} if row is None else json.loads(row[0])
            if not content.get("must_accept"):
                continue
            version = _version_of(content)
            changed = transaction.execute(
                "UPDATE welcome SET accepted = ? WHERE id = ? AND accepted IS NOT ?",
                (version, id_, version),
            ).rowcount
            if changed:
                transaction.state.welcome += 1
                if row[1] in self._outbox.services(transaction):
                    self._outbox.append(transaction, "accept", id_.split(":", 2)[2], row[1])
        return {"version": self.version(transaction)}

    def _mute(self, transaction: Transaction) -> None:
        if transaction.state.muted_ms is None:
            transaction.state.muted_ms = transaction.now_ms
            self._outbox.append_to_all(transaction, "dismiss-all")
            transaction.state.welcome += 1

    def _dismissed_with_all(self, transaction: Transaction) -> list[str]:
        # A message that must be accepted cannot be dismissed.
        known = [
            message["id"]
            for message in self.messages(transaction, every=True)["messages"]
            if not message["must_accept"]
        ]
        # Include messages of services that other servers poll: they may be reset without ours.
        known += [
            id_
            for id_, content in transaction.execute(
                "SELECT id, content FROM welcome WHERE content IS NOT NULL AND central <> ?",
                (self._central,),
            )
            if not json.loads(content).get("must_accept")
        ]
        return known

    def reset(self, transaction: Transaction) -> WelcomeVersion:
        """Make every message due again, as for a new user."""
        if not transaction.durable:
            transaction.state.reset_ms = transaction.now_ms
        self._make_due(transaction)
        self._outbox.append_to_all(transaction, "reset")
        transaction.state.welcome += 1
        return {"version": self.version(transaction)}

    def repeat_reset(self, transaction: Transaction, reset_ms: int) -> None:
        """Repeat a reset that happened in memory, in a file that memory did not come from."""
        self._make_due(transaction, reset_ms)
        # This server's own service gets, or has got, the reset from memory's outbox.
        for central in sorted(self._outbox.services(transaction) - {self._central}):
            self._outbox.append(transaction, "reset", "", central)

    def _make_due(self, transaction: Transaction, until_ms: int = sys.maxsize) -> None:
        """Forget the views, and the dismissals up to a time."""
        state = transaction.state
        if state.muted_ms is not None and state.muted_ms <= until_ms:
            state.muted_ms = None
        where = "coalesce(dismissed_ms, 0) <= ?"
        self._forget_dismissals(transaction, where, (until_ms,))
        transaction.execute(f"DELETE FROM welcome WHERE content IS NULL AND {where}", (until_ms,))

    def _forget_dismissals(
        self, transaction: Transaction, where: str, values: tuple[str | int, ...]
    ) -> None:
        # List the messages at once. The central service will list them again, but only later.
        transaction.execute(
            "UPDATE welcome SET listed = listed OR (content IS NOT NULL AND dismissed_ms IS NOT "
            f"NULL), views = 0, dismissed_ms = NULL, told = 0 WHERE {where}",
            values,
        )

    def _exists(self, transaction: Transaction, id_: str) -> bool:
        return any(message["id"] == id_ for message in self.files) or bool(
            transaction.execute("SELECT 1 FROM welcome WHERE id = ?", (id_,)).fetchone()
        )

    def _may_dismiss(self, transaction: Transaction, id_: str) -> bool:
        for message in self.files:
            if message["id"] == id_:
                return message["dismissable"]
        row = transaction.execute("SELECT content FROM welcome WHERE id = ?", (id_,)).fetchone()
        if row is None or row[0] is None:
            return False
        content = json.loads(row[0])
        return bool(content["dismissable"]) and not content.get("must_accept")

    # The list of the central service

    def sync_version(self, transaction: Transaction) -> int | None:
        """Return the version that ``sync`` compares; None if a list cannot be used now.

        While an action waits in the outbox, another server may deliver it between the service's
        answer and ``sync``.
        """
        if self._outbox.is_waiting(transaction, *WELCOME_ACTIONS):
            return None
        return transaction.state.welcome

    def is_list_dismissed(self, transaction: Transaction) -> bool:
        """Return whether something of the service's last list has been dismissed since."""
        found = transaction.execute(
            "SELECT 1 FROM welcome WHERE central = ? AND listed AND dismissed_ms IS NOT NULL",
            (self._central,),
        )
        return found.fetchone() is not None

    def sync(
        self,
        transaction: Transaction,
        version: int | None,
        items: Sequence[WelcomeContent],
        since_ms: int,
        doubted: ContradictedDismissals | None,
    ) -> tuple[bool, ContradictedDismissals]:
        """Store the central service's list of messages that are due.

        Parameters
        ----------
        transaction
            A transaction that writes.
        version
            The result of ``sync_version`` before the request.
        items
            The messages, with the service's own ids and ``updated_ms``.
        since_ms
            The time of the request before this one, if there was one.
        doubted
            The dismissals that an earlier list contradicted, which this list may undo; None if the
            service never answers with a list from before what it has acknowledged.

        Returns
        -------
        tuple
            Whether the list was stored, and which dismissals it contradicts. It is not stored if
            the user has acted in the meantime, since the list may be older than that, or if it is
            the first list that contradicts a dismissal.
        """
        if version is None or self.sync_version(transaction) != version:
            return False, ContradictedDismissals()
        listed = {f"central:{self._central}:{item['id']}": item for item in items}
        stored = self._stored(transaction)
        contradicted = self._contradicted(listed, stored, since_ms)
        if contradicted and doubted is not None and not contradicted & doubted:
            # A single list may come from a replica without the dismissal. Ignore the list.
            return False, contradicted
        if contradicted:
            transaction.state.muted_ms = None
            # Messages from files are reset too. Those of another service are not.
            self._forget_dismissals(transaction, "central IS NULL OR central = ?", (self._central,))
            transaction.state.welcome += 1
            stored = self._stored(transaction)
        self._store_listed(transaction, listed, stored)
        self._unlist_missing(transaction, listed, stored)
        return True, ContradictedDismissals()

    def _contradicted(
        self,
        listed: dict[str, WelcomeContent],
        stored: dict[str, StoredWelcome],
        since_ms: int,
    ) -> ContradictedDismissals:
        """Return the dismissals that the service has received and that its list contradicts.

        They were reset elsewhere. But a message that was updated after its dismissal, and after it
        was last missing from the list, may be listed because of the update. That is no reset.
        """
        return ContradictedDismissals(
            (id_, row.dismissed_ms)
            for id_, row in stored.items()
            if id_ in listed
            and row.dismissed_ms is not None
            and row.delivered
            and (listed[id_].get("updated_ms") or 0)
            <= max(row.dismissed_ms, 0 if row.listed else since_ms)
        )

    def _store_listed(
        self,
        transaction: Transaction,
        listed: dict[str, WelcomeContent],
        stored: dict[str, StoredWelcome],
    ) -> None:
        for place, (id_, item) in enumerate(listed.items()):
            kept = {name: value for name, value in item.items() if name != "updated_ms"}
            content = json.dumps({**kept, "id": id_, "place": place}, sort_keys=True)
            row = stored.get(id_)
            if row is None or (row.content, row.listed) != (content, 1):
                transaction.execute(
                    "INSERT INTO welcome (id, central, content, listed) VALUES (?, ?, ?, 1) "
                    "ON CONFLICT (id) DO UPDATE SET "
                    "central = excluded.central, content = excluded.content, listed = 1",
                    (id_, self._central, content),
                )
                transaction.state.welcome += 1

    def _unlist_missing(
        self,
        transaction: Transaction,
        listed: dict[str, WelcomeContent],
        stored: dict[str, StoredWelcome],
    ) -> None:
        for id_, row in stored.items():
            is_shown = row.listed or (row.content is not None and row.dismissed_ms is None)
            if id_ not in listed and is_shown:
                # A message that was dismissed here can still be looked up. The views of any other
                # are kept in case it comes back.
                transaction.execute(
                    "UPDATE welcome SET listed = 0, content = CASE WHEN dismissed_ms IS NULL "
                    "THEN NULL ELSE content END WHERE id = ?",
                    (id_,),
                )
                transaction.state.welcome += 1

    def _stored(self, transaction: Transaction) -> dict[str, StoredWelcome]:
        return {
            id_: StoredWelcome(*row)
            for id_, *row in transaction.execute(
                "SELECT id, content, listed, dismissed_ms, told FROM welcome WHERE central = ?",
                (self._central,),
            )
        }


def _version_of(content: WelcomeContent) -> str:
    """Return the version of a message's text."""
    return content.get("updated") or ""
