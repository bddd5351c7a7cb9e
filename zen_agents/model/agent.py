"""The life of an agent."""

from __future__ import annotations

from enum import StrEnum


class AgentState(StrEnum):
    """created -> deploying -> running <-> paused -> stopped; failed from deploying or running; revoked is terminal."""

    CREATED = "created"
    DEPLOYING = "deploying"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    FAILED = "failed"
    REVOKED = "revoked"

    def may_become(self, state: AgentState) -> bool:
        """Tell whether the life cycle allows this step."""
        return state in _NEXT[self]


_NEXT: dict[AgentState, frozenset[AgentState]] = {
    AgentState.CREATED: frozenset({AgentState.DEPLOYING, AgentState.REVOKED}),
    AgentState.DEPLOYING: frozenset({AgentState.RUNNING, AgentState.FAILED, AgentState.STOPPED, AgentState.REVOKED}),
    AgentState.RUNNING: frozenset({AgentState.PAUSED, AgentState.STOPPED, AgentState.FAILED, AgentState.REVOKED}),
    AgentState.PAUSED: frozenset({AgentState.RUNNING, AgentState.STOPPED, AgentState.REVOKED}),
    AgentState.STOPPED: frozenset({AgentState.DEPLOYING, AgentState.REVOKED}),
    AgentState.FAILED: frozenset({AgentState.DEPLOYING, AgentState.STOPPED, AgentState.REVOKED}),
    AgentState.REVOKED: frozenset(),
}
