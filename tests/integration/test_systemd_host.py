"""The disposable host itself: real inside, invisible outside, gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chaos import host as disposable
from chaos.host import REPOSITORY, DisposableHost, HostTimeoutError, HostUnavailableError, why_not
from tests.support.disposable import host_or_skip
from tests.support.engine_process import wait_for

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root]


@pytest.fixture(scope="module")
def host() -> Iterator[DisposableHost]:
    yield from host_or_skip()


def _alive(pid: int) -> bool:
    """Tell whether a process is there, and not as a zombie that nobody has reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_systemd_is_pid_1_and_all_units_are_well(host: DisposableHost) -> None:
    assert host.run(["cat", "/proc/1/comm"]).stdout == "systemd\n"
    assert host.run(["systemctl", "list-units", "--failed", "--plain", "--no-legend"]).stdout == ""
    assert host.state == "running"


def test_what_is_written_inside_is_absent_outside(host: DisposableHost, tmp_path: Path) -> None:
    marks = ["/zen-mark", "/etc/zen-mark", "/var/lib/zen-mark", "/tmp/zen-mark", "/dev/zen-mark", "/run/zen-mark"]
    marks.append(str(REPOSITORY / "zen-mark"))
    for mark in marks:
        host.write_file(mark, "written inside\n")
    assert [host.read_file(mark) for mark in marks] == ["written inside\n"] * len(marks)
    assert [mark for mark in marks if Path(mark).exists()] == []
    host.run(["rm", "--", "/etc/hosts"], check=True)
    assert Path("/etc/hosts").exists()
    assert host.run(["test", "-e", str(tmp_path)]).returncode == 1, "/tmp is the host's own"


def test_a_link_inside_does_not_lead_a_written_file_outside(host: DisposableHost) -> None:
    host.run(["ln", "-s", "/var/lib", "/zen-link"], check=True)
    host.write_file("/zen-link/zen-linked", "inside\n")
    assert not Path("/var/lib/zen-linked").exists()
    assert host.read_file("/var/lib/zen-linked") == "inside\n"


def test_name_network_and_processes_are_its_own(host: DisposableHost) -> None:
    assert host.run(["hostname"]).stdout.strip() == host.name != os.uname().nodename
    interfaces = host.run(["cat", "/proc/net/dev"]).stdout.splitlines()[2:]
    assert [line.split(":")[0].strip() for line in interfaces] == ["lo"]
    assert host.run(["test", "-e", f"/proc/{2**22 - 1}"]).returncode == 1
    assert int(host.run(["sh", "-c", "echo $$"]).stdout) < os.getpid() + 2**21
    assert host.run(["cat", "/etc/machine-id"]).stdout != Path("/etc/machine-id").read_text(encoding="ascii")


def test_loopback_is_up(host: DisposableHost) -> None:
    talk = (
        "import socket; s = socket.create_server(('127.0.0.1', 0)); c = socket.create_connection(s.getsockname());"
        "s.accept()[0].send(b'heard'); print(c.recv(9).decode())"
    )
    assert host.run([sys.executable, "-c", talk]).stdout == "heard\n"


def test_the_kernel_that_all_share_cannot_be_changed_from_inside(host: DisposableHost) -> None:
    assert host.run(["sh", "-c", "echo 1 > /proc/sys/kernel/panic"]).returncode != 0
    assert host.run(["date", "--set", "2031-01-01"]).returncode != 0
    assert host.run(["sh", "-c", "echo 0 > /proc/sys/net/ipv4/ip_forward"]).returncode == 0, "its network is its own"


