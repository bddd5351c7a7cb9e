"""What Prometheus is told of the engine; imported only where that is configured.

What happened is counted from the ledger, at the time of asking: an engine that measures nothing pays nothing, and one that
does pays nothing at the moment of deciding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from zen_agents.engine.recorder import Recorder
from zen_agents.model.action import OutcomeKind
from zen_agents.model.approval import ApprovalState
from zen_agents.model.entry import ChainedEntry, EntryKind
from zen_agents.model.severity import Severity
from zen_agents.telemetry.exposition import Counter, Histogram, Metric, Sample, exposition

if TYPE_CHECKING:
    from zen_agents.engine.engine import Engine

#: So many entries are counted before the engine does something else.
_PAGE = 200
_COUNTED = (EntryKind.DECISION, EntryKind.OUTCOME)
_FINAL = frozenset(kind.value for kind in OutcomeKind if kind.is_final)
#: What can hold, the least restrictive first; of several the last wins.
MODES = ("enforce", "approve", "observe", "dry_run", "safe_mode", "emergency_stop")

#: Every metric, without `zen_agents_` before its name: its kind, its labels, and what it means.
METRICS: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "actions_total": ("counter", ("agent", "action", "outcome"), "Actions that ended, by outcome."),
    "decisions_total": (
        "counter", ("agent", "rule", "outcome", "reason"), "Decisions in the ledger: an unchanged no is there once.",
    ),
    "action_duration_seconds": ("histogram", ("action",), "From the start of an action to its outcome."),
    "check_duration_seconds": ("summary", ("agent",), "Time spent on looking, and how many checks were looked at."),
    "alerts_sent_total": ("counter", ("channel", "outcome"), "Deliveries tried, by what came of them."),
    "incidents_open": ("gauge", ("severity",), "Incidents that are open now."),
    "breaker_open": ("gauge", ("breaker", "target"), "1 while the breaker of an action on a target is open."),
    "approvals_pending": ("gauge", (), "Questions that wait for a person."),
    "last_tick_timestamp_seconds": ("gauge", (), "When an agent last looked, 0 before the first look."),
    "config_last_reload_successful": ("gauge", (), "0 while a changed configuration is refused and the old one runs."),
    "mode": ("gauge", ("mode",), "1 for what holds, 0 for the others."),
    "build_info": ("gauge", ("version",), "Always 1."),
}  # fmt: skip


class Measurements:
    """Counts since it was made; a restart of the engine begins anew, as Prometheus expects of a counter."""

    def __init__(
        self, engine: Engine, recorder: Recorder, delivered: Callable[[], Mapping[tuple[str, str], int]], version: str
    ) -> None:
        """`delivered` returns how many messages each channel had which outcome of."""
        self._engine, self._recorder, self._delivered, self._version = engine, recorder, delivered, version
        newest = engine.parts.store.entries(limit=1, newest_first=True)
        self._counted_to = newest[0].seq if newest else 0
        self._counting = asyncio.Lock()
        self._actions = Counter("agent", "action", "outcome")
        self._decisions = Counter("agent", "rule", "outcome", "reason")
        self._durations = Histogram("action")

    async def text(self) -> str:
        """Return everything in Prometheus' text format. Raises StoreError if the state cannot be read."""
        async with self._counting:
            await self._catch_up()
        return exposition([*self._happened(), *self._is_now()])

    async def _catch_up(self) -> None:
        store = self._engine.parts.store
        while rows := store.entries(since=self._counted_to, kinds=_COUNTED, limit=_PAGE):
            for row in rows:
                self._count(row)
            self._counted_to = rows[-1].seq
            await asyncio.sleep(0)

    def _count(self, row: ChainedEntry) -> None:
        entry, facts = row.entry, row.entry.body
        if entry.kind is EntryKind.DECISION:
            words = [str(facts.get(name, "")) for name in ("rule", "outcome", "reason")]
            self._decisions.add(entry.actor, *words)
            return
        outcome, action = str(facts.get("outcome", "")), str(facts.get("action", ""))
        if outcome in _FINAL:
            done = self._engine.parts.store.action(entry.id)
            self._actions.add(done.agent if done else "", action, outcome)
            self._durations.observe(done.took_seconds if done else 0.0, action)

    def _happened(self) -> list[Metric]:
        sent = Counter("channel", "outcome")
        for (channel, outcome), times in self._delivered().items():
            sent.add(channel, outcome, times=times)
        return [
            _metric("actions_total", self._actions.samples()),
            _metric("decisions_total", self._decisions.samples()),
            _metric("action_duration_seconds", self._durations.samples()),
            _metric("check_duration_seconds", self._looking()),
            _metric("alerts_sent_total", sent.samples()),
        ]

    def _looking(self) -> list[Sample]:
        found: list[Sample] = []
        for agent, (seconds, checks) in sorted(self._recorder.looked.items()):
            found += [Sample(seconds, {"agent": agent}, "_sum"), Sample(checks, {"agent": agent}, "_count")]
        return found

    def _is_now(self) -> list[Metric]:
        engine = self._engine
        waiting = [asked for asked in engine.parts.store.open_approvals() if asked.state is ApprovalState.PENDING]
        last = max((at.wall.timestamp() for at in self._recorder.last_tick.values()), default=0.0)
        applied = 1.0 if engine.config_trouble() is None else 0.0
        mode = self._mode()
        return [
            _metric("incidents_open", self._open()),
            _metric("breaker_open", self._breakers()),
            _metric("approvals_pending", [Sample(len(waiting), {})]),
            _metric("last_tick_timestamp_seconds", [Sample(last, {})]),
            _metric("config_last_reload_successful", [Sample(applied, {})]),
            _metric("mode", [Sample(float(name == mode), {"mode": name}) for name in MODES]),
            _metric("build_info", [Sample(1.0, {"version": self._version})]),
        ]

    def _open(self) -> list[Sample]:
        counts = dict.fromkeys(Severity, 0)
        for incident in self._engine.parts.book:
            counts[incident.severity] += incident.opened_at is not None
        return [Sample(count, {"severity": severity.value}) for severity, count in counts.items()]

    def _breakers(self) -> list[Sample]:
        rows = (row for row in self._engine.parts.store.breakers() if "|" in row.name)
        return [
            Sample(float(row.state == "open"), dict(zip(("breaker", "target"), row.name.split("|", 1), strict=True)))
            for row in rows
        ]

    def _mode(self) -> str:
        parts = self._engine.parts
        if self._engine.stopped():
            return "emergency_stop"
        if parts.safe_mode.brake:
            return "safe_mode"
        return "dry_run" if parts.policy.dry_run else parts.policy.mode


def _metric(name: str, samples: Sequence[Sample]) -> Metric:
    kind, _, meaning = METRICS[name]
    return Metric(f"zen_agents_{name}", kind, meaning, samples)
