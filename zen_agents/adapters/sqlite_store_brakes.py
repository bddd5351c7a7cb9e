"""What holds the engine and what people allow it: brakes, breakers, the states of agents, approvals."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.adapters.sqlite_store_file import StateFile
from zen_agents.adapters.sqlite_store_rows import approval_columns, approval_of, instant_of
from zen_agents.clock import Instant
from zen_agents.model.agent import AgentState
from zen_agents.model.approval import Approval
from zen_agents.ports.store import Brake, BreakerRow
from zen_agents.store.ledger import canonical, clean_text


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


def _brake_of(row: Sequence[Any]) -> Brake:
    kind, scope, reason, by, since, wall, until = row
    return Brake(kind, scope, reason, by, instant_of(since, wall), until)


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
