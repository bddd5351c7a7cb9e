"""The durable state in one SQLite file: WAL, every commit on disk before it returns, nothing half written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zen_agents.adapters.sqlite_store_ballast import lay_ballast
from zen_agents.adapters.sqlite_store_file import (
    Connect,
    StateFile,
    open_copy,
    open_in_memory,
    open_read_only,
    open_writable,
)
from zen_agents.adapters.sqlite_store_ledger import LedgerEnd
from zen_agents.adapters.sqlite_store_retention import MOST_ROUNDS, drop_bodies, drop_rows, give_back
from zen_agents.adapters.sqlite_store_rows import (
    action_of,
    incident_columns,
    incident_of,
    intent_columns,
    plan_of,
)
from zen_agents.adapters.sqlite_store_schema import create, ensure_schema, require_schema
from zen_agents.adapters.sqlite_store_signing import Signing, Witness
from zen_agents.adapters.sqlite_store_tables import ApprovalTables, BrakeTables, MeasurementTables, OutboxTables
from zen_agents.clock import Anchor, Instant
from zen_agents.errors import RefusedError, StoreError
from zen_agents.model.action import Budget, Effect, Intent, Outcome, OutcomeKind
from zen_agents.model.entry import ChainedEntry, Checkpoint, Entry, EntryKind
from zen_agents.model.incident import Incident
from zen_agents.model.principal import ENGINE
from zen_agents.model.reason import Reason
from zen_agents.model.redaction import Redaction
from zen_agents.ports.store import ActionRow, Lease, Ran
from zen_agents.store.ledger import MOST_BODY_BYTES, canonical, clean_text

if TYPE_CHECKING:
    from zen_agents.adapters.audit_key import AuditKey

#: The window of an hourly budget.
BUDGET_SECONDS = 3600.0

_ANCHOR = "anchor"


class SqliteStore(ApprovalTables, BrakeTables, MeasurementTables, OutboxTables):
    """`ports.store.Store` made real. One connection, used by the thread that opened it.

    A write that fails raises StoreError, its whole batch is gone, and `writable()` is False until a later commit succeeds.
    Incidents, breakers and brakes are lasting: they never raise, and are written again after a batch that was lost.
    """

    def __init__(self, path: Path, *, connect: Connect = sqlite3.connect) -> None:
        """Open the state for the engine, making or migrating it as needed.

        Raises SchemaTooNewError for a state of a newer zen-agents, StoreError for everything else.
        """
        file = open_writable(path, connect=connect)
        try:
            ensure_schema(file)
        except BaseException:
            file.close()
            raise
        self._attach(file)

    @classmethod
    def open_read_only(cls, path: Path) -> SqliteStore:
        """Open the state for looking; every write raises StoreError. Works beside a running engine and on a newer schema."""
        store = cls.__new__(cls)
        store._attach(open_read_only(path))
        return store

    @classmethod
    def volatile(cls) -> SqliteStore:
        """Open an empty state in memory, for watching and telling while the real one is unusable: never `writable()`."""
        store = cls.__new__(cls)
        file = open_in_memory()
        create(file.connection)
        store._attach(file, lasts=False)
        store._acts = False
        return store

    @classmethod
    def snapshot(cls, path: Path | None) -> SqliteStore:
        """Open a copy of the state, empty if there is none, for rehearsals: what is written is gone when it is closed."""
        file = open_copy(path)
        try:
            require_schema(file, path)
        except BaseException:
            file.close()
            raise
        store = cls.__new__(cls)
        store._attach(file, lasts=False)
        return store

    def _attach(self, file: StateFile, *, lasts: bool = True) -> None:
        self._file, self._lasts = file, lasts
        #: False where nothing may be done on the word of this state.
        self._acts = True
        self._ledger = LedgerEnd(file)
        self._series = {}
        file.on_rollback.append(self._series.clear)

    # -- life ---------------------------------------------------------------------------------------------------------
    def commit(self) -> None:
        """Make all pending writes durable in one transaction; cheap when there are none."""
        self._file.commit("batch")

    def close(self) -> None:
        """Close; what was not committed is dropped."""
        self._file.close()

    def writable(self) -> bool:
        """Tell whether the last write succeeded; False means: do not act."""
        return self._file.writable and self._acts

    def lost_batches(self) -> int:
        """Return how many batches were dropped since it was opened."""
        return self._file.lost_batches

    def redact_with(self, redaction: Redaction) -> None:
        """Leave out of all that is written from now on what this leaves out; what undoing needs stays, and is withheld."""
        self._file.redaction = redaction

    def require_readable(self, agents: Iterable[str]) -> None:
        """Read what a start of these agents rests on; raises StoreError if some of it cannot be: it is as good as none."""
        for name in agents:
            self.agent_state(name)
        self.anchor(), self.head(), self.brakes()
        self.live_incidents(), self.unfinished(), self.due_messages(inf, limit=1), self.open_pages()

    # -- facts about this state ---------------------------------------------------------------------------------------
    def get(self, name: str) -> str | None:
        """Return a small named fact."""
        return self._file.read_one_as(lambda row: str(row[0]), "get_fact", {"name": name})

    def put(self, name: str, value: str) -> None:
        """Write a small named fact within the pending batch."""
        self._file.write("put_fact", {"name": name, "value": clean_text(value)})

    def anchor(self) -> Anchor | None:
        """Return where the steady timeline stood when it was last saved."""
        return self._file.read_one_as(lambda row: Anchor(**json.loads(row[0])), "get_fact", {"name": _ANCHOR})

    def save_anchor(self, anchor: Anchor) -> None:
        """Write where the steady timeline stands within the pending batch."""
        self.put(_ANCHOR, canonical(asdict(anchor)))

    # -- ledger -------------------------------------------------------------------------------------------------------
    def append(self, entry: Entry) -> None:
        """Chain an entry to the ledger within the pending batch; a body that is too large is cut."""
        self._ledger.append(entry)

    def sign_with(self, key: AuditKey, witness: Witness, at: Instant) -> None:
        """Sign the ledger from now on, beginning durably with all that is there; raises StoreError."""
        self._ledger.begin_signing(Signing(self._file, key, witness), at)
        self.commit()

    def sign_waiting(self, at: Instant) -> None:
        """Sign within the pending batch what has waited for ten minutes; nothing if the ledger is not signed."""
        self._ledger.sign_waiting(at)

    def last_checkpoint(self) -> Checkpoint | None:
        """Return what was signed last, None if nothing was."""
        return self._ledger.last_checkpoint()

    def head(self) -> tuple[int, str]:
        """Return number and hash of the last ledger entry; (0, genesis) if there is none."""
        seq, hash = self._ledger.head()
        return seq, hash.hex()

    def entries(
        self,
        *,
        since: int = 0,
        kinds: Iterable[EntryKind] = (),
        incident: str | None = None,
        action: str | None = None,
        limit: int = 1000,
        newest_first: bool = False,
    ) -> Sequence[ChainedEntry]:
        """Return entries whose number is larger than `since`; a body dropped by retention is empty."""
        return self._ledger.entries(
            since=since, kinds=kinds, incident=incident, action=action, limit=limit, newest_first=newest_first
        )

    def decision(self, id: str) -> ChainedEntry | None:
        """Return one decision, None if there is none of this id."""
        return self._ledger.decision(id)

    def decisions_between(self, since: float, until: float, *, after: int = 0, limit: int = 1000) -> Sequence[ChainedEntry]:
        """Return decisions about incidents of that time (steady) whose number is larger than `after`, oldest first."""
        return self._ledger.decisions_between(since, until, after=after, limit=limit)

    # -- incidents ----------------------------------------------------------------------------------------------------
    def entries_before(self, steady: float) -> int:
        """Return the number of the last entry that was written before this moment, 0 if none was."""
        return self._ledger.entries_before(steady)

    def skipped(self, after: int, upto: int) -> Mapping[str, int]:
        """Return how often each reason kept the engine from acting, in the entries between two numbers."""
        return self._ledger.skipped(after, upto)

    def save_incident(self, incident: Incident) -> None:
        """Write an incident, in the place of an older state of it, within the pending batch; lasting."""
        self._file.write_lasting("save_incident", incident.id, incident_columns(incident, self._file.redaction))

    def live_incidents(self) -> Sequence[Incident]:
        """Return incidents that are not resolved, oldest first."""
        return self._file.read_as(incident_of, "live_incidents")

    def live_ids(self) -> Mapping[str, float | None]:
        """Return until when each incident that is not resolved is acknowledged (steady), None if it is not, by id."""
        return dict(self._file.read("live_ids"))

    def incidents(self, *, since: float = 0.0, limit: int = 100) -> Sequence[Incident]:
        """Return incidents that began or changed since then, newest first."""
        return self._file.read_as(incident_of, "incidents_since", {"since": since, "limit": limit})

    def incident(self, id: str) -> Incident | None:
        """Return one incident, None if there is none of this id."""
        return self._file.read_one_as(incident_of, "incident", {"id": id})

    def incidents_about(self, name: str, *, until: float, limit: int) -> Sequence[Incident]:
        """Return incidents whose rule or target is called so and that began by then (Unix seconds), newest first."""
        return self._file.read_as(incident_of, "incidents_about", {"name": name, "until": until, "limit": limit})

    def find_ids(self, prefix: str) -> Sequence[str]:
        """Return ids of incidents, actions, approvals and decisions that start with `prefix`, at most 100."""
        low = clean_text(prefix)
        return [id for (id,) in self._file.read("find_ids", {"low": low, "high": low + "\U0010ffff"})]

    def openings(self, key: str, since: float) -> Sequence[float]:
        """Return when incidents of this key opened, since then, oldest first."""
        return [at for (at,) in self._file.read("openings", {"key": key, "since": since})]

    def repairs(self, key: str, since: float) -> int:
        """Return how many repairs of this key by the engine were verified since then."""
        rule, _, target = key.partition("|")
        return self._count("repairs", {"rule": rule, "target": target, "by": ENGINE.name, "since": since})

    # -- actions ------------------------------------------------------------------------------------------------------
    def reserve(self, intent: Intent, *, hourly_limit: int | None) -> None:
        """Write intent, lease, budget token and their ledger entry, and all that is pending, in one durable transaction.

        Raises RefusedError if the budget is spent, the target leased or the approval not (or no longer) to be had: nothing
        of the intent is written, what was pending stays pending. Raises StoreError if it cannot be made durable: then
        nothing at all is written.
        """
        opened_here = self._file.begin()
        try:
            self._refuse_if_taken(intent, hourly_limit)
            self._spend_approval(intent)
        except RefusedError:
            if opened_here:
                self._file.rollback()
            raise
        columns = intent_columns(intent, self._file.redaction, spends=hourly_limit is not None)
        self._file.write("reserve_action", columns)
        lease = {"target": columns["target"], "action": intent.id, "until": intent.leased_until}
        self._file.write("take_lease", lease)
        self._ledger.append(_intent_entry(intent, columns))
        self._file.commit("reserve")

    def finish(self, outcome: Outcome) -> None:
        """Write an outcome durably with its ledger entry and all that is pending; a final kind releases the lease.

        Raises StoreError if there is no such intent, or it ended already and `outcome` is not final.
        """
        action = self.action(outcome.intent)
        if action is None:
            raise StoreError(f"There is no intent {outcome.intent}; its outcome cannot be written.")
        if action.kind.is_final and not outcome.kind.is_final:
            raise StoreError(f"{outcome.intent} has ended as {action.kind}; it cannot become {outcome.kind} again.")
        effect = _effect_of(outcome.effect)
        runs = outcome.kind is OutcomeKind.RUNNING
        self._file.write(
            "finish_action",
            {
                "id": outcome.intent,
                "kind": outcome.kind.value,
                "ended_at": None if runs else outcome.at.steady,
                "ended_wall": None if runs else outcome.at.wall.timestamp(),
                "took_seconds": outcome.took_seconds,
                "effect": canonical(self._file.redaction.record(effect, needed=("undo",))),
            },
        )
        if outcome.kind.is_final:
            self._file.write("release_lease", {"action": outcome.intent})
        body = {"action": action.action, "target": action.target, "outcome": outcome.kind.value, **effect}
        body["took_seconds"] = outcome.took_seconds
        self._ledger.append(
            Entry(EntryKind.OUTCOME, outcome.intent, outcome.at, "engine", action.incident, outcome.intent, body)
        )
        self._file.commit("finish")

    def unfinished(self) -> Sequence[ActionRow]:
        """Return actions whose outcome is not final, oldest first."""
        return self._file.read_as(action_of, "unfinished_actions")

    def action(self, id: str) -> ActionRow | None:
        """Return one action."""
        return self._file.read_one_as(action_of, "action", {"id": id})

    def actions(
        self, *, since: float = 0.0, target: str | None = None, incident: str | None = None, limit: int = 100
    ) -> Sequence[ActionRow]:
        """Return actions reserved since then, newest first."""
        params = {"since": since, "target": target, "incident": incident, "limit": limit}
        name = "actions_since" if target is None else "actions_on_target"
        return self._file.read_as(action_of, name, params)

    def spent(self, budget: Budget, since: float) -> int:
        """Return how many actions the engine reserved of this budget after that moment."""
        return self._count("spent_since", {"budget": budget.value, "since": since})

    def ran(self, *, since: float, most: int, action: str | None = None, budget: Budget | None = None) -> Ran:
        """Return what limits count of the actions reserved since then: of one action or budget, or of all."""
        return self._ran("ran", since, most, action=action, budget=budget.value if budget else None)

    def ran_on(self, target: str, *, since: float, most: int) -> Ran:
        """Return what limits count of the actions on a target that were reserved since then."""
        return self._ran("ran_on_target", since, most, target=clean_text(target))

    def _ran(self, name: str, since: float, most: int, **of: str | None) -> Ran:
        # The newest are counted there: an hour may hold thousands, of which a limit needs two numbers.
        params = {"since": since, "most": max(1, most), "by": ENGINE.name, **of}
        return self._file.read_one_as(lambda row: Ran(int(row[0]), row[1]), name, params) or Ran(0, None)

    def taken_back(self, since: float) -> Mapping[str, float]:
        """Return the targets of which people took an action back since then, and when they last did (steady)."""
        return dict(self._file.read_as(lambda row: (str(row[0]), float(row[1])), "taken_back", {"since": since}))

    def last_on(self, target: str, *, since: float, not_for: str | None) -> tuple[str, float | None] | None:
        """Return the action on a target that ended last, and when (steady; None: it still runs); None if there was none."""
        params = {"target": clean_text(target), "since": since, "incident": not_for}
        return self._file.read_one_as(lambda row: (str(row[0]), row[1]), "last_on_target", params)

    def lease(self, target: str) -> Lease | None:
        """Return who holds a target, also if the time has passed; the reader compares with now."""
        return self._file.read_one_as(_lease_of, "lease", {"target": clean_text(target)})

    # -- retention ----------------------------------------------------------------------------------------------------
    def prune(self, *, metrics_before: float, decisions_before: float, actions_before: float) -> int:
        """Drop what is older, durably, in short transactions; return rows and bodies dropped.

        Unfinished actions, live incidents and pending messages stay. A call drops at most half a million rows of a table
        (half a second); what is left goes with the next. The ledger keeps the hashes of dropped bodies and says itself up
        to where they were dropped. Also gives free space back to the disk and calls `keep_room`.
        """
        dropped = 0
        for _ in range(MOST_ROUNDS):
            rows = drop_rows(
                self._file,
                metrics_before=metrics_before,
                decisions_before=decisions_before,
                actions_before=actions_before,
            )
            self._series.clear()
            rows += drop_bodies(self._file, self._ledger, decisions_before=decisions_before, actions_before=actions_before)
            self._file.commit("prune")
            give_back(self._file)
            dropped += rows
            if not rows:
                break
        self.keep_room()
        return dropped

    def keep_room(self) -> None:
        """Keep 4 MB of disk aside for the state, while there is plenty: acting on a full disk takes a durable intent."""
        if self._lasts:
            lay_ballast(self._file.path)

    # -- inside -------------------------------------------------------------------------------------------------------
    def _count(self, name: str, params: Mapping[str, Any]) -> int:
        row = self._file.read_one(name, params)
        return int(row[0]) if row else 0

    def _refuse_if_taken(self, intent: Intent, hourly_limit: int | None) -> None:
        request, now = intent.plan.request, intent.reserved_at.steady
        held = self.lease(request.target)
        if held is not None and held.until > now:
            raise RefusedError(
                f"{Reason.LEASE_HELD}: {request.target} is held by {held.action} for {held.until - now:.0f} s.",
                reason=Reason.LEASE_HELD,
            )
        if hourly_limit is None:
            return
        spent = self.spent(intent.plan.budget, now - BUDGET_SECONDS)
        if spent >= hourly_limit:
            raise RefusedError(
                f"{Reason.RATE_LIMIT}: {spent} of {hourly_limit} actions of this hour are spent.", reason=Reason.RATE_LIMIT
            )

    def _spend_approval(self, intent: Intent) -> None:
        """Spend the approval that the intent rests on: one yes is one action."""
        if intent.approval is None:
            return
        if not self._file.write("spend_approval", {"id": intent.approval, "action": intent.id}):
            raise RefusedError(f"{intent.approval} is not open any more.", reason=Reason.APPROVAL_PENDING)


def _lease_of(row: Sequence[Any]) -> Lease:
    target, action, until = row
    return Lease(target, action, float(until))


def _intent_entry(intent: Intent, columns: Mapping[str, Any]) -> Entry:
    told = ("action", "target", "agent", "rule", "requested_by", "requested_uid", "because", "budget", "spends")
    body = {name: columns[name] for name in told} | plan_of(intent) | {"leased_until": intent.leased_until}
    actor = columns["requested_by"]
    return Entry(EntryKind.INTENT, intent.id, intent.reserved_at, actor, columns["incident"], intent.id, body)


def _effect_of(effect: Effect) -> dict[str, Any]:
    return {
        "ok": effect.ok,
        "detail": effect.detail,
        "before": effect.before,
        "after": effect.after,
        "exit_code": effect.exit_code,
        "output": effect.output[-MOST_BODY_BYTES:],
        "undo": dict(effect.undo),
        **({} if effect.said else {"said": False}),
    }
