"""Which processes hang in the kernel, where no signal reaches them.

A process that is busy with a disk is seen in that state as well, again and again; one that hangs gets no CPU time in
between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import Instant
from zen_agents.errors import HostError
from zen_agents.model.duration import duration
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process

_UNINTERRUPTIBLE = "D"
#: So many are named, with so much of their stack.
_MOST_NAMED, _MOST_FRAMES = 3, 6


class UninterruptibleCheck(Check):
    """Observes `uninterruptible` (judged) and `uninterruptible.count`: processes that hang for longer than they may."""

    kind = "uninterruptible"
    summary = "Does a process hang in the kernel?"
    observes = ("uninterruptible", "uninterruptible.count")

    def __init__(self, *, held_for_seconds: float, every_seconds: float) -> None:
        super().__init__(name="uninterruptible", target="host", every_seconds=every_seconds)
        self._held_for = held_for_seconds
        #: Process -> its CPU seconds, and since when it is seen to hang (steady seconds).
        self._hanging: dict[str, tuple[float, float]] = {}

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare with the last look who hangs since when."""
        table = host.processes()
        hanging = [
            process for process in table.values() if process.state == _UNINTERRUPTIBLE and not _is_thread(process, table)
        ]
        last, self._hanging = self._hanging, {}
        for process in hanging:
            cpu, since = last.get(process.fingerprint, (process.cpu_seconds, now.steady))
            same = cpu == process.cpu_seconds
            self._hanging[process.fingerprint] = process.cpu_seconds, since if same else now.steady
        stuck = [process for process in hanging if self._seconds(process, now) >= self._held_for]
        count = measured(self, "uninterruptible.count", now, len(stuck), f"{len(stuck)} processes hang in the kernel")
        if not stuck:
            return Observation("uninterruptible", self.target, Status.OK, now, None, "no process hangs in the kernel"), count
        stuck.sort(key=lambda process: (self._hanging[process.fingerprint][1], process.pid))
        named = "; ".join(self._named(process, host, now) for process in stuck[:_MOST_NAMED])
        more = f"; and {len(stuck) - _MOST_NAMED} more" if len(stuck) > _MOST_NAMED else ""
        said = f"{named}{more}. No signal reaches it: look at the disk or server that it waits for"
        facts = {"stack": " < ".join(_stack(stuck[0], host))}
        return Observation(
            "uninterruptible", self.target, Status.PROBLEM, now, None, said, stuck[0].fingerprint, facts
        ), count

    def _seconds(self, process: Process, now: Instant) -> float:
        return now.steady - self._hanging[process.fingerprint][1]

    def _named(self, process: Process, host: HostView, now: Instant) -> str:
        frames = _stack(process, host)
        where = f", in {' < '.join(frames[:_MOST_FRAMES])}" if frames else ""
        return f"process {process.pid} ({process.name}) hangs for {duration(self._seconds(process, now))}{where}"


def _is_thread(process: Process, table: Mapping[int, Process]) -> bool:
    """Tell a thread of the kernel itself, which may rest so, by its parent: reading its arguments might hang as well."""
    above = table.get(process.parent)
    return above is not None and (above.pid, above.name) == (2, "kthreadd")


def _stack(process: Process, host: HostView) -> Sequence[str]:
    try:
        return host.kernel_stack(process)
    except HostError:
        return ()
