"""A service as its Debian package brings it, that is killed, hangs, or cannot read its configuration any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.waiting import wait_until
from chaos.workload import accepts, answers, is_stopped, struck, unit_property

_STARTED_WITHIN_SECONDS = 30.0
_STRUCK_WITHIN_SECONDS = 10.0
_KILL, _STOP = ("--kill-who=main", "--signal=KILL"), ("--kill-who=all", "--signal=STOP")


@dataclass(frozen=True, slots=True)
class PackagedService(Fault):
    """What happens to a service that everybody runs.

    `killed`: its main process, by KILL; `given_up`: that, until systemd starts it no more; `hung`: all of it, by STOP, so
    that its port or unix socket accepts in silence.
    """

    name = "packaged_service"

    unit: str = "nginx.service"
    #: The program that its package brings.
    needs: str = "nginx"
    how: Literal["killed", "given_up", "hung"] = "killed"
    #: What it listens on, 0 for nothing, and what it is asked there, each character one byte.
    port: int = 0
    ask: str = ""
    #: A command that comes to a good end while it is well, and within a second; for what listens on no port.
    asked_by: tuple[str, ...] = ()
    #: Run before it starts: what a host does once that has installed it.
    first: tuple[tuple[str, ...], ...] = ()
    #: A file that is broken before it is struck, and what stands in it then.
    breaks: str = ""
    broken: str = ""

    def takes(self) -> Sequence[str]:
        return (self.needs,)

    def prepare(self, host: DisposableHost) -> None:
        for command in self.first:
            host.run(command, check=True)
        # Some machines install and do not enable; what is not enabled was turned off by a person.
        host.run(["systemctl", "enable", "--now", self.unit], check=True, timeout=_STARTED_WITHIN_SECONDS)
        wait_until(lambda: self._is_well(host), self.unit, seconds=_STARTED_WITHIN_SECONDS)
        if self.breaks:
            host.run(["mkdir", "-p", self.REMEMBERED], check=True)
            host.run(["cp", "--archive", self.breaks, self._good], check=True)

    def inject(self, host: DisposableHost) -> float:
        if self.breaks:
            host.write_file(self.breaks, self.broken)
        if self.how == "hung":
            before = self._main(host)
            at = self._struck(host, _STOP)
            # Whoever has restarted it by the first look repaired what was there.
            wait_until(
                lambda: not self._is_well(host) or self._main(host) != before,
                "that nobody answers",
                seconds=_STRUCK_WITHIN_SECONDS,
            )
            return at
        return self._given_up(host) if self.how == "given_up" else self._killed(host)

    def _given_up(self, host: DisposableHost) -> float:
        """Kill it each time that systemd has started it again; who starts it without counting that has repaired it."""
        restarts = self._restarts(host)
        at = self._killed(host)
        while self._state(host) == "active" and self._restarts(host) > restarts:
            restarts = self._restarts(host)
            at = self._killed(host)
        return at

    def _killed(self, host: DisposableHost) -> float:
        before = self._main(host)
        at = self._struck(host, _KILL)
        wait_until(lambda: self._main(host) != before, "the end of its process", seconds=_STRUCK_WITHIN_SECONDS)
        if self.how == "given_up":
            over = ("active", "failed")
            wait_until(lambda: self._state(host) in over, "what systemd does", seconds=_STRUCK_WITHIN_SECONDS)
        return at

    def _struck(self, host: DisposableHost, blow: Sequence[str]) -> float:
        return struck(host, ("run", "systemctl", "kill", *blow, self.unit))

    def _state(self, host: DisposableHost) -> str:
        return unit_property(host, self.unit, "ActiveState")

    def _restarts(self, host: DisposableHost) -> int:
        return int(unit_property(host, self.unit, "NRestarts"))

    def is_gone(self, host: DisposableHost) -> bool:
        return self._is_well(host)

    def traces(self) -> Sequence[str]:
        broken = (f"file {self.breaks}",) if self.breaks else ()
        return (f"unit {self.unit}", *((f"port tcp* {self.port}",) if self.port else ()), *broken)

    def _is_well(self, host: DisposableHost) -> bool:
        if self.asked_by:
            return host.run(["timeout", "1", *self.asked_by]).returncode == 0
        if not self.port:
            return self._state(host) == "active" and not is_stopped(host, self._main(host))
        return answers(host, self.port, self.ask) if self.ask else accepts(host, self.port)

    def _main(self, host: DisposableHost) -> str:
        return unit_property(host, self.unit, "MainPID")

    @property
    def _good(self) -> str:
        return f"{self.REMEMBERED}/good"
