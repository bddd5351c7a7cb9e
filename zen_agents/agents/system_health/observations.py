"""Which checks the settings of system_health ask for, and which observations they make.

The host itself is always looked at: CPU, load, memory, stalls, each real disk, the clock and the engine. Everything else is
looked at because the configuration lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.areas.listing import used
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.agents.system_health.threshold_settings import DiskThreshold
from zen_agents.checks.base import Check
from zen_agents.checks.clock_step import ClockCheck
from zen_agents.checks.cpu import CpuCheck
from zen_agents.checks.disk import DiskCheck
from zen_agents.checks.engine_health import EngineCheck
from zen_agents.checks.load import LoadCheck
from zen_agents.checks.memory import MemoryCheck
from zen_agents.checks.pressure import PressureCheck
from zen_agents.model.duration import seconds_in
from zen_agents.ports.host_resources import Mount

#: File systems on real disks. Network file systems are left out: they hang with their server, so they are watched if listed.
_REAL = frozenset(
    ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "reiserfs", "bcachefs", "vfat", "exfat", "ntfs", "ntfs3"]
)
_ROOT_DISK = "disk:/"
#: What container engines mount over single files.
_NOT_DISKS = frozenset({"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"})


def disks(settings: SystemHealthSettings, mounts: Sequence[Mount]) -> Sequence[DiskThreshold]:
    """Return what to watch: the listed disks, and each other real disk that is mounted when the agent is built.

    A disk that is mounted later is watched from the next start or reload on: a rule needs its target when it is made. Where
    nobody could look, it is the root alone.
    """
    listed = {entry.path for entry in settings.thresholds.disk}
    found = _real_mounts(mounts) if mounts else ["/"]
    others = [DiskThreshold(path=path, inodes=True) for path in found if path not in listed]
    return (*settings.thresholds.disk, *others)


def _real_mounts(mounts: Iterable[Mount]) -> Sequence[str]:
    """Return one path for each real disk: of several mounts of one device, the shortest."""
    by_device: dict[int, str] = {}
    for mount in mounts:
        # In a container the root is an overlay, and its room is what counts there.
        is_disk = mount.kind in _REAL or mount.path == "/"
        if is_disk and mount.path not in _NOT_DISKS:
            known = by_device.get(mount.device)
            if known is None or len(mount.path) < len(known):
                by_device[mount.device] = mount.path
    return sorted(by_device.values())


def build_checks(settings: SystemHealthSettings, context: AgentContext) -> Sequence[Check]:
    """Return all checks, each with its own rhythm."""
    areas = (area.checks(section, settings) for area, section in used(settings))
    return (*_of_host(settings, context), *chain.from_iterable(areas))


def _of_host(settings: SystemHealthSettings, context: AgentContext) -> Iterable[Check]:
    every, thresholds = seconds_in(settings.sample_interval), settings.thresholds
    yield CpuCheck(every_seconds=every)
    yield LoadCheck(every_seconds=every)
    yield MemoryCheck(every_seconds=every)
    judged = [name for name in ("cpu", "memory", "io") if getattr(thresholds.pressure, name) is not None]
    yield PressureCheck(every_seconds=every, wake_on=judged)
    for entry in disks(settings, context.mounts):
        yield DiskCheck(path=entry.path, every_seconds=seconds_in(thresholds.disk_every))
    yield ClockCheck(every_seconds=every)
    if context.vitals is not None:
        yield EngineCheck(every_seconds=every, vitals=context.vitals)


class ObservationNames:
    """The vocabulary of a person's own rules: what is observed, of which targets, and how often."""

    def __init__(self, checks: Iterable[Check]) -> None:
        self._targets: dict[str, dict[str, float]] = {}
        for check in checks:
            for name in check.observes:
                self._targets.setdefault(name, {})[check.target] = check.every_seconds

    @property
    def names(self) -> Sequence[str]:
        """All names, sorted."""
        return sorted(self._targets)

    @property
    def targets(self) -> frozenset[str]:
        """All targets that something is observed of, and the host."""
        return frozenset({"host"}.union(*self._targets.values()))

    def resolver(self, target: str) -> Callable[[str], str | None]:
        """Return a function from a name to its target, for a rule about `target`.

        A name that is observed of several targets means the rule's own, else the disk that holds the root: `disk.percent` of
        a rule about the host means the same however many disks are mounted. Of anything else it cannot be told which is
        meant, and the name counts as unknown.
        """

        def resolve(name: str) -> str | None:
            targets = self._targets.get(name, {})
            if target in targets:
                return target
            if _ROOT_DISK in targets:
                return _ROOT_DISK
            return next(iter(targets)) if len(targets) == 1 else None

        return resolve

    def every_seconds(self, name: str) -> float:
        """Return how often an observation is made; the slowest, where several targets have it."""
        return max(self._targets.get(name, {}).values(), default=15.0)
