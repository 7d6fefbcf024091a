"""The ledger: what the store keeps of the central service and of welcome messages.

Three things that notifications alone do not tell: what the central service lists, what the
person did that it was not told yet (the outbox), and which welcome messages are due. Like
``store``, of which it is the lower half, it is synchronous and knows no HTTP.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from .database import Database
from .schema import ACTIVE, Cursor, Row

#: How many of the same kind are told to the central service in one request.
TOLD_AT_ONCE = 200
#: What it is told of welcome messages.
TOLD_OF_WELCOME = ("dismiss", "dismiss-all", "reset")
#: A broadcast that comes back within this time is the same one, dismissed if it was.
RETURN_WINDOW_MS = 3_600_000
#: A central service of which no server has said for so long that it asks it is asked by none.
ASKED_MS = 900_000
#: After this time nothing is kept for it any more.
FORGOTTEN_MS = 30 * 86_400_000
#: What a broadcast says, and what makes two of them the same.
BROADCAST_FIELDS = ("type", "message", "body", "dismissable", "banner")

INSERT_REMOTE = """
    INSERT INTO notifications (
        id, seq, position, source, type, message, markdown, body, auto_close, actions, banner,
        dismissable, created_ms, updated_ms, dismissed_ms, read_ms, origin, central, remote, fetched
    ) VALUES (
        :id, :seq, :seq, :source, :type, :message, 1, :body, :auto_close, '[]', :banner,
        :dismissable, :created_ms, :updated_ms, :dismissed_ms, :read_ms, :origin, :central,
        :remote, :fetched
    )"""

#: Dismissals of welcome messages: each the message's id, and when that was.
ContradictedDismissals = frozenset[tuple[str, int]]
#: The broadcasts that are here: of each the service's id, and what it ``BROADCAST_FIELDS``.
ShownBroadcasts = frozenset[tuple[Any, ...]]


class StreamPosition(NamedTuple):
    """What a tab compares: the store's cursor, and the version of the welcome messages."""

    cursor: Cursor
    welcome: int


class RemoteSnapshot(NamedTuple):
    """What the store holds of a central service, before that is asked.

    Parameters
    ----------
    cursor
        How far the store had come: what the person does afterwards wins over the answer.
    pending
        The messages of which the person did something that is still in the outbox.
    messages
        By the service's own id: our id, whether read here, and when it was created.
    seen
        The service's ids that were taken in before, deleted ones included.
    """

    cursor: Cursor
    pending: frozenset[str]
    messages: dict[str, tuple[str, bool, int]]
    seen: frozenset[str]


class Claim(NamedTuple):
    """The head of the outbox: entries of one kind, claimed by one server."""

    action: str
    subjects: tuple[str, ...]
    numbers: tuple[int, ...]


