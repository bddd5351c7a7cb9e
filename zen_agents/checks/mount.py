"""Whether a file system is mounted and can be written to."""

from __future__ import annotations

from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_resources import Mount


class MountCheck(Check):
    """Observes `mount.NAME` (judged): it is there, and nobody has made it read-only."""

    kind = "mount"
    summary = "Is this file system mounted, and can it be written to?"

    def __init__(self, label: str, *, path: str, every_seconds: float) -> None:
        super().__init__(name=f"mount.{label}", target=f"mount:{label}", every_seconds=every_seconds)
        self._path = path

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read the table of mounts; only of what is read-only the kernel is asked what it met there."""
        mounts = host.mounts()
        mount = next((mount for mount in mounts if mount.path == self._path), None)
        if not mounts:
            # A host has at least a root: who sees none sees nothing.
            return self.unknown(now, "the table of mounts is empty")
        if mount is None:
            return (self._judged(now, Status.PROBLEM, f"nothing is mounted at {self._path}"),)
        if not mount.read_only:
            return (self._judged(now, Status.OK, f"{self._path} ({mount.source}) can be written to"),)
        said = f"{self._path} ({mount.source}, {mount.kind}) is read-only; {self._why(mount, host)}"
        return (self._judged(now, Status.PROBLEM, said),)

    def _judged(self, now: Instant, status: Status, said: str) -> Observation:
        return Observation(self.name, self.target, status, now, None, said)

    @staticmethod
    def _why(mount: Mount, host: HostView) -> str:
        try:
            errors = host.file_system_errors(mount)
        except HostError as error:
            return f"whether the kernel met errors is not known: {error}"
        if errors:
            return f"the kernel met errors, so its structure may be damaged: {'; '.join(errors[:3])}"
        return "the kernel's log shows no errors of it"
