"""Which checks the settings of system_health ask for, and which observations they make.

The host itself is always looked at: CPU, load, memory, stalls, each real disk, the clock and the engine. Everything else is
looked at because the configuration lists it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from zen_agents.agents.base import AgentContext
from zen_agents.agents.system_health.remedies import account_of
from zen_agents.agents.system_health.service_settings import Service, ServiceProbe
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.agents.system_health.threshold_settings import DiskThreshold
from zen_agents.checks.base import Check
from zen_agents.checks.cache import CacheCheck
from zen_agents.checks.clock_step import ClockCheck
from zen_agents.checks.cpu import CpuCheck
from zen_agents.checks.disk import DiskCheck
from zen_agents.checks.engine_health import EngineCheck
from zen_agents.checks.load import LoadCheck
from zen_agents.checks.log import DeletedLogCheck, LogCheck
from zen_agents.checks.memory import MemoryCheck
from zen_agents.checks.network_probe import HttpProbe, TcpProbe
from zen_agents.checks.path import PathCheck
from zen_agents.checks.pressure import PressureCheck
from zen_agents.checks.process import METRICS, ByPidfile, ByRecord, ByUnit, Finder, ProcessCheck
from zen_agents.checks.temp_dir import TempDirCheck
from zen_agents.checks.unit import UnitCheck
from zen_agents.model.duration import seconds_in
from zen_agents.ports.host import Mount

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
    return (*_of_host(settings, context), *_of_services(settings), *_of_files(settings))


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


def _of_services(settings: SystemHealthSettings) -> Iterable[Check]:
    texts = " ".join(text for rule in settings.rules.values() for text in (rule.when, rule.clear or ""))
    for name, service in settings.services.items():
        every = seconds_in(service.every)
        metrics = [metric for metric in METRICS if f"process.{name}.{metric}" in texts]
        if service.unit is not None:
            yield UnitCheck(name, service.unit, every_seconds=every)
        if service.unit is None or metrics:
            yield ProcessCheck(name, _finder(name, service), every_seconds=every, metrics=metrics)
        if service.check is not None:
            yield _probe(name, service.check, every)


def _finder(name: str, service: Service) -> Finder:
    if service.unit is not None:
        return ByUnit(service.unit)
    if service.pidfile is not None:
        user = account_of(service.command) if service.command is not None else ""
        return ByPidfile(service.pidfile, user=user, executable=service.executable or "")
    return ByRecord(name)


def _probe(name: str, probe: ServiceProbe, every: float) -> Check:
    within = seconds_in(probe.timeout)
    if probe.request is not None:
        return HttpProbe(name, probe.request, every_seconds=every, answer_within_seconds=within)
    host, _, port = (probe.tcp or "").rpartition(":")
    return TcpProbe(name, host_name=host.strip("[]"), port=int(port), every_seconds=every, answer_within_seconds=within)


def _of_files(settings: SystemHealthSettings) -> Iterable[Check]:
    for name, watched in settings.paths.items():
        yield PathCheck(
            name,
            path=watched.path,
            expected_kind=watched.kind,
            mode=_bits(watched.mode),
            owner=watched.owner,
            group=watched.group,
            every_seconds=seconds_in(watched.every),
        )
    for name, directory in settings.temp_dirs.items():
        older, every = seconds_in(directory.older_than), seconds_in(directory.every)
        yield TempDirCheck(name, path=directory.path, older_than_seconds=older, every_seconds=every)
    for name, log in settings.logs.items():
        every = seconds_in(log.every)
        yield LogCheck(name, pattern=log.path, every_seconds=every)
        yield DeletedLogCheck(name, pattern=log.path, every_seconds=DeletedLogCheck.rhythm(every))
    for name, cache in settings.caches.items():
        yield CacheCheck(name, path=cache.path, enough_bytes=cache.above, every_seconds=seconds_in(cache.every))


@lru_cache(maxsize=256)
def _bits(mode: str) -> int:
    """Return a file mode as a number; the same object for the same mode."""
    return int(mode, 8)


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
