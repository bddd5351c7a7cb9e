"""systemd's own `Restart=`, by a drop-in for each unit."""

from __future__ import annotations

from collections.abc import Sequence

from chaos.engines.base import AS_ALWAYS, Contender, Cost, Launch, Performed, Timeline
from chaos.scenario import Expectation, Scenario
from chaos.workload import unit_property


class Systemd(Contender):
    """Pid 1 itself, so it costs nothing more."""

    name = "systemd"

    @classmethod
    def why_not(cls, scenario: Scenario) -> str:
        return scenario.systemd.why_not

    def start(self, launch: Launch = AS_ALWAYS) -> None:  # noqa: ARG002 - it takes no variants
        for unit, text in self.scenario.systemd.drop_ins.items():
            self.host.write_file(f"/etc/systemd/system/{unit}.d/restart.conf", text)
        self.host.run(["systemctl", "daemon-reload"], check=True)
        if self.scenario.systemd.counts_from_start:
            self.host.run(["systemctl", "restart", *self.scenario.systemd.drop_ins], check=True)

    def stop(self) -> None:
        pass

    def timeline(self) -> Timeline:
        return Timeline()

    def actions(self) -> Sequence[Performed]:
        units = self.scenario.systemd.drop_ins
        return tuple(
            Performed("restart", unit)
            for unit in units
            for _ in range(int(unit_property(self.host, unit, "NRestarts") or 0))
        )

    def fewest_actions(self, expected: Expectation) -> int:  # noqa: ARG002 - whatever it is
        # What it limits from the start, it need not act on.
        return 0

    def cost(self) -> Cost:
        return Cost()
