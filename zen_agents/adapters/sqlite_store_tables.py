"""The plain tables of `SqliteStore`: brakes, breakers, agents, approvals, usage, observations, outbox."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_rows import (
    approval_columns,
    approval_of,
    instant_of,
    message_json,
    message_of,
    observation_columns,
    observation_of,
    outbox_row_of,
)
from zen_agents.clock import Instant
from zen_agents.errors import StoreError
from zen_agents.model.agent import AgentState
from zen_agents.model.approval import Approval
from zen_agents.model.message import Message, MessageKind
from zen_agents.model.observation import Observation
from zen_agents.ports.store import Brake, BreakerRow, OutboxRow, Usage
from zen_agents.store.ledger import canonical, clean_text

#: A channel whose name starts so keeps pages that must be resolved.
_PAGER = "pagerduty"
_TRIGGERS = frozenset({MessageKind.FIRING, MessageKind.ENGINE, MessageKind.ROLL_UP})

#: So many series are known by heart: a good deal more than there are measurements of a host and its services.
_MOST_SERIES = 1000

#: An error text of a channel longer than this is cut.
_MOST_ERROR_CHARS = 500


class BrakeTables:
    """Breakers, brakes and agent states."""

    _file: StateFile
    #: The brakes as they were last read, and what they are made from.
    _brakes: Sequence[Brake] = ()
    _brake_rows: Sequence[Any] = ()

    def breaker(self, name: str) -> BreakerRow | None:
        """Return the breaker of this name, None if it never counted anything."""
        return self._file.read_one_as(_breaker_of, "breaker", {"name": name})

    def breakers(self) -> Sequence[BreakerRow]:
        """Return all breakers by name."""
        return self._file.read_as(_breaker_of, "breakers")

    def save_breaker(self, row: BreakerRow) -> None:
        """Write a breaker within the pending batch; lasting."""
        self._file.write_lasting(
            "save_breaker",
            row.name,
            {
                "name": row.name,
                "state": row.state,
                "failures": row.failures,
                "successes": row.successes,
                "opened_at": row.opened_at,
                "failed_at": canonical(list(row.failed_at)),
            },
        )

    def set_brake(self, brake: Brake) -> None:
        """Set a brake, in the place of one of the same kind and scope, within the pending batch; lasting."""
        self._file.write_lasting(
            "set_brake",
            f"{brake.kind} {brake.scope}",
            {
                "kind": brake.kind,
                "scope": clean_text(brake.scope),
                "reason": clean_text(self._file.redaction.text(brake.reason)),
                "set_by": clean_text(brake.by),
                "since_at": brake.since.steady,
                "since_wall": brake.since.wall.timestamp(),
                "until": brake.until,
            },
        )

    def lift_brake(self, kind: str, scope: str) -> bool:
        """Lift a brake within the pending batch; False if it was not set."""
        return self._file.write("lift_brake", {"kind": kind, "scope": clean_text(scope)}) > 0

    def brakes(self) -> Sequence[Brake]:
        """Return brakes that are set, also those whose end has passed."""
        rows = self._file.read("brakes")
        # Read anew each time, since a state that cannot be read must not let anything through; built only when it changed.
        if rows != self._brake_rows:
            self._brakes = tuple(self._file.read_as(_brake_of, "brakes"))
            self._brake_rows = rows
        return self._brakes

    def agent_state(self, name: str) -> AgentState | None:
        """Return the state an agent was last in."""
        return self._file.read_one_as(lambda row: AgentState(row[0]), "agent_state", {"name": name})

    def save_agent_state(self, name: str, state: AgentState, reason: str, at: Instant) -> None:
        """Write an agent's state within the pending batch."""
        self._file.write(
            "save_agent_state",
            {
                "name": name,
                "state": state.value,
                "reason": clean_text(self._file.redaction.text(reason)),
                "changed_at": at.steady,
                "changed_wall": at.wall.timestamp(),
            },
        )

    def check_memories(self, agent: str) -> Mapping[str, str]:
        """Return what the checks of an agent have saved, by their names."""
        return dict(self._file.read_as(lambda row: (str(row[0]), str(row[1])), "check_memories", {"agent": agent}))

    def save_check_memory(self, agent: str, name: str, memory: Mapping[str, Any]) -> None:
        """Write what a check must remember within the pending batch; lasting."""
        text = canonical(self._file.redaction.value(dict(memory)))
        self._file.write_lasting("save_check_memory", name, {"name": name, "agent": agent, "memory": text})

    def drop_check_memory(self, agent: str, name: str) -> None:
        """Forget what a check has saved, within the pending batch."""
        self._file.write("drop_check_memory", {"name": name, "agent": agent})


