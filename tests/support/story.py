"""A record of a run, told entry by entry through the real store: sound as it comes, spoilt where a test says so.

story = Story(tmp_path)
story.repair()                       # decided, reserved, done, verified, over
story.repair(status="unknown")       # the same, on no data
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.support.state import START, a_message, an_incident
from zen_agents.adapters.action_log import ActionLogFile
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.catalog import GUARDS
from zen_agents.clock import Instant, ManualClock
from zen_agents.engine.journal import Journal
from zen_agents.model.action import (
    ActionRequest,
    Budget,
    Effect,
    Intent,
    Outcome,
    OutcomeKind,
    Plan,
    Resource,
    ResourceKind,
    Reversible,
    Risk,
)  # fmt: skip
from zen_agents.model.entry import Entry, EntryKind
from zen_agents.model.incident import IncidentState
from zen_agents.model.message import MessageKind
from zen_agents.model.principal import ENGINE, Principal
from zen_agents.model.reason import Reason

ALICE = Principal("alice", 1000)
#: What the guards say in a sound story.
SAID = {
    "storm_brake": "1 of 5 targets failed within 5m",
    "cooldown": "1m, last run never or long ago",
    "rate_limit": "0 of 5 repairs this hour, 0 of 4 for this target, 0 of 1 running",
    "breaker": "closed (0 of 4 failures in 1h)",
    "recurrence": "0 of 3 repairs in 4h",
}


class Story:
    """One state directory, written as an engine would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock(START, 100_000.0)
        self.store = SqliteStore(folder / "state.db")
        self.journal = Journal(self.store, ActionLogFile(folder / "actions.log"))
        self.numbers = iter(range(1, 1000))

    def now(self) -> Instant:
        return self.clock.now()

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def plan(
        self, target: str = "service:web", *, incident: str | None = None, by: Principal = ENGINE,
        touches: tuple[Resource, ...] | None = None,
    ) -> Plan:  # fmt: skip
        name = target.rpartition(":")[2]
        request = ActionRequest("restart_service", target, {}, by, "it is down", incident, "web", "system_health")
        held = (Resource(ResourceKind.UNIT, f"{name}.service"),) if touches is None else touches
        return Plan(request, ("restart",), held, "12:34", Risk.LOW, Reversible.NO, Budget.REPAIR)

    def decide(
        self, plan: Plan, *, outcome: str = "act", status: str = "problem", refusing: str = "", silent: str = "",
        said: Mapping[str, str] = SAID, digest: str = "",
    ) -> None:  # fmt: skip
        guards = [
            {"guard": guard.name, "ruling": "deny" if guard.name == refusing else "allow", "value": said.get(guard.name, "")}
            for guard in GUARDS
            if guard.name != silent
        ]
        body = {
            "rule": "web", "target": plan.request.target, "outcome": outcome, "status": status, "guards": guards,
            "plan": {"digest": digest or plan.digest},
        }  # fmt: skip
        entry = Entry(EntryKind.DECISION, f"dec-{next(self.numbers)}", self.now(), "system_health", plan.request.incident)
        self.store.append(replace(entry, body=body))

    def reserve(self, plan: Plan, *, logged: int = 1) -> Intent:
        intent = Intent(f"act-{next(self.numbers)}", plan, self.now(), self.now().steady + 30.0, "web|service:web")
        self.store.reserve(intent, hourly_limit=None if plan.request.requested_by.is_person else 1000)
        for _ in range(logged):
            self.journal.intended(intent)
        return intent

    def finish(self, intent: Intent, *kinds: OutcomeKind) -> None:
        for kind in kinds:
            self.store.finish(Outcome(intent.id, kind, self.now(), 1.0, Effect(True, "restarted")))

    def repair(
        self, target: str = "service:web", *, seconds: float = 5.0, over: str = "resolve", over_status: str = "ok",
        outcomes: tuple[OutcomeKind, ...] = (OutcomeKind.VERIFYING,), final: OutcomeKind = OutcomeKind.VERIFIED,
        touches: tuple[Resource, ...] | None = None, decided: bool = True, **decision: Any,
    ) -> Intent:  # fmt: skip
        """Tell of one repair from its decision to its end."""
        incident = f"inc-{next(self.numbers)}"
        plan = self.plan(target, incident=incident, touches=touches)
        opened = self.now()
        if decided:
            self.decide(plan, **decision)
        intent = self.reserve(plan)
        self.finish(intent, *outcomes)
        self.pass_time(seconds)
        if over:
            self.decide(plan, outcome=over, status=over_status)
        self.finish(intent, final)
        known = replace(an_incident(incident, opened, target=target), opened_at=opened)
        mended = {"state": IncidentState.RESOLVED, "resolved_at": self.now(), "resolved_by": "engine"}
        self.store.save_incident(replace(known, **mended) if final is OutcomeKind.VERIFIED else known)
        return intent

    def by_hand(self, *, wished: bool = True, target: str = "service:web", who: Principal = ALICE) -> Intent:
        """Tell of an act that a person asked for."""
        if wished:
            guards = [{"guard": guard.name, "ruling": "allow"} for guard in GUARDS]
            body = {"action": "restart_service", "target": target, "reason": "me", "guards": guards}
            self.journal.human(self.now(), who, "act", body)
        intent = self.reserve(self.plan(target, by=who))
        self.finish(intent, OutcomeKind.VERIFYING, OutcomeKind.VERIFIED)
        return intent

    def undo(self, undone: Intent, *, who: Principal = ALICE) -> Intent:
        """Tell of an undo."""
        guards = [{"guard": guard.name, "ruling": "allow"} for guard in GUARDS]
        target = undone.plan.request.target
        self.journal.human(self.now(), who, "undo", {"undoes": undone.id, "target": target, "guards": guards})
        plan = self.plan(target, by=who)
        request = replace(plan.request, action="give_back_file", params={"undoes": undone.id})
        intent = self.reserve(replace(plan, request=request))
        self.finish(intent, OutcomeKind.VERIFYING)
        self.finish(undone, OutcomeKind.UNDONE)
        self.finish(intent, OutcomeKind.VERIFIED)
        return intent

    def human(self, what: str, who: Principal = ALICE, **body: Any) -> None:
        self.journal.human(self.now(), who, what, body)

    def engine(self, what: str, **body: Any) -> None:
        self.journal.engine(self.now(), what, **body)

    def escalate(self, incident: str, *, alert: str = "", outbox: bool = True) -> None:
        """Leave an incident to people, and tell them of it under this alert id unless it is empty."""
        known = replace(an_incident(incident, self.now()), opened_at=self.now(), state=IncidentState.ESCALATED)
        self.store.save_incident(replace(known, escalated_for=Reason.LADDER_EXHAUSTED, escalated_at=self.now()))
        if alert:
            self.alert(alert, incident, outbox=outbox)

    def alert(self, id: str, incident: str, *, outbox: bool = True) -> None:
        summary = f"web-07: web bad for 5m: {Reason.LADDER_EXHAUSTED.sentence} ({incident})"
        self.journal.alerted(self.now(), id, {"kind": "firing", "summary": summary}, incident=incident)
        if outbox:
            message = replace(a_message(id, MessageKind.FIRING, self.now()), incident=incident)
            self.store.enqueue(message, ["pagerduty"], self.now().steady)

    def close(self) -> Path:
        """Write everything and return the folder."""
        self.store.commit()
        self.store.close()
        return self.folder
