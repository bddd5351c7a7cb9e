"""Whose change is respected, and for how long."""

from __future__ import annotations

import math
import time
from datetime import timedelta
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.clock import Instant
from zen_agents.drift.declared import declared_content
from zen_agents.drift.deployments import Changed, Deployer, respected
from zen_agents.errors import HostError
from zen_agents.ports.host_files import FileState

MANAGED, RECORD, HOUR = "/etc/web.conf", "/srv/deployments", 3600.0
CI = Deployer("ci", HOUR, record=RECORD, by=frozenset({"deployer"}))


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.files.add_file(MANAGED, "other\n")
    return host


def state(host: SimulatedHost) -> FileState:
    return host.files.states[MANAGED]


def asked(host: SimulatedHost, *deployers: Deployer, seen: float = math.inf, digest: str = "ab" * 32) -> str:
    return respected(deployers, Changed(MANAGED, digest, state(host), seen), host.look(), host.clock.now())


def wall(now: Instant) -> int:
    return int(now.wall.timestamp())


def recorded(
    host: SimulatedHost, *, ago: float = 60.0, who: str = "deployer", path: str = MANAGED, mode: int = 0o644
) -> None:
    when = wall(host.clock.now()) - int(ago)
    host.files.add_file(RECORD, f"not a line\n{when} {who} {path} {'ab' * 32}  -\n\n", mode=mode)


def test_a_line_of_the_record_names_who_what_and_when(host: SimulatedHost) -> None:
    recorded(host)
    assert asked(host, CI) == "deployed by ci 60 s ago"


@pytest.mark.parametrize(
    "line",
    [{"ago": HOUR}, {"who": "somebody"}, {"path": "/etc/other.conf"}, {"mode": 0o666}],
    ids=lambda line: next(iter(line)),
)
def test_another_line_says_nothing_of_this_change(host: SimulatedHost, line: dict[str, object]) -> None:
    recorded(host, **line)  # type: ignore[arg-type]
    assert asked(host, CI) == ""


def test_another_content_than_the_recorded_one_is_no_deployment(host: SimulatedHost) -> None:
    recorded(host)
    assert asked(host, CI, digest="cd" * 32) == ""


def test_without_a_record_nothing_was_deployed(host: SimulatedHost) -> None:
    assert asked(host, CI) == ""
    assert asked(host) == ""


@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)])
def test_what_was_not_there_at_the_last_look_is_new_whatever_the_wall_clock_says(
    host: SimulatedHost, jump: timedelta
) -> None:
    recorded(host, ago=jump.total_seconds())
    assert asked(host, CI) == ""
    assert asked(host, CI, seen=5.0) == "deployed by ci 5 s ago"
    assert asked(host, CI, seen=HOUR) == ""


def test_a_marker_answers_for_what_was_changed_before_it(host: SimulatedHost) -> None:
    ansible = Deployer("ansible", HOUR, marker="/var/lib/deployed")
    assert asked(host, ansible) == ""
    host.advance(30)
    host.files.add_file("/var/lib/deployed")
    assert asked(host, ansible) == "deployed by ansible 0 s ago"
    host.advance(600)
    host.files.change(MANAGED)
    assert asked(host, ansible) == ""


def test_a_marker_that_everybody_can_touch_says_nothing(host: SimulatedHost) -> None:
    host.files.add_file("/var/lib/deployed", mode=0o666)
    assert asked(host, Deployer("ansible", HOUR, marker="/var/lib/deployed")) == ""


def test_an_accounts_own_files_are_its_deployment_for_a_time(host: SimulatedHost) -> None:
    web = Deployer("web", HOUR, account="web")
    assert asked(host, web) == ""
    host.files.change(MANAGED, owner=1000)
    host.advance(60)
    assert asked(host, web) == "deployed by web 60 s ago"
    host.advance(HOUR)
    assert asked(host, web) == ""


APT, LOG = Deployer("apt", HOUR, packages="dpkg"), "/var/log/dpkg.log"


def packaged(host: SimulatedHost, *, upgraded: float = 60.0, done: float = 60.0, log: str = LOG, **changes: object) -> None:
    """Have dpkg upgrade the package of the managed file, so many seconds ago from when to when."""
    listed = str(changes.pop("listed", f"/.\n/etc\n{MANAGED}\n"))
    host.files.add_file("/var/lib/dpkg/info/web.list", listed)
    began, ended = (time.localtime(wall(host.clock.now()) - ago) for ago in (upgraded, done))
    lines = [
        "not a line", f"{time.strftime('%F %T', began)} startup archives unpack",
        f"{time.strftime('%F %T', began)} upgrade web:all 1.0 1.1", "2026-99-99 aa:bb:cc upgrade web:all 1.0 1.1",
        f"{time.strftime('%F %T', ended)} status installed web:all 1.1", f"{time.strftime('%F %T', ended)} trigproc other",
    ]  # fmt: skip
    host.files.add_file(log, "\n".join(lines) + "\n", **changes)


@pytest.mark.parametrize("log", [LOG, f"{LOG}.1"])
def test_what_a_package_brought_is_respected_for_a_time(host: SimulatedHost, log: str) -> None:
    packaged(host, upgraded=0, done=0, log=log)
    assert asked(host, APT) == "deployed by apt 0 s ago"
    host.advance(HOUR)
    assert asked(host, APT) == ""


@pytest.mark.parametrize(
    "changes",
    [{"listed": "/.\n/etc/other.conf\n"}, {"mode": 0o666}, {"upgraded": 600.0, "done": 500.0}, {"log": "/var/log/other"}],
    ids=["another package", "anybody's log", "another moment", "another log"],
)
def test_what_no_package_brought_at_that_moment_is_not(host: SimulatedHost, changes: dict[str, Any]) -> None:
    packaged(host, **{"upgraded": 0.0, "done": 0.0, **changes})
    assert asked(host, APT) == ""


def test_a_file_edited_after_the_upgrade_is_nobodys(host: SimulatedHost) -> None:
    packaged(host, upgraded=0, done=0)
    host.advance(120)
    host.files.change(MANAGED)
    assert asked(host, APT) == ""


def test_a_file_below_usr_is_known_by_its_old_place_too(host: SimulatedHost) -> None:
    unit = "/usr/lib/systemd/system/web.service"
    host.files.add_file(unit, "other\n")
    packaged(host, upgraded=0, done=0, listed="/lib/systemd/system/web.service\n")
    changed = Changed(unit, "ab" * 32, host.files.states[unit])
    assert respected([APT], changed, host.look(), host.clock.now()) == "deployed by apt 0 s ago"


# -- what was declared ----------------------------------------------------------------------------------------------------
def test_what_is_declared_is_read_from_a_file_that_only_its_owner_can_write(host: SimulatedHost) -> None:
    host.files.add_file("/srv/declared", "right\n")
    assert declared_content("/srv/declared", host.look()) == b"right\n"


@pytest.mark.parametrize("why", ["missing", "empty", "a link", "may write", "not to root", "above"])
def test_a_source_that_cannot_be_trusted_says_nothing(
    host: SimulatedHost, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    if why == "a link":
        host.files.add_link("/srv/declared", "/etc/shadow")
    elif why != "missing":
        host.files.add_file("/srv/declared", "" if why == "empty" else "right\n")
    if why == "may write":
        host.files.change("/srv/declared", mode=0o666)
    elif why == "not to root":
        host.files.change("/srv/declared", owner=1000)
    elif why == "above":
        host.files.change("/srv", mode=0o777)
    with pytest.raises(HostError, match=r"/srv has mode 0777" if why == "above" else why):
        declared_content("/srv/declared", host.look())