class ApprovalTables:
    """Questions to people, and tokens that were used."""

    _file: StateFile

    def save_approval(self, approval: Approval) -> None:
        """Write an approval, in the place of an older state of it, within the pending batch."""
        self._file.write("save_approval", approval_columns(approval, self._file.redaction))

    def approval(self, id: str) -> Approval | None:
        """Return one approval."""
        return self._file.read_one_as(approval_of, "approval", {"id": id})

    def open_approval(self, action: str, target: str) -> Approval | None:
        """Return the open question about an action on a target, also if its time has passed."""
        return self._file.read_one_as(approval_of, "open_approval", {"action": action, "target": clean_text(target)})

    def open_approvals(self) -> Sequence[Approval]:
        """Return open questions, oldest first, also those whose time has passed."""
        return self._file.read_as(approval_of, "open_approvals")

    def approvals(self, *, since: float = 0.0, limit: int = 100) -> Sequence[Approval]:
        """Return questions asked since then, newest first."""
        return self._file.read_as(approval_of, "approvals_since", {"since": since, "limit": limit})

    def spend_token(self, token: str, approval: str, at: Instant) -> bool:
        """Write within the pending batch that a token (its SHA-256, hex) was used; False if it was before."""
        return self._file.write("spend_token", {"token": token, "approval": approval, "used_at": at.steady}) > 0


class MeasurementTables:
    """Usage and observations."""

    _file: StateFile
    #: (name, target) -> number of the series.
    _series: dict[tuple[str, str], int]

    def record_usage(self, usage: Usage) -> None:
        """Write what a tick or action cost within the pending batch."""
        self._file.write(
            "record_usage",
            {
                "agent": usage.agent,
                "kind": usage.kind,
                "seen_at": usage.at.steady,
                "seen_wall": usage.at.wall.timestamp(),
                "wall_seconds": usage.wall_seconds,
                "cpu_seconds": usage.cpu_seconds,
                "resident_bytes": usage.resident_bytes,
                "checks": usage.checks,
            },
        )

    def usage(self, *, since: float) -> Sequence[Usage]:
        """Return costs since then, oldest first."""
        return self._file.read_as(_usage_of, "usage_since", {"since": since})

    def record_observations(self, observations: Iterable[Observation]) -> None:
        """Write all that is given within the pending batch."""
        rows = [observation_columns(self._series_of(seen.name, seen.target), seen) for seen in observations]
        if rows:
            self._file.write_many("record_observation", rows)

    def observations(self, name: str, target: str, *, since: float, limit: int = 10_000) -> Sequence[Observation]:
        """Return the newest `limit` observations since then, oldest first."""
        series = self._file.read_one("series", {"name": clean_text(name), "target": clean_text(target)})
        if series is None:
            return []
        params = {"series": series[0], "since": since, "limit": limit}
        newest_first = self._file.read_as(lambda row: observation_of(name, target, row), "observations_since", params)
        return newest_first[::-1]

    def recorded_series(self) -> Mapping[tuple[str, str], int]:
        """Return the number of each (name, target) of which something is kept."""
        return {(str(name), str(target)): int(id) for id, name, target in self._file.read("recorded_series")}

    def recording_began(self) -> Instant | None:
        """Return when the oldest kept observation was made, None if there is none."""
        return self._file.read_one_as(lambda row: instant_of(*row), "recording_began")

    def recorded(self, series: Sequence[int], *, since: float, until: float) -> Sequence[Sequence[Any]]:
        """Return kept observations of these series, oldest first, as rows, because a week of them is many.

        A row: series, status, seen_at, seen_wall, value, detail, facts (JSON or "").
        """
        return self._file.read("recorded_observations", {"since": since, "until": until, "series": json.dumps(list(series))})

    def _series_of(self, name: str, target: str) -> int:
        known = self._series.get((name, target))
        if known is not None:
            return known
        columns = {"name": clean_text(name), "target": clean_text(target)}
        row = self._file.read_one("series", columns)
        if row is None:
            self._file.write("add_series", columns)
            row = self._file.read_one("series", columns)
        if row is None:
            raise StoreError("An observation's series could not be written; look at: zen-agents doctor.")
        number = int(row[0])
        if len(self._series) >= _MOST_SERIES:
            # What is seldom kept need not be remembered; the rest is read again.
            self._series.clear()
        self._series[name, target] = number
        return number


