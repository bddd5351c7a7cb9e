"""Whether the configuration of a service passes the service's own test; it is kept once the service was well with it.

What is kept is the last good version, for `restore_last_good`. It is never taken of a service that was not seen well,
without a break, for the whole time after it had read these very files.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence

from zen_agents.checks.base import Probe
from zen_agents.checks.process import Finder
from zen_agents.clock import Anchor, BackSteps, ForwardSteps, Instant
from zen_agents.drift.declared import held_content, sha256
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_files import FileState

_TICKS = os.sysconf("SC_CLK_TCK")
_ENDED = frozenset("ZXx")
#: Room for the processes of the tests themselves (seconds).
_SLACK = 6.0


class ConfigCheck(Probe):
    """Observes `config.NAME` (judged)."""

    __slots__ = (
        "_back", "_find", "_forward", "_good_after", "_kept", "_key", "_probe", "_result", "_service", "_tests", "_unit",
        "_well",
    )  # fmt: skip

    kind = "config"
    summary = "Does the configuration of this service pass the service's own test?"

    def __init__(
        self, service: str, *, tests: Mapping[str, Command], find: Finder, unit: str, probe: Probe | None,
        good_after_seconds: float, every_seconds: float,
    ) -> None:  # fmt: skip
        within = sum(command.timeout_seconds + _SLACK for command in tests.values())
        within += probe.timeout_seconds if probe is not None else 0.0
        super().__init__(
            name=f"config.{service}", target=f"service:{service}", every_seconds=every_seconds, timeout_seconds=within
        )
        #: Path of each file -> the command that tests it.
        self._tests, self._find, self._unit, self._probe = tests, find, unit, probe
        self._service, self._good_after = service, good_after_seconds
        #: Which files were tested last, with what result ("" if they passed), and which were kept.
        self._key = self._result = self._kept = ""
        #: What has been well, and since when (steady seconds).
        self._well = ("", 0.0)
        #: How the clock was set since the first look.
        self._forward: ForwardSteps | None = None
        self._back: BackSteps | None = None

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def watches(self) -> Sequence[Watch]:
        """Return the files, so that a change of one wakes the engine."""
        return tuple(Watch("path", path) for path in self._tests)

    async def probe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Test the files if one has changed, and keep them if they have been good for long enough."""
        self._forward, self._back = self._forward or ForwardSteps(now), self._back or BackSteps(_anchor(now))
        self._back.note(_anchor(now))
        states = await asyncio.to_thread(self._tested, host)
        if self._result:
            self._well = ("", now.steady)
            return (self._observation(now, Status.PROBLEM, self._result),)
        running = await asyncio.to_thread(self._running_with, states, host, now)
        answers = self._probe is None or all(each.status is Status.OK for each in await self._probe.probe(host, now))
        said = await self._keep(f"{running}:{self._key}" if running and answers else "", host, now)
        return (self._observation(now, Status.OK, f"passes its own test; {said}"),)

    def _tested(self, host: HostView) -> Sequence[FileState]:
        """Look at the files, and test them if they are others than the last time."""
        states = {path: host.file(path) for path in self._tests}
        key = "+".join(state.fingerprint if state is not None else "missing" for state in states.values())
        if key != self._key:
            self._result, self._key = self._test(states, host), key
        return [state for state in states.values() if state is not None]

    def _test(self, states: Mapping[str, FileState | None], host: HostView) -> str:
        for path, command in self._tests.items():
            if states[path] is None:
                return f"{path} is missing"
            result = host.test_configuration(command)
            if result.timed_out:
                raise HostError(f"the test of {path} did not end within {command.timeout_seconds:g} s")
            if result.exit_code != 0:
                return f"{path} does not pass {command.argv[0]} ({result.exit_code}): {result.output.strip()[-300:]}"
        return ""

    def _running_with(self, states: Sequence[FileState], host: HostView, now: Instant) -> str:
        """Return which run of the service has read these files, "" if none is known to."""
        process = self._find(host)
        if process is None or process.state in _ENDED:
            return ""
        loaded = process.start_time / _TICKS
        unit = host.unit(self._unit) if self._unit else None
        if self._unit:
            if unit is None or unit.active_state != "active":
                return ""
            # A reload is a change of the unit's state as well.
            loaded = max(loaded, unit.changed_us / 1e6)
        changed = max((state.changed for state in states), default=0.0)
        loaded_for = host.boot_seconds() - loaded
        # By so much a change looks older than it is.
        ahead = self._forward.within(loaded_for, now) if self._forward is not None else 0.0
        age = self._back.age(changed) if self._back is not None else -1.0
        read = loaded_for < age - ahead
        return f"{process.fingerprint}:{loaded:g}" if read else ""

    async def _keep(self, well: str, host: HostView, now: Instant) -> str:
        """Keep what has been well for long enough; return in words how far that is."""
        if not well or well != self._well[0]:
            self._well = (well, now.steady)
        if not well:
            return "not known to be good, because the service is not well or has not read it"
        since = now.steady - self._well[1]
        if self._kept != self._key:
            if since < self._good_after:
                return f"good for {since:.0f} s, to be kept after {self._good_after:.0f} s"
            await asyncio.to_thread(self._keep_files, host, now)
            self._kept = self._key
        return "kept as the last good version"

    def _keep_files(self, host: HostView, now: Instant) -> None:
        states = {path: host.file(path) for path in self._tests}
        if missing := [path for path, state in states.items() if state is None]:
            raise HostError(f"{', '.join(missing)} went away before it was kept")
        contents = {path: held_content(state, host) for path, state in states.items() if state is not None}
        known = {version.path: version.sha256 for version in host.last_good(self._service)}
        if known != {path: sha256(content) for path, content in contents.items()}:
            host.keep_last_good(self._service, contents, now.wall.isoformat(timespec="seconds"))

    def _observation(self, now: Instant, status: Status, said: str) -> Observation:
        return Observation(self.name, self.target, status, now, None, said, self._key)


def _anchor(now: Instant) -> Anchor:
    return Anchor("", now.steady, now.wall.timestamp(), now.steady)
