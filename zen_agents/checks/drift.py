"""Whether a file still is what was declared, byte for byte; a recent deployment has the right to differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.drift.declared import declared_content, held_content, sha256
from zen_agents.drift.deployments import Changed, Deployer, respected
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState


class DriftCheck(Check):
    """Observes `drift.NAME` (judged)."""

    __slots__ = ("_declared", "_deployers", "_digest", "_looked_at", "_path", "_read_by_systemd", "_since", "_unit")

    kind = "drift"
    summary = "Is this file what was declared, but for what was deployed a moment ago?"

    def __init__(
        self, label: str, *, path: str, declared: str, unit: str, deployers: Sequence[Deployer], every_seconds: float
    ) -> None:
        super().__init__(
            name=f"drift.{label}", target=f"baseline:{label}", every_seconds=every_seconds, timeout_seconds=10.0
        )
        self._path, self._declared, self._unit, self._deployers = path, declared, unit, deployers
        #: What was there at the last look, when that was, and the last look before it was there (steady seconds).
        self._digest = ""
        self._looked_at = self._since = math.inf
        #: The file that systemd is known to have read.
        self._read_by_systemd = ""

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare the contents; what cannot be told raises."""
        wanted = sha256(declared_content(self._declared, host))
        state = host.file(self._path)
        if state is None:
            return (self._problem(now, f"{self._path} is missing", {"wrong": "missing"}, f"missing:{wanted}"),)
        if state.kind != "file":
            said = f"{self._path} is a {state.kind}, not a file"
            return (self._problem(now, said, {"wrong": "kind"}, state.fingerprint),)
        found = self._found(state, host, now)
        if found == wanted:
            return (self._as_declared(state, host, now),)
        return (self._differs(state, found, wanted, host, now),)

    def watches(self) -> Sequence[Watch]:
        """Return the file and what was declared, so that a change of either wakes the engine."""
        return (Watch("path", self._path), Watch("path", self._declared))

    def _found(self, state: FileState, host: HostView, now: Instant) -> str:
        found = sha256(held_content(state, host))
        if found != self._digest:
            self._digest, self._since = found, self._looked_at
        self._looked_at = now.steady
        return found

    def _as_declared(self, state: FileState, host: HostView, now: Instant) -> Observation:
        if self._unit and self._read_by_systemd != state.fingerprint:
            pending = host.unit_file_pending(self._unit)
            if not isinstance(pending, bool):
                raise HostError(f"whether systemd has read the files of {self._unit} cannot be told")
            if pending:
                said = f"{self._path} is as declared, but systemd has not read it yet"
                return self._problem(now, said, {"wrong": "unread"}, f"unread:{state.fingerprint}")
            self._read_by_systemd = state.fingerprint
        return Observation(self.name, self.target, Status.OK, now, None, "as declared", state.fingerprint)

    def _differs(self, state: FileState, found: str, wanted: str, host: HostView, now: Instant) -> Observation:
        seen = now.steady - self._since if math.isfinite(self._since) else math.inf
        who = respected(self._deployers, Changed(self._path, found, state, seen), host, now)
        fingerprint, facts = f"{state.fingerprint}+{wanted}", {"wrong": "content", "sha256": found, "declared": wanted}
        if who:
            said = f"differs from what was declared, {who}; respected for now"
            return Observation(self.name, self.target, Status.OK, now, None, said, fingerprint, facts)
        return self._problem(now, f"{self._path} is not what {self._declared} says", facts, fingerprint)

    def _problem(self, now: Instant, said: str, facts: Mapping[str, str], fingerprint: str) -> Observation:
        return Observation(self.name, self.target, Status.PROBLEM, now, None, said, fingerprint, facts)