def test_commands_have_exit_code_input_and_small_environment(host: DisposableHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZEN_OUTSIDE", "seen")
    said = host.run(["env"], environment={"ZEN_INSIDE": "1"}).stdout
    assert "ZEN_INSIDE=1" in said and "ZEN_OUTSIDE" not in said
    assert host.run(["cat"], text_in="there and back").stdout == "there and back"
    assert host.run(["pwd"], cwd="/usr").stdout == "/usr\n"
    assert host.run(["sh", "-c", "echo no >&2; exit 3"]).returncode == 3
    with pytest.raises(subprocess.CalledProcessError):
        host.run(["false"], check=True)


def test_a_command_that_takes_too_long_is_killed_inside_too(host: DisposableHost) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        host.run(["sleep", "4711"], timeout=0.2)
    wait_for(lambda: "sleep 4711" not in host.run(["ps", "-eo", "args"]).stdout)


def test_a_signal_reaches_the_command_itself(host: DisposableHost) -> None:
    script = "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print('ready', flush=True); signal.pause()"
    with host.popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as command:
        assert command.stdout is not None and command.stdout.readline() == "ready\n"
        host.signal(command, signal.SIGTERM)
        assert command.wait(20) == 7
    with pytest.raises(ProcessLookupError):
        host.signal(command, signal.SIGTERM)


def test_the_umask_of_whoever_asks_for_it_is_not_the_hosts() -> None:
    before = os.umask(0o077)
    try:
        with DisposableHost() as private:
            private.write_file("/srv/app/page", "for all to read\n")
            read = private.run(["setpriv", "--reuid=nobody", "--clear-groups", "cat", "/srv/app/page"])
            assert (read.stdout, private.run(["systemctl", "start", "dbus.service"]).returncode) == ("for all to read\n", 0)
    except HostUnavailableError as reason:
        pytest.skip(str(reason))
    finally:
        os.umask(before)


def test_a_missing_file_is_told(host: DisposableHost) -> None:
    with pytest.raises(FileNotFoundError, match="No such file"):
        host.read_file("/nowhere")


def test_hosts_side_by_side_do_not_meet_and_leave_nothing(host: DisposableHost) -> None:
    before = Path("/proc/mounts").read_text(encoding="utf-8")
    with DisposableHost() as second:
        second.write_file("/etc/zen-second", "mine\n")
        assert host.run(["test", "-e", "/etc/zen-second"]).returncode == 1
        assert second.name != host.name
        command = second.popen(["sleep", "4712"])
        wait_for(lambda: "sleep 4712" in second.run(["ps", "-eo", "args"]).stdout)
        pid, cgroup = second.pid, second.cgroup
        assert Path("/proc/mounts").read_text(encoding="utf-8") == before
    assert command.wait(20) != 0
    assert not _alive(pid)
    assert not cgroup.exists()
    assert Path("/proc/mounts").read_text(encoding="utf-8") == before
    assert host.run(["systemctl", "is-system-running"]).stdout == "running\n"


def test_a_stopped_host_can_be_started_anew_and_is_clean(host: DisposableHost) -> None:
    again = DisposableHost()
    with again:
        again.write_file("/etc/zen-first-life", "x\n")
    with pytest.raises(RuntimeError, match="not running"):
        again.run(["true"])
    with again:
        assert again.run(["test", "-e", "/etc/zen-first-life"]).returncode == 1


@pytest.mark.parametrize("victim", ["owner", "keeper"])
def test_a_killed_owner_or_keeper_takes_the_host_with_it(host: DisposableHost, victim: str) -> None:
    script = (
        "import signal; from chaos.host import DisposableHost; host = DisposableHost(); host.start();"
        "print(host.pid, host._keeper.pid, host.cgroup, flush=True); signal.pause()"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    with owner:
        assert owner.stdout is not None
        pid, keeper, cgroup = owner.stdout.readline().split()
        os.kill(owner.pid if victim == "owner" else int(keeper), signal.SIGKILL)
        wait_for(lambda: not _alive(int(pid)))
        owner.kill()
    wait_for(lambda: not _alive(int(keeper)))
    if victim == "owner":
        wait_for(lambda: not Path(cgroup).exists())
    else:
        # Nobody is left to remove the empty cgroup; the next host does.
        with DisposableHost():
            assert not Path(cgroup).exists()


def test_a_start_that_takes_too_long_leaves_nothing(host: DisposableHost) -> None:
    late = DisposableHost(target="no-such-thing.target")
    with pytest.raises((HostTimeoutError, HostUnavailableError)):
        late.start(timeout=0.01)
    assert late.pid == 0
    with pytest.raises(RuntimeError, match="not running"):
        late.run(["true"])


def test_where_it_cannot_be_made_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert why_not() == "a disposable host needs root"
    with pytest.raises(HostUnavailableError, match="needs root"):
        DisposableHost().start()
    monkeypatch.undo()
    monkeypatch.setattr(disposable, "SYSTEMD", "/nowhere/systemd")
    if os.geteuid() == 0:
        assert why_not() == "a disposable host needs /nowhere/systemd"
