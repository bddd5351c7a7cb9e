"""A service that says the same thing as fast as it can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import REPOSITORY, DisposableHost
from chaos.waiting import pause, wait_until
from chaos.workload import interpreter, start_unit, told_to_begin, unit_property

_CHATTER = REPOSITORY / "chaos" / "inside" / "chatter.py"
_MARKER = "a word from another unit"


@dataclass(frozen=True, slots=True)
class LogFlood(Fault):
    """One unit fills the journal with tens of MiB a second, and what other units say is pushed out of it."""

    name = "log_flood"

    unit: str = "noisy"
    #: Of the unit in a second; more is a flood.
    lines: int = 1000

    def prepare(self, host: DisposableHost) -> None:
        # Whoever has lost lines once switches journald's own limit off.
        host.write_file("/etc/systemd/journald.conf.d/chaos.conf", "[Journal]\nRateLimitIntervalSec=0\n")
        host.run(["systemctl", "restart", "systemd-journald"], check=True)
        start_unit(host, self.unit, [*interpreter(), str(_CHATTER)], "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        at = told_to_begin(host, self.unit)
        # Where journald had been told of a limit before, nothing but its own word of it is seen of the flood.
        wait_until(lambda: self._said(host) >= self.lines or self._is_held_down(host), "the flood", seconds=30)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        if unit_property(host, self.unit, "ActiveState") != "active" or self._said(host) >= self.lines:
            return False
        host.run(["systemd-cat", "--identifier=neighbour", "echo", _MARKER], check=True)
        pause(0.05)
        return _MARKER in host.run(["journalctl", "--identifier=neighbour", "--lines=1", "--output=cat"]).stdout

    def harm(self, host: DisposableHost) -> Sequence[str]:
        running = unit_property(host, "systemd-journald", "ActiveState") == "active"
        return [] if running else ["the journal was ended: nobody is heard any more"]

    def _is_held_down(self, host: DisposableHost) -> bool:
        said = ["--identifier=systemd-journald", f"--grep=^Suppressed .* from {self.unit}"]
        return bool(host.run(["journalctl", "--quiet", "--output=cat", *said]).stdout)

    def _said(self, host: DisposableHost) -> int:
        """Return how many lines the unit said within the last second, at most `lines`."""
        unit = [f"--unit={self.unit}", "--since=1 second ago", f"--lines={self.lines}"]
        return len(host.run(["journalctl", "--quiet", "--output=cat", *unit]).stdout.splitlines())
