"""Pressure stalls: how much of the last minute tasks lost to waiting for CPU, memory or disks.

A busy CPU may be fine and a full memory too; stalls say that somebody really waits. `some` means at least one task,
`full` means all of them at once. Kernels without pressure stall information cannot tell.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView

RESOURCES = ("cpu", "memory", "io")


class PressureCheck(Check):
    """Observes `pressure.RESOURCE.some60` and `.full60` for cpu, memory and io (percent of the last 60 seconds)."""

    kind = "pressure"
    summary = "How much time do tasks lose to waiting for CPU, memory and disks?"
    observes = tuple(f"pressure.{resource}.{which}60" for resource in RESOURCES for which in ("some", "full"))

    def __init__(self, *, every_seconds: float, wake_on: Collection[str] = ()) -> None:
        super().__init__(name="pressure", target="host", every_seconds=every_seconds)
        #: Resources whose stalls wake the engine before the next look.
        self._wake_on = tuple(sorted(set(RESOURCES) & set(wake_on)))
        self._watches: tuple[Watch, ...] = ()

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Read the averages of all three resources."""
        found = [observation for resource in RESOURCES for observation in self._resource(host, resource, now)]
        told = {observation.name.split(".")[1] for observation in found if observation.value is not None}
        self._watches = tuple(Watch("pressure", resource) for resource in self._wake_on if resource in told)
        return found

    def watches(self) -> Sequence[Watch]:
        """Return the triggers the kernel offers for the resources that are judged."""
        return self._watches

    def _resource(self, host: HostView, resource: str, now: Instant) -> Sequence[Observation]:
        some, full = f"pressure.{resource}.some60", f"pressure.{resource}.full60"
        pressure = host.pressure(resource)
        if pressure is None:
            why = "this kernel has no pressure stall information"
            return untold(self, some, now, why), untold(self, full, now, why)
        return (
            measured(self, some, now, _percent(pressure.some_60), f"{pressure.some_60:.0f} % stalled"),
            measured(self, full, now, _percent(pressure.full_60), f"{pressure.full_60:.0f} % stalled"),
        )


def _percent(value: float) -> float:
    return value if value <= 100.0 else float("nan")
