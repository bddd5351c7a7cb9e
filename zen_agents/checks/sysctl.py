"""Whether a kernel setting is what was declared; a recent deployment has the right to differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.drift.declared import sha256
from zen_agents.drift.deployments import Changed, Deployer, respected
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView


class SysctlCheck(Check):
    """Observes `sysctl.NAME` (judged)."""

    __slots__ = ("_deployers", "_found", "_looked_at", "_path", "_setting", "_since", "_value")

    kind = "sysctl"
    summary = "Is this kernel setting what was declared, but for what was deployed a moment ago?"

    def __init__(
        self, label: str, *, setting: str, path: str, value: str, deployers: Sequence[Deployer], every_seconds: float
    ) -> None:
        super().__init__(name=f"sysctl.{label}", target=f"sysctl:{label}", every_seconds=every_seconds)
        self._setting, self._path, self._value, self._deployers = setting, path, value, deployers
        #: What it was at the last look, when that was, and the last look before it was that (steady seconds).
        self._found = ""
        self._looked_at = self._since = math.inf

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare what the kernel says; a kernel without this setting raises."""
        found = host.kernel_setting(self._setting)
        if not isinstance(found, str) or not found:
            raise HostError(f"this kernel has no setting {self._setting}, or does not say what it is")
        if found != self._found:
            self._found, self._since = found, self._looked_at
        self._looked_at = now.steady
        if found == self._value:
            return (Observation(self.name, self.target, Status.OK, now, None, f"{found}, as declared", found),)
        seen = now.steady - self._since if math.isfinite(self._since) else math.inf
        # As `sha256sum < /proc/sys/...` has it.
        who = respected(self._deployers, Changed(self._path, sha256(f"{found}\n".encode()), None, seen), host, now)
        facts = {"found": found, "declared": self._value}
        if who:
            said = f"{found}, not the declared {self._value}, {who}; respected for now"
            return (Observation(self.name, self.target, Status.OK, now, None, said, found, facts),)
        said = f"{self._setting} is {found}, not {self._value} as declared"
        return (Observation(self.name, self.target, Status.PROBLEM, now, None, said, found, facts),)
