"""vacuum_journal: whole files, oldest first, by journalctl itself; what is young or being written stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.actions.vacuum_journal import VacuumJournal, VacuumJournalPolicy
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError
from zen_agents.model.action import ActionRequest, Plan, ResourceKind
from zen_agents.ports.host_commands import Command, CommandResult

MIB, DAY = 1 << 20, 86400.0


class Journal:
    """A host with one file of 8 MiB a day, the newest being written to, and a journalctl that vacuums as the real one."""

    def __init__(self, days: int = 10) -> None:
        self.host = SimulatedHost()
        self.folder = f"/var/log/journal/{self.host.machine}"
        self.now = self.host.clock.now().wall.timestamp()
        for age in range(days, 0, -1):
            began = int((self.now - age * DAY) * 1e6)
            name = f"system@{'a' * 32}-{days - age + 1:016x}-{began:016x}.journal"
            self.host.files.add_file(f"{self.folder}/{name}", size=8 * MIB, modified=self.now - (age - 1) * DAY - 60)
        self.host.files.add_file(f"{self.folder}/system.journal", size=8 * MIB, modified=self.now)
        self.host.programs["journalctl"] = self.vacuum
        self.action = VacuumJournal(self.host.clock)
        self.calls: list[tuple[str, ...]] = []

    def vacuum(self, command: Command) -> CommandResult:
        self.calls.append(command.argv)
        given = dict(word.removeprefix("--").partition("=")[::2] for word in command.argv[1:])
        left = int(given["vacuum-size"])
        archived = [entry for entry in self.host.files.entries(given["directory"]) if "@" in entry.path]
        for entry in sorted(archived, key=lambda entry: entry.path):
            if sum(each.size for each in archived) <= left:
                break
            archived.remove(entry)
            self.host.files.remove(entry.path)
        return CommandResult(0, "", False, 0.1)

    def plan(self, *, down_to: int, keep: float = 0.0) -> Plan:
        params = {"down_to_bytes": down_to, "keep_seconds": keep}
        return self.action.plan(ActionRequest("vacuum_journal", "journal:system", params), self.host.look())

    @property
    def size(self) -> int:
        return sum(entry.size for entry in self.host.files.entries(self.folder))


async def test_the_oldest_files_go_until_the_journal_is_small_enough() -> None:
    journal = Journal()
    plan = journal.plan(down_to=48 * MIB)
    assert plan.warning.startswith("irreversible")
    assert [touched.kind for touched in plan.touches] == [ResourceKind.JOURNAL]
    effect = await journal.action.execute(plan, journal.host.control())
    assert effect.ok
    assert journal.size == 48 * MIB
    assert "SystemMaxUse=48M" in effect.detail
    assert f"{journal.folder}/system.journal" in journal.host.files.states
    assert journal.calls == [("journalctl", "--quiet", f"--directory={journal.folder}", f"--vacuum-size={40 * MIB}")]
    with pytest.raises(StalePlanError, match=r"no more than 48\.0 MiB"):
        journal.plan(down_to=48 * MIB)


async def test_what_is_younger_than_is_kept_stays_however_large_the_journal_is() -> None:
    journal = Journal()
    await journal.action.execute(journal.plan(down_to=MIB, keep=3 * DAY), journal.host.control())
    left = [entry.path for entry in journal.host.files.entries(journal.folder)]
    assert len(left) == 4, "three days, and the file that is written to"
    with pytest.raises(RefusedError, match=r"nothing older than 3 d that may go; .*SystemMaxUse=1M"):
        journal.plan(down_to=MIB, keep=3 * DAY)


def test_a_clock_that_was_set_forward_makes_nothing_old() -> None:
    journal = Journal(days=2)
    journal.host.clock.jump_wall(timedelta(days=30).total_seconds())
    with pytest.raises(RefusedError, match="nothing older"):
        journal.plan(down_to=MIB, keep=3 * DAY)


def test_a_clock_that_was_set_back_makes_all_of_it_young_unless_nothing_is_kept() -> None:
    journal = Journal()
    journal.host.clock.jump_wall(-timedelta(days=30).total_seconds())
    with pytest.raises(RefusedError, match="nothing older"):
        journal.plan(down_to=48 * MIB, keep=60.0)
    assert journal.plan(down_to=48 * MIB).steps


async def test_a_file_that_was_not_closed_in_order_goes_by_its_own_age() -> None:
    journal = Journal(days=1)
    began = int((journal.now - 20 * DAY) * 1e6)
    broken = f"{journal.folder}/user-1000@{began:016x}-{7:016x}.journal~"
    journal.host.files.add_file(broken, size=8 * MIB, modified=journal.now - 19 * DAY)
    plan = journal.plan(down_to=20 * MIB)
    assert any("user-1000@" in step for step in plan.steps)
    assert plan.fingerprint == broken


async def test_the_emergency_stop_and_a_journalctl_that_fails_end_it() -> None:
    journal = Journal()
    plan, control = journal.plan(down_to=48 * MIB), journal.host.control()
    control.stopped = True
    with pytest.raises(RefusedError, match="emergency"):
        await journal.action.execute(plan, control)
    assert journal.calls == []
    journal.host.programs["journalctl"] = lambda _: CommandResult(1, "no space left", False, 0.1)
    with pytest.raises(ActionFailedError, match="no space left"):
        await journal.action.execute(plan, journal.host.control())


@pytest.mark.parametrize(
    ("policy", "refusal"),
    [
        ({}, ""),
        ({"keep": "1d"}, ""),
        ({"keep": "7d"}, "2 d of the journal would be kept, less than keep: 7 d"),
        ({"keep_size": "64MiB"}, "48.0 MiB would be left, less than keep_size: 64.0 MiB"),
    ],
)
def test_the_allow_list_says_what_is_kept_in_any_case(policy: dict[str, Any], refusal: str) -> None:
    plan = Journal().plan(down_to=48 * MIB, keep=2 * DAY)
    assert VacuumJournalPolicy.model_validate(policy).permits(plan) == refusal


def test_no_journal_and_no_name_mean_no() -> None:
    journal = Journal()
    params = {"down_to_bytes": 1, "keep_seconds": 0.0}
    with pytest.raises(RefusedError, match="is not journal:NAME"):
        journal.action.plan(ActionRequest("vacuum_journal", "journal:", params), journal.host.look())
    with pytest.raises(HostError, match="keeps no journal"):
        journal.action.plan(ActionRequest("vacuum_journal", "journal:system", params), SimulatedHost().look())
