"""A process that hangs in the kernel, where no signal reaches it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.processes import of_unit, state
from chaos.volume import image_of, make_volume
from chaos.waiting import wait_until
from chaos.workload import start_unit, struck, unit_property

_NAME = "chaos-hangs"


@dataclass(frozen=True, slots=True)
class Uninterruptible(Fault):
    """A disk below a service stops answering (`dmsetup suspend`): the process that writes to it is in state D."""

    name = "uninterruptible"

    unit: str = "writer"
    disk: str = "/mnt/d"

    def prepare(self, host: DisposableHost) -> None:
        make_volume(host, self.disk, mib=64)
        host.run(["umount", self.disk], check=True)
        loop = host.run(["losetup", "--find", "--show", image_of(self.disk)], check=True).stdout.strip()
        sectors = host.run(["blockdev", "--getsz", loop], check=True).stdout.strip()
        host.run(["dmsetup", "create", _NAME, "--table", f"0 {sectors} linear {loop} 0"], check=True)
        host.run(["mount", f"/dev/mapper/{_NAME}", self.disk], check=True)
        writes = f"'while :; do date >> {self.disk}/log; sync {self.disk}/log; sleep 0.1; done'"
        start_unit(host, self.unit, ["/bin/sh", "-c", writes], "Restart=no")

    def inject(self, host: DisposableHost) -> float:
        at = struck(host, ("run", "dmsetup", "suspend", "--noflush", _NAME))
        wait_until(lambda: not self.is_gone(host), "a process in state D", seconds=10)
        return at

    def is_gone(self, host: DisposableHost) -> bool:
        return all(state(pid) != "D" for pid in of_unit(host, self.unit))

    def harm(self, host: DisposableHost) -> Sequence[str]:
        kills = host.run(["journalctl", f"--unit={self.unit}", "--output=cat", "--grep=Killing process"]).stdout
        many = len(kills.splitlines()) - 1
        if many > 0:
            return [f"{self.unit} was killed {many} times more, and cannot die"]
        state_now = unit_property(host, self.unit, "ActiveState")
        return [] if state_now == "active" else [f"{self.unit}, which only waits, is {state_now}"]
