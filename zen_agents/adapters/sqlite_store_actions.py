"""Actions: intents reserved with their lease and token in one durable transaction, their outcomes, and what limits count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_ledger import LedgerEnd
from zen_agents.adapters.sqlite_store_rows import action_of, intent_columns, plan_of
from zen_agents.errors import RefusedError, StoreError
from zen_agents.model.action import Budget, Effect, Intent, Outcome, OutcomeKind
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.principal import ENGINE
from zen_agents.model.reason import Reason
from zen_agents.ports.store import ActionRow, Lease, Ran
from zen_agents.store.ledger import MOST_BODY_BYTES, canonical, clean_text

#: The window of an hourly budget.
BUDGET_SECONDS = 3600.0


class ActionTables:
    """Part of `SqliteStore`: actions, leases and budgets."""

    _file: StateFile
    _ledger: LedgerEnd

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
        return self._file.count("spent_since", {"budget": budget.value, "since": since})

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
