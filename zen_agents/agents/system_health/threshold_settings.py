"""Settings of `agents.system_health.thresholds`: when a measured number counts as too much."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import AbsolutePath, ActionReference, Duration, Line, PositiveDuration, Threshold
from zen_agents.model.section import Section, part
from zen_agents.model.severity import Severity

#: An ordered ladder: the first action that guards allow is taken, the next only after it did not help.
Ladder = Annotated[
    tuple[ActionReference, ...],
    Field(description="actions to take, in order: the next one only if the one before did not help; empty: people are told"),
]


def check_order(breach: Breach, limit: float, *, at: str = "", see: str = "above") -> None:
    """Refuse a `clear` that can never be reached, and a `critical` that is reached before the threshold itself.

    `at` is the path of the breach below what is being validated, with a dot at its end; `see` the path of the limit.
    """
    if breach.clear is not None and breach.clear >= limit:
        message = f"is {breach.clear:g}, not below the threshold {limit:g}, so the alert could never clear"
        raise refuse("clear", message, at=f"{at}clear", see=see)
    if breach.critical is not None and breach.critical <= limit:
        message = f"is {breach.critical:g}, not above the threshold {limit:g}, so it would always be critical"
        raise refuse("critical", message, at=f"{at}critical", see=see)


class Breach(Section):
    """What is common to all thresholds in percent."""

    clear: Threshold | None = Field(
        None, description="percent below which it is over again (empty: the threshold less 5), so that it does not flutter"
    )
    critical: Threshold | None = Field(None, description="percent from which the severity is critical (empty: never)")
    on_breach: Ladder = ()
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class CpuThreshold(Breach):
    """How long the CPU must be above `cpu_threshold`."""

    held_for: Duration = Field(
        timedelta(minutes=5),
        alias="for",
        description="every sample of this long must be above it (at least 80 % of the expected ones present)",
    )


class MemoryThreshold(Breach):
    """How long used memory (total less available) must be above `memory_threshold`."""

    held_for: Duration = Field(
        timedelta(minutes=3),
        alias="for",
        description="every sample of this long must be above it (at least 80 % of the expected ones present)",
    )


class SwapThreshold(Breach):
    """When used swap space is too much."""

    above: Threshold = Field(90.0, description="percent of swap space in use")
    held_for: Duration = Field(timedelta(minutes=10), alias="for", description="how long every sample must be above it")

    @model_validator(mode="after")
    def _ordered(self) -> SwapThreshold:
        check_order(self, self.above)
        return self


class DiskThreshold(Breach):
    """When one file system is too full."""

    path: AbsolutePath = Field(description="mount point, or a directory on the file system")
    above: Threshold = Field(90.0, description="percent of the space that ordinary users may use")
    held_for: Duration = Field(timedelta(minutes=10), alias="for", description="how long every sample must be above it")
    inodes: bool = Field(False, description="true: the same limit for inodes; a disk without free inodes is full as well")

    @model_validator(mode="after")
    def _ordered(self) -> DiskThreshold:
        check_order(self, self.above)
        return self


class LoadThreshold(Section):
    """When the load average says that too many processes wait."""

    per_cpu: Annotated[float, Field(gt=0, le=1000)] = Field(
        4.0, description="waiting processes per usable CPU (load5 divided by cpus); a number, no unit"
    )
    held_for: Duration = Field(timedelta(minutes=10), alias="for", description="how long every sample must be above it")
    on_breach: Ladder = ()
    severity: Severity = Field(Severity.INFO, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class PressureThreshold(Section):
    """How long tasks may stall for want of a resource: percent of the last 60 seconds, as the kernel counts it."""

    cpu: Threshold | None = Field(None, description="percent of time in which some task waits for a CPU (empty: not judged)")
    memory: Threshold | None = Field(20.0, description="percent of time in which all tasks wait for memory")
    io: Threshold | None = Field(None, description="percent of time in which all tasks wait for disks (empty: not judged)")
    held_for: Duration = Field(timedelta(minutes=5), alias="for", description="how long every sample must be above it")
    on_breach: Ladder = ()
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")


class Thresholds(Section):
    """When what is measured on the whole host counts as a problem."""

    cpu: CpuThreshold = part("with `cpu_threshold`, the CPU of the host")
    memory: MemoryThreshold = part("with `memory_threshold`, the memory of the host or container")
    disk: tuple[DiskThreshold, ...] = Field(
        (), description="one entry per file system; those not listed count as full above 90 % for 10 minutes"
    )
    swap: SwapThreshold = part("swap space; a host without it is never above")
    load: LoadThreshold = part("load average, a hint only")
    pressure: PressureThreshold = part("stalls; kernels without pressure stall information do not tell")
    disk_every: PositiveDuration = Field(
        timedelta(minutes=1), description="how often disks are looked at; they fill slower than CPUs change"
    )

    @model_validator(mode="after")
    def _one_entry_each(self) -> Thresholds:
        paths = [entry.path for entry in self.disk]
        for index, path in enumerate(paths):
            if path in paths[:index]:
                raise refuse("twice", f"is `{path}` a second time; which of the two counts?", at=f"disk.{index}.path")
        return self
