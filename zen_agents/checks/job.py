"""Whether the runs of a job come to an end, and whether somebody who is gone still holds its lock."""

from __future__ import annotations

import os
from collections.abc import Sequence

from zen_agents.checks.base import Check
from zen_agents.checks.measured import measured
from zen_agents.clock import ForwardSteps, Instant
from zen_agents.errors import RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.duration import duration
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host import HostView
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_runs import Runs
from zen_agents.ports.pid_file import stale_pid_file

_TICKS = os.sysconf("SC_CLK_TCK")


class JobCheck(Check):
    """Observes `job.NAME` (judged), `job.NAME.running` (runs under way) and, with a lock, `job.NAME.lock` (judged).

    The oldest run is stuck once it has been the oldest for `max_age`: a run that has only waited for the one before it has
    not had its time yet.
    """

    kind = "job"
    summary = "Do the runs of this job come to an end?"

    def __init__(
        self, label: str, runs: Runs, *, max_age_seconds: float, lock: str = "", every_seconds: float
    ) -> None:  # fmt: skip
        super().__init__(name=f"job.{label}", target=f"job:{label}", every_seconds=every_seconds)
        self._runs, self._max_age, self._lock = runs, max_age_seconds, lock
        #: The oldest run of the last look, and since when it is the oldest (steady seconds).
        self._oldest, self._since = "", 0.0
        self._steps: ForwardSteps | None = None

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name, f"{self.name}.running", *([f"{self.name}.lock"] if self._lock else []))

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Look for its runs in the process table."""
        runs = self._runs.of(host)
        running = measured(self, f"{self.name}.running", now, len(runs), f"{len(runs)} runs are under way")
        return (self._judged(runs, host, now), running, *([self._lock_state(host, now)] if self._lock else []))

    def _judged(self, runs: Sequence[Process], host: HostView, now: Instant) -> Observation:
        if not runs:
            self._oldest = ""
            return Observation(self.name, self.target, Status.OK, now, None, "no run is under way")
        oldest = runs[0]
        age = max(0.0, host.boot_seconds() - oldest.start_time / _TICKS)
        if oldest.fingerprint != self._oldest:
            # Where nobody saw who was before it, its age is all that there is to go by.
            self._since = now.steady if self._oldest else now.steady - age
            self._oldest = oldest.fingerprint
        is_stuck = min(age, now.steady - self._since) > self._max_age
        waiting = f", and {len(runs) - 1} more came since" if len(runs) > 1 else ""
        said = f"process {oldest.pid} ({oldest.name}) runs for {duration(age)}{waiting}"
        status = Status.PROBLEM if is_stuck else Status.OK
        return Observation(self.name, self.target, status, now, None, said, oldest.fingerprint)

    def _lock_state(self, host: HostView, now: Instant) -> Observation:
        name, executable = f"{self.name}.lock", self._runs.executable
        self._steps = self._steps or ForwardSteps(now)
        try:
            _, why = stale_pid_file(self._lock, executable, host, now=now, steps=self._steps)
        except StalePlanError:
            return Observation(name, self.target, Status.OK, now, None, f"{self._lock} is not there")
        except (RefusedError, UnsafePathError) as error:
            return Observation(name, self.target, Status.OK, now, None, str(error))
        return Observation(name, self.target, Status.PROBLEM, now, None, f"{self._lock} is left over: {why}")
