"""Somebody else undoes what the engine does: seen from its own record, backed off from, and told once (R8).

A turn of such a fight is an own action whose effect somebody took back. The action itself says so, by the plan that would
have to be made again, and says nothing where a fault explains what is found as well. Turns are kept over a restart and
counted on the steady timeline; the third within the window of the recurrence breaker sets a brake on the target.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.engine.journal import Journal
from zen_agents.errors import StoreError
from zen_agents.guards.base import Limit
from zen_agents.guards.recurrence import RIVAL
from zen_agents.model.action import Intent, Plan
from zen_agents.model.address import is_address_target
from zen_agents.model.principal import ENGINE
from zen_agents.ports.store import ActionRow, Brake, Store

log = logging.getLogger("zen_agents.rivals")

#: So many own actions that somebody undid are a fight.
MOST_TURNS = 3
#: Under this name the store keeps the turns.
_FACT = "rivals"
#: Targets of which turns are kept; the oldest are forgotten first.
_MOST_TARGETS = 100
#: Own actions that are read back after a restart.
_MOST_ACTIONS = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """One own action, and how somebody took it back."""

    target: str
    #: The engine's side: `restart_service`, its id, and when it had ended (wall, ISO 8601).
    did: str
    action: str
    done_at: str
    #: The other side: what was done, by whom ("" if nobody knows), and when that was seen (wall, and steady seconds).
    undone: str
    by: str
    seen_at: str
    seen_steady: float

    @property
    def lines(self) -> tuple[str, str]:
        """Both sides, a line each that begins with its time."""
        whose = self.by or "somebody else, who is not known,"
        return f"{self.done_at}  the engine did {self.did} ({self.action})", f"{self.seen_at}  {whose} {self.undone}"


@dataclass(frozen=True, slots=True)
class Mended:
    """What the engine did last to a target."""

    did: str
    action: str
    done_at: Instant


class Rivals:
    """Remembers what the engine mended last, and who undid it how often."""

    def __init__(self, store: Store, journal: Journal) -> None:
        self._store, self._journal = store, journal
        self._mended: dict[str, Mended] = {}
        #: None before they were read back.
        self._turns: list[Turn] | None = None
        self._actions_read = False

    def mended(self, intent: Intent, at: Instant) -> None:
        """Remember that an own action has done what it was to do; of addresses, of which there is no end, nothing."""
        request = intent.plan.request
        if not request.requested_by.is_person and not is_address_target(request.target):
            self._mended[request.target] = Mended(request.action, intent.id, at)

    def seen(self, plan: Plan, undone: str, by: str, now: Instant, limit: Limit) -> Sequence[Turn]:
        """Count that the last own action on the plan's target was undone; return the target's turns within the window.

        Empty if nobody undid anything since. Each action counts once; StoreError if the state fails.
        """
        self._read_actions(now, limit)
        mended = self._mended.get(plan.request.target)
        if not undone or mended is None or mended.done_at.steady < now.steady - limit.within_seconds:
            return ()
        turn = Turn(
            plan.request.target, mended.did, mended.action, _iso(mended.done_at), undone, by or self._own(plan, mended),
            _iso(now), now.steady,
        )  # fmt: skip
        since = now.steady - limit.within_seconds
        self._keep([*(each for each in self._known() if each.seen_steady > since), turn])
        del self._mended[turn.target]
        return self.of(turn.target)

    def of(self, target: str) -> Sequence[Turn]:
        """Return the turns about a target, oldest first."""
        return [turn for turn in self._known() if turn.target == target]

    def back_off(self, turns: Sequence[Turn], incident: str, now: Instant, limit: Limit) -> Brake:
        """Leave the target to whoever else is at it, until it has been calm for the limit's `retry_after`."""
        target, last, undone = turns[-1].target, turns[-1], ", ".join(turn.action for turn in turns)
        whose = f"by {last.by}" if last.by else "nobody knows by whom"
        why = f"somebody else undid {undone}; the last time: {last.undone}, {whose}"
        brake = Brake(RIVAL, f"target:{target}", why, ENGINE.name, now, now.steady + limit.retry_after_seconds)
        self._store.set_brake(brake)
        told = [line for turn in turns for line in turn.lines]
        self._journal.engine(now, "fought_over", incident=incident, target=target, turns=told)
        return brake

    def forget(self, target: str) -> None:
        """Begin to count anew: a person says that it is over."""
        self._mended.pop(target, None)
        self._keep([turn for turn in self._known() if turn.target != target])

    # -- inside -------------------------------------------------------------------------------------------------------
    def _known(self) -> list[Turn]:
        """Return all turns, those of earlier engines as well; what cannot be read begins anew."""
        if self._turns is None:
            self._turns = []
            try:
                self._turns = [Turn(**told) for told in json.loads(self._store.get(_FACT) or "[]")]
            except (StoreError, ValueError, TypeError) as error:
                log.error("who undid what the engine did cannot be read: %s", error)
        return self._turns

    def _read_actions(self, now: Instant, limit: Limit) -> None:
        """Read back, once, what earlier engines mended last."""
        if self._actions_read:
            return
        counted, known = {turn.action for turn in self._known()}, set(self._mended)
        for row in self._store.actions(since=now.steady - limit.within_seconds, limit=_MOST_ACTIONS):
            if row.target not in known and row.ended_at is not None and row.requested_by == ENGINE.name:
                # The newest first: what was undone already says nothing of an older one.
                known.add(row.target)
                if row.effect.get("ok") and row.id not in counted:
                    self._mended[row.target] = Mended(row.action, row.id, row.ended_at)
        self._actions_read = True

    def _keep(self, turns: list[Turn]) -> None:
        kept = list(dict.fromkeys(turn.target for turn in reversed(turns)))[:_MOST_TARGETS]
        self._turns = [turn for turn in turns if turn.target in kept]
        try:
            self._store.put(_FACT, json.dumps([asdict(turn) for turn in self._turns]))
        except StoreError as error:
            # In memory it still counts; while nothing can be written nothing is done.
            log.error("who undid what the engine did was not written: %s", error)

    def _own(self, plan: Plan, since: Mended) -> str:
        """Return which other rule of this engine touched the same thing meanwhile, "" if none did."""
        touched = {(resource.kind.value, resource.name) for resource in plan.touches}
        for row in self._store.actions(since=since.done_at.steady, limit=_MOST_ACTIONS):
            others = {(each.get("kind"), each.get("name")) for each in row.plan.get("touches", ())}
            if row.target != plan.request.target and touched & others:
                return _named(row)
        return ""


def _named(row: ActionRow) -> str:
    whose = "the engine itself" if row.requested_by == ENGINE.name else row.requested_by
    return f"{whose} ({row.action} {row.target}, {row.id}{f', rule {row.rule}' if row.rule else ''})"


def _iso(at: Instant) -> str:
    return at.wall.isoformat(timespec="seconds")
