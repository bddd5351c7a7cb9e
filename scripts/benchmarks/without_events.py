"""The engine without any event source: every wake comes from its poll."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from unittest.mock import patch

from zen_agents.cli.main import main as run_command
from zen_agents.clock import Clock
from zen_agents.ports.events import EventSource, Wake, Watch
from zen_agents.ports.host import Host
from zen_agents.wiring.machine import Machine


class NoEvents:
    """Implements `ports.events.EventSource` for a kernel that tells nothing."""

    def open(self, wake: Callable[[Wake], None]) -> None:
        """Never wakes."""

    def watch(self, watches: Iterable[Watch]) -> None:
        """Watches nothing."""

    def tells_of(self, watch: Watch) -> bool:  # noqa: ARG002 - the port's signature
        """Tells of nothing."""
        return False

    @property
    def unwatched(self) -> Mapping[str, int]:
        """Has nothing that it could not watch."""
        return {}

    def close(self) -> None:
        """Has nothing to close."""


def _no_events(_machine: Machine, _host: Host, _clock: Clock) -> EventSource:
    """Stand for `Machine.events`; that it returns the port has the types checked when the port changes."""
    return NoEvents()


def main(arguments: Sequence[str]) -> int:
    """Run one command of the engine without events."""
    with patch.object(Machine, "events", _no_events):
        return run_command(arguments)
