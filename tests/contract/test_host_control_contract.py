"""Every control has what the port promises; the one of a dry run does nothing at all."""

from __future__ import annotations

import inspect
import os
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from chaos.simulation.control import SimulatedControl
from chaos.simulation.directory import SimulatedDirectory
from tests.support.changing import changing
from zen_agents.adapters.linux_control import LinuxControl
from zen_agents.adapters.null_control import NullControl
from zen_agents.adapters.safe_files import OpenDirectory
from zen_agents.errors import RefusedError
from zen_agents.model.pool import PoolQuestion
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_contents import ReplacingDirectory
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_firewall import FirewallControl
from zen_agents.ports.host_journal import JournalControl
from zen_agents.ports.host_pools import PoolControl
from zen_agents.ports.host_processes import Process
from zen_agents.ports.host_sysctl import SysctlControl


def promised(port: type) -> dict[str, Any]:
    parts = [vars(part) for part in port.__mro__ if part.__module__.startswith("zen_agents.")]
    return {name: member for part in parts for name, member in part.items() if not name.startswith("_")}


@pytest.mark.parametrize(
    ("port", "adapter"),
    [
        (HostControl, LinuxControl),
        (JournalControl, LinuxControl),
        (JournalControl, NullControl),
        (JournalControl, SimulatedControl),
        (HostControl, NullControl),
        (HostControl, SimulatedControl),
        (FirewallControl, LinuxControl),
        (FirewallControl, NullControl),
        (FirewallControl, SimulatedControl),
        (PoolControl, LinuxControl),
        (PoolControl, NullControl),
        (PoolControl, SimulatedControl),
        (SysctlControl, LinuxControl),
        (SysctlControl, NullControl),
        (SysctlControl, SimulatedControl),
        (DirectoryHandle, OpenDirectory),
        (DirectoryHandle, SimulatedDirectory),
        (ReplacingDirectory, OpenDirectory),
        (ReplacingDirectory, SimulatedDirectory),
    ],
)
def test_each_adapter_takes_what_the_port_promises(port: type, adapter: type) -> None:
    for name, member in promised(port).items():
        if isinstance(member, property):
            assert hasattr(adapter, name) or "self.path" in inspect.getsource(adapter), name
            continue
        theirs = getattr(adapter, name)
        assert inspect.iscoroutinefunction(theirs) == inspect.iscoroutinefunction(member), name
        wanted = inspect.signature(member).parameters
        assert list(inspect.signature(theirs).parameters) == list(wanted), name


async def test_the_control_of_a_dry_run_refuses_everything(tmp_path: Path) -> None:
    here = changing(tmp_path)
    control = NullControl(here.host)
    process = here.host.look().process(os.getpid())
    assert process is not None
    assert control.view.process(os.getpid()) is not None
    await _refuses(control, process, str(tmp_path))
    assert sorted(path.name for path in here.state_dir.iterdir()) == [".emergency-stop-prepared"]


async def _refuses(control: NullControl, process: Process, path: str) -> None:
    command, state = Command(("touch", f"{path}/ran")), control.view.file(path)
    assert state is not None
    for attempt in (
        lambda: control.run(command),
        lambda: control.restart_unit("web.service", timeout_seconds=1.0),
        lambda: control.reload_unit("web.service", timeout_seconds=1.0),
        lambda: control.start_service("web", command),
        lambda: control.stop_process(process, timeout_seconds=1.0),
        lambda: control.limit_log_rate("web.service", 10),
        lambda: control.lift_log_rate("web.service"),
        lambda: control.ban(ip_network("192.0.2.7"), 600),
        lambda: control.lift_ban(ip_network("192.0.2.7")),
        lambda: control.end_sessions(PoolQuestion("postgres", "db:5432", "zen", "postgres", "app"), (), timeout_seconds=1.0),
    ):
        with pytest.raises(RefusedError, match="Dry run"):
            await attempt()
    for refused in (
        lambda: control.signal(process, 15),
        lambda: control.truncate_descriptor(process, 1, expected_path="/x"),
        lambda: control.open_directory(path),
        lambda: control.set_kernel_setting("net.ipv4.ip_forward", "1", expected="0"),
        control.check_stop,
    ):
        with pytest.raises(RefusedError, match="Dry run"):
            refused()
