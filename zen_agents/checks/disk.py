"""How full a file system is, in bytes and inodes, and when it will be full if it goes on like this.

Free is what an ordinary user may still use, as df counts it. The time to full is the slope over the recent looks; a disk
that does not fill says ten years, so that a rule below a limit never fires on it, and too few looks cannot tell.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured, share_percent, untold
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_resources import DiskUse, Mount

#: Looks over this long (seconds) make the slope, at least over `_LEAST_SPAN`, and at most `_MOST_LOOKS` are kept.
_SPAN = 3 * 3600.0
_LEAST_SPAN = 600.0
_MOST_LOOKS = 180
#: What a disk says that does not fill (hours): ten years.
NOT_FILLING_HOURS = 87_600.0


class DiskCheck(Check):
    """Observes `disk.percent`, `disk.inodes_percent`, `disk.free` (bytes) and `disk.hours_to_full` of one mount."""

    kind = "disk"
    summary = "How full is this file system, and when will it be full?"
    observes = ("disk.percent", "disk.inodes_percent", "disk.free", "disk.hours_to_full")

    def __init__(self, *, path: str, every_seconds: float) -> None:
        super().__init__(name=f"disk.{path}", target=f"disk:{path}", every_seconds=every_seconds)
        self._path = path
        #: (steady seconds, used bytes), oldest first.
        self._looks: deque[tuple[float, float]] = deque(maxlen=_MOST_LOOKS)
        self._total = 0

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Ask the file system; a mount that hangs is the sampler's to time out."""
        use, mount = host.disk_use(self._path), mount_of(self._path, host.mounts())
        if not use.total_bytes > 0:
            return self.unknown(now, f"{self._path} says that it has no room at all; is it a pseudo file system?")
        percent = share_percent(use.total_bytes - use.free_bytes, use.total_bytes)
        free = f"{size_in_words(use.free_bytes)} of {size_in_words(use.total_bytes)} free"
        facts = {"mount": mount.path, "kind": mount.kind, "read_only": "yes" if mount.read_only else "no"} if mount else {}
        return (
            measured(self, "disk.percent", now, percent, f"{self._path} is {percent:.0f} % full, {free}", facts=facts),
            self._inodes(use, now),
            measured(self, "disk.free", now, use.free_bytes, free, facts=facts),
            self._hours_to_full(use, now),
        )

    def _inodes(self, use: DiskUse, now: Instant) -> Observation:
        name = "disk.inodes_percent"
        if use.total_inodes == 0:
            # btrfs and vfat make inodes as they go: none can run out.
            return measured(self, name, now, 0.0, f"{self._path} has no fixed number of inodes")
        percent = share_percent(use.total_inodes - use.free_inodes, use.total_inodes)
        return measured(self, name, now, percent, f"{percent:.0f} % of the inodes of {self._path} are in use")

    def _hours_to_full(self, use: DiskUse, now: Instant) -> Observation:
        name, used = "disk.hours_to_full", float(use.total_bytes - use.free_bytes)
        if use.total_bytes != self._total:
            # Another file system is mounted there, or it was resized: what was before says nothing.
            self._looks.clear()
            self._total = use.total_bytes
        if self._looks and now.steady < self._looks[-1][0] + _SPAN / _MOST_LOOKS:
            return self._told(name, used, use.free_bytes, now)
        self._looks.append((now.steady, used))
        while self._looks[0][0] < now.steady - _SPAN:
            self._looks.popleft()
        return self._told(name, used, use.free_bytes, now)

    def _told(self, name: str, used: float, free: int, now: Instant) -> Observation:
        span = now.steady - self._looks[0][0]
        if span < _LEAST_SPAN:
            return untold(self, name, now, f"seen for {span:.0f} s only; a slope needs {_LEAST_SPAN:.0f} s")
        bytes_per_second = slope([*self._looks, (now.steady, used)])
        hours = free / bytes_per_second / 3600.0 if bytes_per_second > 0 else NOT_FILLING_HOURS
        hours = min(hours, NOT_FILLING_HOURS)
        words = f"full in {hours:.1f} hours at this rate" if hours < NOT_FILLING_HOURS else "not filling"
        return measured(self, name, now, hours, f"{self._path}: {words}")


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the least-squares slope of (x, y) points; 0 if all x are the same."""
    xs, ys = zip(*points, strict=True)
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    aside = [x - middle_x for x in xs]
    spread = sum([each * each for each in aside])
    return sum([each * (y - middle_y) for each, y in zip(aside, ys, strict=True)]) / spread if spread else 0.0


def mount_of(path: str, mounts: Sequence[Mount]) -> Mount | None:
    """Return the mount that holds a path, None if the table does not show it."""
    holding = [mount for mount in mounts if path == mount.path or path.startswith(mount.path.rstrip("/") + "/")]
    return max(holding, key=lambda mount: len(mount.path), default=None)
