"""What journald keeps, read from files as it writes them, and the limit of a unit as journald reads it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.adapters import linux_control_journal, linux_view_journal
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.ports.host_commands import CommandResult

MACHINE, UNIT = "0123456789abcdef0123456789abcdef", "noisy.service"


def journal(root: Path, content: bytes, home: str = "var/log/journal") -> None:
    folder = root / home / MACHINE
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "system.journal").write_bytes(content)


def head(newest: int) -> bytes:
    return b"LPKSHHRH" + bytes(152) + struct.pack("<Q", newest) + bytes(100)


def test_the_newest_entry_is_read_from_the_head_of_the_file(tmp_path: Path) -> None:
    root = str(tmp_path)
    with pytest.raises(HostError, match="keeps no journal"):
        linux_view_journal.newest_entry(MACHINE, root)
    with pytest.raises(HostError, match="keeps no journal"):
        linux_view_journal.newest_entry("", root)
    journal(tmp_path, head(7), "run/log/journal")
    assert linux_view_journal.newest_entry(MACHINE, root) == 7
    journal(tmp_path, head(2**40))
    assert linux_view_journal.newest_entry(MACHINE, root) == 2**40
    for wrong in (head(1)[:100], b"x" * 300, b""):
        journal(tmp_path, wrong)
        with pytest.raises(HostError, match="no journal file"):
            linux_view_journal.newest_entry(MACHINE, root)


def test_lines_are_counted_by_unit_and_what_is_no_unit_counts_as_nobodys(tmp_path: Path) -> None:
    program = tmp_path / "journalctl"
    program.write_text(
        "#!/bin/sh\n"
        """echo '{"_SYSTEMD_UNIT":"noisy.service","__CURSOR":"a"}'\n"""
        """echo '{"_SYSTEMD_UNIT":"noisy.service"}'\n"""
        """echo '{"MESSAGE":"kernel"}'\necho '{"_SYSTEMD_UNIT":["a","b"]}'\necho 'no json'\necho '[1]'\n"""
    )
    program.chmod(0o755)
    assert linux_view_journal.share(10, str(program)) == {"noisy.service": 2, "": 4}
    program.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(HostError, match="ended with 1"):
        linux_view_journal.share(10, str(program))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for below in ("run/systemd/system", "run/systemd/units"):
        (tmp_path / below).mkdir(parents=True)
    return tmp_path


def told(root: Path) -> tuple[str, ...]:
    folder = root / "run/systemd/units"
    return tuple(str((folder / f"log-rate-limit-{half}:{UNIT}").readlink()) for half in ("interval", "burst"))


async def test_a_limit_is_a_drop_in_and_a_word_to_journald_and_both_go_again(root: Path) -> None:
    control = SimulatedHost().control()
    await linux_control_journal.limit(control, UNIT, 100, str(root))
    drop_in = root / "run/systemd/system" / f"{UNIT}.d" / "50-zen-agents-log-rate.conf"
    assert drop_in.read_text("ascii").splitlines()[1:] == [
        "[Service]",
        "LogRateLimitIntervalSec=1s",
        "LogRateLimitBurst=100",
    ]
    assert drop_in.stat().st_mode & 0o777 == 0o644
    assert told(root) == ("1000000", "100")
    assert linux_view_journal.limit_of(UNIT, str(root)) == 100
    with pytest.raises(StalePlanError, match="already"):
        await linux_control_journal.limit(control, UNIT, 100, str(root))
    await linux_control_journal.limit(control, UNIT, 10, str(root))
    assert linux_view_journal.limit_of(UNIT, str(root)) == 10
    await linux_control_journal.lift(control, UNIT, str(root))
    assert linux_view_journal.limit_of(UNIT, str(root)) is None
    assert list((root / "run/systemd/system").iterdir()) == []
    assert told(root) == ("30000000", "10000"), "journald keeps what it was told last: so it is told its own limit"
    with pytest.raises(StalePlanError, match="not limited"):
        await linux_control_journal.lift(control, UNIT, str(root))


async def test_what_held_before_holds_again_the_units_own_limit_or_journalds(root: Path) -> None:
    host, configured = SimulatedHost(), root / "etc/systemd/journald.conf.d"
    configured.mkdir(parents=True)
    (root / "etc/systemd/journald.conf").write_text("[Journal]\n#RateLimitBurst=1\nRateLimitBurst = 500\n")
    (configured / "90-off.conf").write_text("[Journal]\nRateLimitIntervalSec=0\n")
    assert linux_control_journal.journald_limit(str(root)) == (0.0, 500)
    (configured / "90-off.conf").write_text("[Journal]\nRateLimitIntervalSec=1min 30s\nRateLimitBurst=many\n")
    assert linux_control_journal.journald_limit(str(root)) == (30.0, 10_000), "nonsense: what it has by itself"
    own = "LogRateLimitIntervalUSec=5s\nLogRateLimitBurst=50\n"
    host.programs["systemctl"] = lambda command: CommandResult(0, own if command.argv[1] == "show" else "", False, 0.1)
    await linux_control_journal.limit(host.control(), UNIT, 100, str(root))
    await linux_control_journal.lift(host.control(), UNIT, str(root))
    assert told(root) == ("5000000", "50")


async def test_somebody_elses_drop_in_beside_it_stays(root: Path) -> None:
    other = root / "run/systemd/system" / f"{UNIT}.d" / "10-admin.conf"
    other.parent.mkdir()
    other.write_text("[Service]\nNice=5\n")
    control = SimulatedHost().control()
    await linux_control_journal.limit(control, UNIT, 100, str(root))
    await linux_control_journal.lift(control, UNIT, str(root))
    assert [path.name for path in other.parent.iterdir()] == ["10-admin.conf"]


async def test_a_link_is_not_followed_and_a_strange_drop_in_is_not_believed(root: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / "run/systemd/system" / f"{UNIT}.d").symlink_to(elsewhere)
    with pytest.raises(HostError, match="cannot be written"):
        await linux_control_journal.limit(SimulatedHost().control(), UNIT, 100, str(root))
    assert list(elsewhere.iterdir()) == []
    (root / "run/systemd/system" / f"{UNIT}.d").unlink()
    strange = root / "run/systemd/system" / f"{UNIT}.d" / "50-zen-agents-log-rate.conf"
    strange.parent.mkdir()
    strange.write_text("[Service]\nLogRateLimitBurst=many\n")
    with pytest.raises(HostError, match="not the engine's"):
        linux_view_journal.limit_of(UNIT, str(root))


async def test_the_emergency_stop_and_a_systemd_that_refuses_end_it(root: Path) -> None:
    host = SimulatedHost()
    control = host.control()
    control.stopped = True
    with pytest.raises(RefusedError):
        await linux_control_journal.limit(control, UNIT, 100, str(root))
    assert list((root / "run/systemd/system").iterdir()) == []
    host.programs["systemctl"] = lambda _: CommandResult(1, "Failed to reload daemon", False, 0.1)
    with pytest.raises(ActionFailedError, match="Failed to reload"):
        await linux_control_journal.limit(host.control(), UNIT, 100, str(root))
    assert list((root / "run/systemd/units").iterdir()) == [], "nothing was told to journald"