def central_tag(url: str) -> str:
    """Return a short name for a central service, by which its rows are told from another's."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def remote_id(central: str, origin: str, remote: str, created_ms: int = 0) -> str:
    """Return the id of what a central service sent: a ULID, the same on every server."""
    digest = hashlib.sha256(f"{central}\n{origin}\n{remote}".encode()).digest()
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = (max(created_ms, 0) << 80) | int.from_bytes(digest[:10], "big")
    return "".join(alphabet[(number >> shift) & 31] for shift in range(125, -1, -5))


class Ledger(Database):
    """The lower half of the store; see there for its parameters."""

    #: Which central service this server asks; empty: none.
    central = ""
    #: The welcome files' messages, in the shape of ``models.WelcomeMessage`` but for its state.
    files: tuple[Row, ...] = ()
    #: A number for them.
    _files_mark = 0

    def standing(self) -> StreamPosition:
        """Return how far everything has come that tabs show."""
        return StreamPosition(Cursor(self.epoch, self.seq), self.welcome_version())

    # Welcome messages

    def set_files(self, files: Sequence[Row]) -> None:
        """Take the messages of the welcome files, which no database needs to keep."""
        self.files = tuple(files)
        text = json.dumps(self.files, sort_keys=True)
        self._files_mark = zlib.crc32(text.encode(errors="replace")) & 0xFFFFF

    def welcome_version(self) -> int:
        """Return a number that is another one once other messages are due."""
        return (self.welcome << 20) + self._files_mark

    def welcome_messages(self, *, every: bool) -> Row:
        """Return the messages that are due, or ``every`` one, as ``models.Welcome``."""
        states = {
            id_: (views, dismissed_ms)
            for id_, views, dismissed_ms in self._execute(
                "SELECT id, views, dismissed_ms FROM welcome"
            )
        }
        known = [(content, "file", True) for content in self.files]
        if self.central:
            rows = self._execute(
                "SELECT content, listed FROM welcome WHERE central = ? AND content IS NOT NULL",
                (self.central,),
            )
            remote = [(json.loads(content), "central", bool(listed)) for content, listed in rows]
            remote.sort(key=lambda entry: int(entry[0].pop("place")))
            known = remote + known
        messages = []
        for content, source, listed in known:
            views, dismissed_ms = states.get(content["id"], (0, None))
            most = content["max_views"]
            due = (
                listed
                and self.muted_ms is None
                and dismissed_ms is None
                and (most is None or views < most)
            )
            if due or every:
                messages.append({**content, "source": source, "views": views, "due": due})
        return {"version": self.welcome_version(), "messages": messages}

    def welcome_seen(self, ids: Iterable[str]) -> Row:
        """Count a view of each."""
        for id_ in dict.fromkeys(ids):
            if self._is_welcome(id_):
                self._execute(
                    "INSERT INTO welcome (id, views) VALUES (?, 1) "
                    "ON CONFLICT (id) DO UPDATE SET views = views + 1",
                    (id_,),
                )
                self._welcome_changed()
        return {"version": self.welcome_version()}

    def welcome_dismiss(self, ids: Iterable[str] | None) -> Row:
        """Never show these again; None: no message at all, until the reset."""
        if ids is None:
            known = [m["id"] for m in self.welcome_messages(every=True)["messages"]]
            # Those of another server's service too, which may be reset without ours.
            known += [
                row[0]
                for row in self._execute(
                    "SELECT id FROM welcome WHERE content IS NOT NULL AND central <> ?",
                    (self.central,),
                )
            ]
            if self.muted_ms is None:
                self.muted_ms = self._now
                self._post_to_all("dismiss-all")
                self._welcome_changed()
        else:
            known = [id_ for id_ in dict.fromkeys(ids) if self._may_dismiss(id_)]
        for id_ in known:
            changed = self._execute(
                "INSERT INTO welcome (id, dismissed_ms) VALUES (?, ?) ON CONFLICT (id) "
                "DO UPDATE SET dismissed_ms = excluded.dismissed_ms, told = 0 "
                "WHERE dismissed_ms IS NULL",
                (id_, self._now),
            ).rowcount
            if changed:
                self._welcome_changed()
                if ids is not None and id_.startswith("central:"):
                    _, central, subject = id_.split(":", 2)
                    if central in self._told():
                        self._post("dismiss", subject, central)
        return {"version": self.welcome_version()}

    def welcome_reset(self) -> Row:
        """Make every message due again, as for a new person."""
        if not self.durable:
            self._reset_ms = self._now
        self._make_due()
        self._post_to_all("reset")
        self._welcome_changed()
        return {"version": self.welcome_version()}

    def _carry_reset(self, reset_ms: int) -> None:
        self._make_due(reset_ms)
        # Ours is told by memory's outbox, or was.
        for central in sorted(self._told() - {self.central}):
            self._post("reset", "", central)

    def _make_due(self, until_ms: int = sys.maxsize) -> None:
        """Forget what was dismissed up to a time, and what was seen."""
        if self.muted_ms is not None and self.muted_ms <= until_ms:
            self.muted_ms = None
        where = "coalesce(dismissed_ms, 0) <= ?"
        self._forget_dismissals(where, (until_ms,))
        self._execute(f"DELETE FROM welcome WHERE content IS NULL AND {where}", (until_ms,))

    def _forget_dismissals(self, where: str, values: tuple[str | int, ...]) -> None:
        # The central service will list them again, and need not be waited for.
        self._execute(
            "UPDATE welcome SET listed = listed OR (content IS NOT NULL AND dismissed_ms IS NOT "
            f"NULL), views = 0, dismissed_ms = NULL, told = 0 WHERE {where}",
            values,
        )

    def _is_welcome(self, id_: str) -> bool:
        return any(m["id"] == id_ for m in self.files) or bool(
            self._execute("SELECT 1 FROM welcome WHERE id = ?", (id_,)).fetchone()
        )

    def _may_dismiss(self, id_: str) -> bool:
        for message in self.files:
            if message["id"] == id_:
                return bool(message["dismissable"])
        row = self._execute("SELECT content FROM welcome WHERE id = ?", (id_,)).fetchone()
        return row is not None and row[0] is not None and bool(json.loads(row[0])["dismissable"])

    def _welcome_changed(self) -> None:
        self.welcome += 1

    def welcome_known(self) -> int | None:
        """Return ``welcome`` before the service is asked; None if what it says cannot be taken.

        What it was not told yet it may be told, by another server, between its answer and here.
        """
        return None if self._is_waiting(*TOLD_OF_WELCOME) else self.welcome

    def list_welcome(
        self,
        version: int | None,
        items: Sequence[Row],
        since_ms: int,
        doubted: ContradictedDismissals,
    ) -> tuple[bool, ContradictedDismissals]:
        """Take the central service's list of what is due.

        Parameters
        ----------
        version
            What ``welcome_known`` said before the service was asked.
        items
            The messages, with the service's own ids, and ``updated_ms``.
        since_ms
            When the service was asked before, if it was.
        doubted
            The dismissals that an earlier list contradicted, so that this one may undo them.

        Returns
        -------
        tuple
            Whether the list was taken, and which dismissals it contradicts. It was not if the
            person did something meanwhile, since it may be from before that, or if it is the
            first that contradicts a dismissal.
        """
        if self.welcome != version or self._is_waiting(*TOLD_OF_WELCOME):
            return False, ContradictedDismissals()
        ids = {f"central:{self.central}:{item['id']}": item for item in items}
        before = self._listed_welcome()
        # It was told that these are dismissed, and lists them again: they were reset elsewhere.
        # But if one was updated after that, and after it was last missing from the list, it may be
        # listed for the update, which brings none back.
        again = ContradictedDismissals(
            (id_, dismissed_ms)
            for id_, (_, listed, dismissed_ms, told) in before.items()
            if id_ in ids
            and dismissed_ms is not None
            and told
            and (ids[id_].get("updated_ms") or 0) <= max(dismissed_ms, 0 if listed else since_ms)
        )
        if again and not again & doubted:
            # Once may be a replica of the service that was not told yet; nothing of it counts.
            return False, again
        if again:
            self.muted_ms = None
            # The files' are the same person's on every server; another service's are not its.
            self._forget_dismissals("central IS NULL OR central = ?", (self.central,))
            self._welcome_changed()
            before = self._listed_welcome()
        for place, (id_, item) in enumerate(ids.items()):
            item = {name: value for name, value in item.items() if name != "updated_ms"}
            content = json.dumps({**item, "id": id_, "place": place}, sort_keys=True)
            if before.get(id_, (None, 0))[:2] != (content, 1):
                self._execute(
                    "INSERT INTO welcome (id, central, content, listed) VALUES (?, ?, ?, 1) "
                    "ON CONFLICT (id) DO UPDATE SET "
                    "central = excluded.central, content = excluded.content, listed = 1",
                    (id_, self.central, content),
                )
                self._welcome_changed()
        for id_, (said, listed, dismissed_ms, _) in before.items():
            if id_ not in ids and (listed or (said is not None and dismissed_ms is None)):
                # One that was dismissed here can still be looked up. How often another one was
                # seen is kept, in case that it comes back.
                self._execute(
                    "UPDATE welcome SET listed = 0, content = CASE WHEN dismissed_ms IS NULL "
                    "THEN NULL ELSE content END WHERE id = ?",
                    (id_,),
                )
                self._welcome_changed()
        return True, ContradictedDismissals()

    def _listed_welcome(self) -> dict[str, tuple[str | None, int, int | None, int]]:
        return {
            id_: (content, listed, dismissed_ms, told)
            for id_, content, listed, dismissed_ms, told in self._execute(
                "SELECT id, content, listed, dismissed_ms, told FROM welcome WHERE central = ?",
                (self.central,),
            )
        }

    # The outbox

    def _post(self, action: str, subject: str, central: str | None = None) -> None:
        """Note what the central service has to be told, in the transaction of the change.

        Parameters
        ----------
        action, subject
            What.
        central
            Which service, if it is another one than this server asks.
        """
        if central is None:
            central = self.central
        if central:
            self._execute(
                "INSERT INTO outbox (id, central, action, subject) "
                "VALUES (lower(hex(randomblob(16))), ?, ?, ?)",
                (central, action, subject),
            )

    def _post_to_all(self, action: str) -> None:
        """Note what each central service has to be told."""
        for central in sorted(self._told()):
            self._post(action, "", central)

    def _told(self) -> set[str]:
        """Return which services are told what the person does: ours, and other servers'."""
        asked = {row[0] for row in self._execute("SELECT central FROM askers")}
        return asked | {self.central} if self.central else asked

    def outbox(self) -> int:
        """Return how much the central service was not told yet."""
        (count,) = self._execute(
            "SELECT count(*) FROM outbox WHERE central = ?", (self.central,)
        ).fetchone()
        return int(count)

    def _is_waiting(self, *actions: str) -> bool:
        marks = ", ".join("?" * len(actions))
        return bool(
            self._execute(
                f"SELECT 1 FROM outbox WHERE central = ? AND action IN ({marks}) LIMIT 1",
                (self.central, *actions),
            ).fetchone()
        )

    def claim(self, owner: str, lease_ms: int, dead: Iterable[str] = ()) -> Claim | None:
        """Claim the head of the outbox, so that no other server sends it too.

        Parameters
        ----------
        owner
            Who claims.
        lease_ms
            After this time a claim is void: its owner has ended.
        dead
            Owners of whom that is known.

        Returns
        -------
        Claim or None
            None if nothing waits, or if another server is sending the head.
        """
        rows = self._execute(
            "SELECT number, action, subject, claimed_by, claimed_ms FROM outbox "
            "WHERE central = ? ORDER BY number LIMIT ?",
            (self.central, TOLD_AT_ONCE),
        ).fetchall()
        if not rows:
            return None
        _, action, _, claimed_by, claimed_ms = rows[0]
        # In either direction: the clock of another host may be ahead.
        age_ms = abs(self._now - (claimed_ms or 0))
        if claimed_by not in (None, owner, *dead) and age_ms < lease_ms:
            return None
        numbers: list[int] = []
        subjects: dict[str, None] = {}
        for number, kind, subject, _, _ in rows:
            if kind != action or (numbers and kind in ("dismiss-all", "reset")):
                break
            numbers.append(number)
            subjects[subject] = None
        self._execute(
            "UPDATE outbox SET claimed_by = ?, claimed_ms = ? "
            "WHERE number IN (SELECT value FROM json_each(?))",
            (owner, self._now, json.dumps(numbers)),
        )
        return Claim(action, tuple(subjects), tuple(numbers))

    def claimants(self) -> list[str]:
        """Return who has claimed something."""
        return [
            row[0]
            for row in self._execute(
                "SELECT DISTINCT claimed_by FROM outbox "
                "WHERE central = ? AND claimed_by IS NOT NULL",
                (self.central,),
            )
        ]

    def settle(self, owner: str, parcel: Claim, *, told: bool) -> None:
        """Take what was sent out of the outbox.

        Parameters
        ----------
        owner
            Who claimed it.
        parcel
            What ``claim`` gave.
        told
            Whether the central service took it; if not, it never will.
        """
        self._execute(
            "DELETE FROM outbox WHERE claimed_by = ? "
            "AND number IN (SELECT value FROM json_each(?))",
            (owner, json.dumps(parcel.numbers)),
        )
        if not told:
            return
        if parcel.action == "dismiss":
            ids = [f"central:{self.central}:{subject}" for subject in parcel.subjects]
            self._execute(
                "UPDATE welcome SET told = 1 WHERE dismissed_ms IS NOT NULL "
                "AND id IN (SELECT value FROM json_each(?))",
                (json.dumps(ids),),
            )
        elif parcel.action == "dismiss-all":
            self._execute(
                "UPDATE welcome SET told = 1 WHERE dismissed_ms IS NOT NULL AND central = ?",
                (self.central,),
            )

    def release(self, owner: str) -> None:
        """Give back what was claimed and could not be sent."""
        self._execute(
            "UPDATE outbox SET claimed_by = NULL, claimed_ms = NULL WHERE claimed_by = ?", (owner,)
        )

    # What the central service lists

    def known(self) -> RemoteSnapshot:
        """Return what is held of the central service."""
        return RemoteSnapshot(
            Cursor(self.epoch, self.seq),
            self._pending(),
            {
                remote: (id_, bool(read), created_ms)
                for remote, id_, read, created_ms in self._execute(
                    "SELECT remote, id, read_ms IS NOT NULL OR dismissed_ms IS NOT NULL, "
                    f"created_ms FROM notifications WHERE central = ? AND origin = 'message' "
                    f"AND remote IS NOT NULL AND {ACTIVE}",
                    (self.central,),
                )
            },
            frozenset(
                row[0]
                for row in self._execute(
                    "SELECT remote FROM listed WHERE central = ?", (self.central,)
                )
            ),
        )

    def _pending(self) -> frozenset[str]:
        return frozenset(
            row[0]
            for row in self._execute(
                "SELECT subject FROM outbox WHERE central = ? AND action IN ('read', 'unread')",
                (self.central,),
            )
        )

    def add_messages(self, items: Sequence[Row], source: str) -> list[str]:
        """Take in unread messages, oldest first; return the ids of those that are new.

        Parameters
        ----------
        items
            Each with ``remote``, ``message`` and ``created_ms``.
        source
            The central service's name for a person.
        """
        added = []
        for item in items:
            created_ms = min(item["created_ms"], self._now)
            values = {
                "id": remote_id(self.central, "message", item["remote"], item["created_ms"]),
                "source": source,
                "type": "info",
                "message": item["message"],
                "body": None,
                # As of any message whose sender does not say: the person's setting.
                "auto_close": None,
                "banner": 0,
                "dismissable": 1,
                "created_ms": created_ms,
                "updated_ms": created_ms,
                "origin": "message",
                "remote": item["remote"],
                "fetched": 0,
            }
            self._execute(
                "INSERT OR IGNORE INTO listed VALUES (?, ?)", (self.central, item["remote"])
            )
            if self._take(values):
                added.append(values["id"])
        return added

    def _take(self, values: Row, read_ms: int | None = None, gone_ms: int | None = None) -> bool:
        """Insert what the central service lists, in the place of its tombstone if it has one."""
        row = self._execute(
            f"SELECT {ACTIVE} FROM notifications WHERE id = ?", (values["id"],)
        ).fetchone()
        if row is not None:
            if row[0]:
                return False
            self._execute("DELETE FROM notifications WHERE id = ?", (values["id"],))
        values = {**values, "central": self.central, "read_ms": read_ms, "dismissed_ms": gone_ms}
        self._execute(INSERT_REMOTE, {**values, "seq": self._next_seq()})
        return True

    def pass_over(self, remotes: Iterable[str]) -> None:
        """Note unread messages that retention would not keep, so that they never come in."""
        self._execute(
            "INSERT OR IGNORE INTO listed SELECT ?, value FROM json_each(?)",
            (self.central, json.dumps(list(remotes))),
        )

    def unlist(self, remotes: Iterable[str]) -> None:
        """Forget ids that the central service lists no more as unread."""
        self._execute(
            "DELETE FROM listed WHERE central = ? AND remote IN (SELECT value FROM json_each(?))",
            (self.central, json.dumps(list(remotes))),
        )

    def follow(
        self,
        known: RemoteSnapshot,
        read: Iterable[str],
        unread: Iterable[str],
        revoked: Iterable[str],
    ) -> dict[str, list[str]]:
        """Follow what was done elsewhere, but for what the person did here meanwhile.

        Parameters
        ----------
        known
            What was known before the central service was asked.
        read, unread, revoked
            The service's ids of what became so.

        Returns
        -------
        dict
            Our ids of what changed, by what it became.
        """
        changed: dict[str, list[str]] = {"read": [], "unread": [], "revoked": []}
        if known.cursor.epoch != self.epoch:
            return changed
        pending = known.pending | self._pending()
        for what, remotes in (("read", read), ("unread", unread), ("revoked", revoked)):
            for remote in remotes:
                row = self._execute(
                    "SELECT id, seq, read_ms IS NOT NULL OR dismissed_ms IS NOT NULL "
                    "FROM notifications WHERE central = ? AND origin = 'message' AND remote = ? "
                    f"AND {ACTIVE}",
                    (self.central, remote),
                ).fetchone()
                if row is None:
                    continue
                id_, seq, is_read = row
                if what == "revoked":
                    self._bury(id_, "revoked_ms")
                    # If it ever comes back it is news.
                    self.unlist([remote])
                elif (
                    remote in pending or seq > known.cursor.seq or bool(is_read) == (what == "read")
                ):
                    continue
                elif what == "read":
                    self._execute(
                        "UPDATE notifications SET seq = ?, read_ms = ? WHERE id = ?",
                        (self._next_seq(), self._now, id_),
                    )
                else:
                    self._execute(
                        "UPDATE notifications SET seq = ?, read_ms = NULL, dismissed_ms = NULL "
                        "WHERE id = ?",
                        (self._next_seq(), id_),
                    )
                changed[what].append(id_)
        return changed

    def list_broadcasts(
        self, items: Sequence[Row], source: str, shown: ShownBroadcasts
    ) -> dict[str, list[str]] | None:
        """Take the list of broadcasts; those that left it were revoked.

        Parameters
        ----------
        items
            Each with ``remote`` and what ``BROADCAST_FIELDS`` names, the first the most recent.
        source
            The central service's name for a person.
        shown
            What ``shown_broadcasts`` said before the service was asked.

        Returns
        -------
        dict or None
            Our ids of what was ``created`` and ``revoked``. None if it was not taken: another
            server took a list meanwhile, which may be the later one.
        """
        if self.shown_broadcasts() != shown:
            return None
        changed: dict[str, list[str]] = {"created": [], "revoked": []}
        rows = {
            remote: (id_, live, revoked_ms, read_ms, gone_ms, says)
            for remote, id_, live, revoked_ms, read_ms, gone_ms, *says in self._execute(
                # One that no server asked for was not revoked, so that it is the same again.
                f"SELECT remote, id, {ACTIVE}, CASE WHEN expired_ms IS NULL THEN revoked_ms ELSE ? "
                f"END, read_ms, dismissed_ms, {', '.join(BROADCAST_FIELDS)} "
                "FROM notifications WHERE central = ? AND origin = 'broadcast'",
                (self._now, self.central),
            )
        }
        for item in reversed(items):
            remote = item["remote"]
            values = {
                **{name: item[name] for name in BROADCAST_FIELDS},
                "id": remote_id(self.central, "broadcast", remote),
                "source": source,
                # It stands across the top already, so it is no toast.
                "auto_close": "0",
                "created_ms": self._now,
                "updated_ms": self._now,
                "origin": "broadcast",
                "remote": remote,
                "fetched": 1,
            }
            id_, live, revoked_ms, read_ms, gone_ms, says = rows.get(remote, (None,) * 5 + ([],))
            if live and says == [item[name] for name in BROADCAST_FIELDS]:
                continue
            if live:
                # It says something else now, which the person has not seen.
                self._execute("DELETE FROM notifications WHERE id = ?", (id_,))
                self._take(values)
            elif revoked_ms is not None and self._now - revoked_ms < RETURN_WINDOW_MS:
                self._take(values, read_ms, gone_ms)
            else:
                self._take(values)
            changed["created"].append(values["id"])
        listed = {item["remote"] for item in items}
        for remote, (id_, live, *_) in rows.items():
            if live and remote not in listed:
                self._bury(id_, "revoked_ms")
                changed["revoked"].append(id_)
        return changed

    def shown_broadcasts(self) -> ShownBroadcasts:
        """Return the service's ids of its broadcasts that are here, and what they say."""
        return frozenset(
            self._execute(
                f"SELECT remote, {', '.join(BROADCAST_FIELDS)} FROM notifications "
                f"WHERE central = ? AND origin = 'broadcast' AND {ACTIVE}",
                (self.central,),
            )
        )

    def askers(self) -> list[str]:
        """Return the servers that said lately that they ask a central service."""
        return [row[0] for row in self._execute("SELECT DISTINCT owner FROM askers")]

    def attend(self, owner: str, ended: Iterable[str]) -> list[str]:
        """Say that this server asks its service, and let go of services that none asks.

        Nobody would take back the broadcasts of those, and an outage cannot be dismissed.

        Parameters
        ----------
        owner
            This server.
        ended
            Servers that are known to ask nothing any more.

        Returns
        -------
        list
            Our ids of the broadcasts that are gone.
        """
        self._execute(
            "INSERT INTO askers VALUES (?, ?, ?) "
            "ON CONFLICT (central, owner) DO UPDATE SET asked_ms = excluded.asked_ms",
            (self.central, owner, self._now),
        )
        gone = [
            row[0]
            for row in self._execute(
                f"SELECT id FROM notifications WHERE origin = 'broadcast' AND {ACTIVE} "
                "AND central NOT IN (SELECT central FROM askers WHERE abs(asked_ms - ?) < ? "
                "AND owner NOT IN (SELECT value FROM json_each(?)))",
                (self._now, ASKED_MS, json.dumps([name for name in ended if name != owner])),
            )
        ]
        for id_ in gone:
            self._bury(id_, "expired_ms")
        self._execute("DELETE FROM askers WHERE asked_ms < ?", (self._now - FORGOTTEN_MS,))
        for table in ("outbox", "listed"):
            self._execute(f"DELETE FROM {table} WHERE central NOT IN (SELECT central FROM askers)")
        return gone

    def remote_of(self, id_: str) -> str | None:
        """Return the central service's id of a message whose body was not fetched yet."""
        row = self._execute(
            f"SELECT remote FROM notifications WHERE id = ? AND fetched = 0 AND central = ? "
            f"AND {ACTIVE}",
            (id_, self.central),
        ).fetchone()
        return None if row is None else str(row[0])

    def keep_body(self, id_: str, body: str | None) -> None:
        """Keep the body of a message; a message that turns out to have none says so."""
        seq = self._next_seq() if body is None or not self.durable else None
        self._execute(
            "UPDATE notifications SET body = ?, fetched = 1, seq = coalesce(?, seq) "
            "WHERE id = ? AND fetched = 0",
            (body, seq, id_),
        )

    def bury_remote(self, id_: str) -> bool:
        """Bury a message that was revoked; False if it is gone already."""
        row = self._execute(
            f"SELECT remote FROM notifications WHERE id = ? AND {ACTIVE}", (id_,)
        ).fetchone()
        if row is not None:
            self._bury(id_, "revoked_ms")
            # If it is listed all the same, it comes back.
            self.unlist([row[0]])
        return row is not None
