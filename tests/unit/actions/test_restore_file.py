"""restore_file and its inverse, on real files; the simulated host where systemd is asked."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from tests.support.changing import OWN_ACCOUNT, Changing, changing
from zen_agents.actions.put_back_file import PutBackFile
from zen_agents.actions.restore_file import RestoreFile
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Effect, Plan
from zen_agents.ports.host_commands import Command, CommandResult

DECLARED, EDITED = '{"port": 80}\n', '{"port": 80,\n'
_TEST = "import json, sys; json.load(open(sys.argv[1]))"


@pytest.fixture
def here(tmp_path: Path) -> Changing:
    return changing(tmp_path)


@pytest.fixture
def managed(tmp_path: Path) -> Path:
    path = tmp_path / "etc" / "site.json"
    path.parent.mkdir()
    path.write_text(EDITED)
    path.chmod(0o640)
    (tmp_path / "declared").write_text(DECLARED)
    (tmp_path / "declared").chmod(0o644)
    return path


def params(managed: Path, **changes: Any) -> dict[str, Any]:
    test = {"run": [os.path.realpath(sys.executable), "-c", _TEST, "CANDIDATE"], "user": OWN_ACCOUNT}
    return {"path": str(managed), "declared": str(managed.parents[1] / "declared"), "test": test, **changes}


def plan(here: Changing, managed: Path, **changes: Any) -> Plan:
    return here.plan(RestoreFile(), "baseline:site", params(managed, **changes))


def found(path: Path) -> tuple[str, int]:
    return path.read_text(), path.stat().st_mode & 0o777


def beside(path: Path) -> list[str]:
    return [entry.name for entry in path.parent.iterdir()]


def write(path: Path, text: str) -> None:
    path.write_text(text)


def set_mode(path: Path, mode: int) -> None:
    path.chmod(mode)


def gone(path: Path) -> None:
    path.unlink()


async def undo(here: Changing, done: Plan, effect: Effect) -> Effect:
    inverse = RestoreFile().inverse(done, effect)
    assert inverse is not None
    taken = PutBackFile().plan(inverse, here.host.look())
    found = await PutBackFile().execute(taken, here.control())
    assert PutBackFile().missing(taken, here.host.look()) == ""
    return found


async def test_the_declared_content_is_put_there_and_the_old_one_can_be_had_back(here: Changing, managed: Path) -> None:
    planned = plan(here, managed)
    assert [step.split()[0] for step in planned.steps] == ["test", "put"]
    assert [resource.name for resource in planned.touches] == [str(managed)]
    effect = await RestoreFile().execute(planned, here.control())
    assert (effect.ok, *found(managed)) == (True, DECLARED, 0o640)
    await undo(here, planned, effect)
    assert found(managed) == (EDITED, 0o640)
    assert beside(managed) == ["site.json"]


async def test_a_missing_file_is_made_like_the_declared_one_and_undo_takes_it_away(here: Changing, managed: Path) -> None:
    gone(managed)
    planned = plan(here, managed)
    effect = await RestoreFile().execute(planned, here.control())
    assert found(managed) == (DECLARED, 0o644)
    await undo(here, planned, effect)
    assert beside(managed) == []


async def test_what_does_not_pass_its_test_is_never_put_there(here: Changing, managed: Path) -> None:
    write(managed.parents[1] / "declared", "{ not json\n")
    planned = plan(here, managed)
    with pytest.raises(ActionFailedError, match="nothing was replaced"):
        await RestoreFile().execute(planned, here.control())
    assert found(managed)[0] == EDITED
    assert beside(managed) == ["site.json"]


@pytest.mark.parametrize("changed", ["managed", "declared"])
async def test_a_plan_about_other_contents_is_stale(here: Changing, managed: Path, changed: str) -> None:
    planned = plan(here, managed)
    write(managed if changed == "managed" else managed.parents[1] / "declared", '{"port": 81}\n')
    with pytest.raises(StalePlanError):
        await RestoreFile().execute(planned, here.control())
    assert found(managed)[0] == ('{"port": 81}\n' if changed == "managed" else EDITED)


async def test_undo_leaves_what_somebody_changed_since(here: Changing, managed: Path) -> None:
    planned = plan(here, managed)
    effect = await RestoreFile().execute(planned, here.control())
    write(managed, "mine\n")
    with pytest.raises(StalePlanError, match="not what the action left"):
        await undo(here, planned, effect)
    assert found(managed)[0] == "mine\n"


async def test_undo_says_when_it_gives_more_access(here: Changing, managed: Path) -> None:
    set_mode(managed, 0o666)
    planned = plan(here, managed)
    effect = await RestoreFile().execute(planned, here.control())
    set_mode(managed, 0o600)
    inverse = RestoreFile().inverse(planned, effect)
    assert inverse is not None
    assert PutBackFile().plan(inverse, here.host.look()).warning == "widens access, as before"


def test_what_is_as_declared_or_no_plain_file_is_left(here: Changing, managed: Path, tmp_path: Path) -> None:
    os.link(managed, managed.parent / "other")
    with pytest.raises(UnsafePathError, match="2 hard links"):
        plan(here, managed)
    managed.unlink()
    managed.symlink_to("/etc/shadow")
    with pytest.raises(UnsafePathError, match="is a link"):
        plan(here, managed)
    managed.unlink()
    managed.write_text(DECLARED)
    with pytest.raises(StalePlanError, match="as declared"):
        plan(here, managed)
    (tmp_path / "declared").write_text("")
    with pytest.raises(HostError, match="is empty"):
        plan(here, managed)


async def test_nothing_is_put_there_once_the_emergency_stop_is_set(here: Changing, managed: Path) -> None:
    planned = plan(here, managed)
    here.flag.set(by="alice", reason="stop", at=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(RefusedError):
        await RestoreFile().execute(planned, here.control())
    assert found(managed)[0] == EDITED


# -- a unit's file --------------------------------------------------------------------------------------------------------
UNIT, SOURCE = "/etc/systemd/system/web.service", "/srv/web.service"


@pytest.fixture
def host() -> SimulatedHost:
    host = SimulatedHost()
    host.add_service("web", unit="web.service")
    host.files.add_file(UNIT, "Nice=19\n")
    host.files.add_file(SOURCE, "Nice=0\n")
    return host


def request() -> ActionRequest:
    return ActionRequest("restore_file", "baseline:web", {"path": UNIT, "declared": SOURCE, "unit": "web.service"})


async def test_systemd_reads_a_restored_unit_and_nothing_is_restarted(host: SimulatedHost) -> None:
    host.unread_units.add("web.service")
    effect = await RestoreFile().execute(RestoreFile().plan(request(), host.look()), host.control())
    assert effect.ok
    assert host.files.contents[UNIT] == "Nice=0\n"
    assert host.unread_units == set()
    assert not [change for change in host.changes if "restart" in change]


async def test_where_only_the_reading_is_missing_only_that_is_done(host: SimulatedHost) -> None:
    host.files.add_file(UNIT, "Nice=0\n")
    host.unread_units.add("web.service")
    planned = RestoreFile().plan(request(), host.look())
    assert planned.steps == ('run ["systemctl", "daemon-reload"]',)
    effect = await RestoreFile().execute(planned, host.control())
    assert (effect.ok, RestoreFile().inverse(planned, effect)) == (True, None)


async def test_a_reload_that_fails_is_a_failure(host: SimulatedHost) -> None:
    def fails(command: Command) -> CommandResult:
        del command
        return CommandResult(1, "no bus", False, 0.0)

    host.programs["systemctl"] = fails
    planned = RestoreFile().plan(request(), host.look())
    with pytest.raises(ActionFailedError, match="daemon-reload failed: no bus"):
        await RestoreFile().execute(planned, host.control())


def test_somebody_who_changes_it_again_is_told_by_what_he_did(host: SimulatedHost) -> None:
    planned = RestoreFile().plan(request(), host.look())
    assert RestoreFile().undone(planned) == f"changed {UNIT}"
    assert RestoreFile().postcondition(planned) == ("drift.web", "baseline:web")