class OutboxTables:
    """Messages on their way, and pages that are open."""

    _file: StateFile

    def enqueue(self, message: Message, channels: Sequence[str], not_before: float) -> None:
        """Put a message into the outbox for each channel, once, within the pending batch; lasting, but raises StoreError."""
        text = message_json(self._file.redaction.message(message))
        for channel in channels:
            self._file.write_kept(
                "enqueue",
                f"{message.id} {channel}",
                {
                    "message_id": message.id,
                    "channel": channel,
                    "message": text,
                    "made_at": message.at.steady,
                    "not_before": not_before,
                },
            )

    def due_messages(self, now: float, *, limit: int = 50) -> Sequence[OutboxRow]:
        """Return messages that may be tried now, oldest first."""
        return self._file.read_as(outbox_row_of, "due_messages", {"now": now, "limit": limit})

    def mark_sent(self, id: int, at: Instant) -> None:
        """Write that a channel took a message; keeps the list of open pages."""
        row = self._file.read_one("outbox_message", {"id": id})
        self._file.write("mark_sent", {"id": id, "done_at": at.steady, "done_wall": at.wall.timestamp()})
        if row and row[1].startswith(_PAGER):
            self._note_page(message_of(row[0]))

    def mark_failed(self, id: int, error: str, *, not_before: float, give_up: bool) -> None:
        """Write that a channel did not take a message, and whether it is tried again."""
        self._file.write(
            "mark_failed",
            {
                "id": id,
                "state": "gave_up" if give_up else "pending",
                "last_error": clean_text(error)[:_MOST_ERROR_CHARS],
                "not_before": not_before,
            },
        )

    def open_pages(self) -> Mapping[str, str]:
        """Return dedup keys triggered on PagerDuty and not resolved there, with the incident ("" for the engine's own)."""
        return dict(self._file.read("open_pages"))

    def sent_since(self, channel: str, since: float) -> int:
        """Return how many messages a channel took since then."""
        row = self._file.read_one("sent_since", {"channel": channel, "since": since})
        return int(row[0]) if row else 0

    def told(self, since: float) -> Sequence[tuple[float, str, str]]:
        """Return when (Unix seconds) what reached people since then (steady), on which channel, how severe; oldest first."""
        return self._file.read_as(lambda row: (float(row[0]), str(row[1]), str(row[2])), "told_since", {"since": since})

    def _note_page(self, message: Message) -> None:
        if message.kind is MessageKind.RESOLVED:
            self._file.write("close_page", {"dedup_key": message.dedup_key})
        elif message.kind in _TRIGGERS:
            self._file.write("open_page", {"dedup_key": message.dedup_key, "incident": message.incident or ""})


def _brake_of(row: Sequence[Any]) -> Brake:
    kind, scope, reason, by, since, wall, until = row
    return Brake(kind, scope, reason, by, instant_of(since, wall), until)


def _usage_of(row: Sequence[Any]) -> Usage:
    agent, kind, at, wall, wall_seconds, cpu_seconds, resident, checks = row
    return Usage(agent, kind, instant_of(at, wall), wall_seconds, cpu_seconds, resident, checks)


def _breaker_of(row: Sequence[object]) -> BreakerRow:
    name, state, failures, successes, opened_at, failed_at = row
    return BreakerRow(
        str(name),
        str(state),
        int(str(failures)),
        int(str(successes)),
        None if opened_at is None else float(str(opened_at)),
        tuple(json.loads(str(failed_at))),
    )
