"""A kernel setting that is not what was declared."""

from __future__ import annotations

from dataclasses import dataclass

from chaos.faults.base import Fault
from chaos.host import DisposableHost
from chaos.workload import struck


@dataclass(frozen=True, slots=True)
class KernelSettingChanged(Fault):
    """`sysctl -w` by hand, of a setting that each network namespace has for itself."""

    name = "kernel_setting_changed"

    setting: str = "net/ipv4/tcp_keepalive_time"
    declared: int = 600
    changed: int = 60

    def prepare(self, host: DisposableHost) -> None:
        host.write_file("/etc/sysctl.d/50-declared.conf", f"{self.setting} = {self.declared}\n")
        host.run(["sysctl", "--quiet", "--write", f"{self.setting}={self.declared}"], check=True)

    def inject(self, host: DisposableHost) -> float:
        return struck(host, ("run", "sysctl", "--quiet", "--write", f"{self.setting}={self.changed}"))

    def again(self, host: DisposableHost) -> None:
        host.run(["sysctl", "--quiet", "--write", f"{self.setting}={self.changed + 1}"], check=True)

    def is_gone(self, host: DisposableHost) -> bool:
        return host.network_setting(self.setting) == str(self.declared)
