"""Scenarios as data: what is read, what is refused, and that every one of the repository's can be used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from chaos import experiment
from chaos.engines.base import Performed
from chaos.engines.monit import Monit
from chaos.engines.zen import Zen, built
from chaos.faults.crashed_service import CrashedService
from chaos.kinds import Privileges, Right
from chaos.result import Outcome
from chaos.scenario import FOLDER, Scenario, ScenarioError, load, load_all
from chaos.simulation.scenario import BY_NAME
from chaos.variants.killed_mid_action import KilledBeforeTheDeed

CRASHED = FOLDER / "crashed_service.yaml"


def changed(folder: Path, **changes: Any) -> Path:
    """Return a file with the scenario of a crashed service, changed; None takes a key away."""
    whole = {**yaml.safe_load(CRASHED.read_text("utf-8")), **changes}
    path = folder / "crashed_service.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in whole.items() if value is not None}), encoding="utf-8")
    return path


def test_every_scenario_of_the_repository_is_whole_and_an_origin_is_told_once() -> None:
    scenarios = load_all()
    assert {"crashed_service", "stopped_by_person", "wrong_permissions"} <= set(scenarios)
    origins = [scenario.origin for scenario in scenarios.values() if scenario.origin]
    assert len(origins) == len(set(origins))


def test_a_scenario_says_what_happens_and_what_is_right() -> None:
    scenario = load(CRASHED)
    assert scenario.faults() == (CrashedService(unit="web", port=8080),)
    assert scenario.expect.outcome is Right.REPAIRED
    assert scenario.expect.actions == ("restart_service",)
    assert scenario.expect.within.total_seconds() == 15
    assert scenario.missing(built()) == ()


def test_a_fault_may_come_back_and_a_person_may_do_something_before_it(tmp_path: Path) -> None:
    pausing = {"operator": {"zen": ["pause", "--for", "1h"]}, "after": "200ms"}
    scenario = load(changed(tmp_path, method=[pausing, {"fault": "crashed_service", "repeat": {"times": 4, "every": "2s"}}]))
    assert scenario.repeats()
    assert len(scenario.faults()) == 1, "a step of a person is no fault"
    assert not load(CRASHED).repeats()


def test_what_is_not_built_yet_is_missing(tmp_path: Path) -> None:
    scenario = load(changed(tmp_path, needs=["restart_service", "reading_minds"]))
    assert scenario.missing(built()) == ("reading_minds",)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colour": "red"}, "colour"),
        ({"steady_state": []}, "steady_state"),
        ({"steady_state": [{"tcp": 8080, "udp": 1}]}, "udp"),
        ({"method": [{"fault": "meteor"}]}, "there is no fault 'meteor'"),
        ({"method": [{"fault": "crashed_service", "with": {"unti": "web"}}]}, "crashed_service has no unti"),
        ({"method": [{"fault": "crashed_service", "with": {"port": "many"}}]}, "port"),
        ({"method": []}, "a control has no `method`"),
        ({"method": [{"operator": {"zen": ["pause"]}}]}, "a control has no `method`"),
        ({"method": [{"operator": {"hal": ["open"]}}, {"fault": "crashed_service"}]}, "only monit, zen have commands"),
        ({"method": [{"operator": {"zen": []}}, {"fault": "crashed_service"}]}, "operator.zen"),
        ({"method": [{"fault": "crashed_service", "repeat": {"times": 1}}]}, "repeat.times"),
        ({"number": None}, "either `number`"),
        ({"origin": "monit mailing list"}, "either `number`"),
        ({"monit": {"monitrc": "check", "why_not": "never"}}, "either `monitrc` or `why_not`"),
        ({"systemd": {}}, "either `drop_ins` or `why_not`"),
        ({"config": {"alerts": {}}}, "set by the bench"),
        ({"expect": {"outcome": "repaired", "within": "5s"}}, "`actions` are named"),
        ({"expect": {"outcome": "untouched", "actions": ["x"], "within": "5s"}}, "there are no `actions`"),
        ({"expect": {"outcome": "repaired", "actions": ["x"], "planned": ["y"], "within": "5s"}}, "`planned` are some"),
        ({"expect": {"outcome": "told", "within": "5s"}}, "`told` needs `pages`"),
        ({"expect": {"outcome": "repaired", "actions": ["x"], "within": "soon"}}, "within"),
        ({"name": "other"}, "its name is other"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ScenarioError, match=r"crashed_service\.yaml") as told:
        load(changed(tmp_path, **changes))
    assert says in str(told.value)


def test_a_scenario_does_not_change_after_loading() -> None:
    scenario: Scenario = load(CRASHED)
    with pytest.raises(ValueError, match="frozen"):
        scenario.title = "another"


def test_what_needs_a_kernel_of_its_own_is_lived_on_the_simulated_port_and_not_shown_on_a_real_host() -> None:
    skewed = load_all()["clock_skewed"]
    ours, theirs = experiment.run(skewed, Zen, seed=3), experiment.run(skewed, Monit)
    assert (ours.outcome, ours.repaired, ours.to_be_repaired) == (Outcome.NOT_SHOWN, False, True)
    assert ours.because[0] == "needs a kernel of its own"
    assert re.search(r"clock jumps [1-9]\d* times in an hour: .*no rule of safety was broken", ours.because[1])
    assert (theirs.outcome, theirs.because) == (Outcome.NOT_SHOWN, ("needs a kernel of its own",))


def test_every_fault_that_a_scenario_names_on_the_simulated_port_is_there() -> None:
    named = {scenario.name: scenario.simulated for scenario in load_all().values() if scenario.simulated}
    assert set(named.values()) <= set(BY_NAME)
    assert all(load_all()[name].privileges is Privileges.KERNEL for name in named)


def test_an_interrupted_action_is_not_counted_beside_the_second_attempt_at_it() -> None:
    variant, scenarios = KilledBeforeTheDeed(), load_all()
    interrupted, again = (Performed("restart_service", "service:web", ended) for ended in ("failed", "verified"))
    variant.expectation(scenarios["crashed_service"].expect)
    assert list(variant.counted([interrupted, again])) == [again]
    variant.expectation(scenarios["stale_pidfile"].expect)
    whole = [interrupted, Performed("remove_stale_pidfile", "service:web", "failed"), again]
    assert list(variant.counted(whole)) == whole


def test_after_an_interrupted_action_people_may_be_asked_once_more_and_told_nothing_else() -> None:
    asked, other = "[zen ERROR] a: may restore_file baseline:hosts be done?", "[zen ERROR] a: hosts bad for 1 min"
    told = KilledBeforeTheDeed().told
    assert list(told([asked])) == [asked]
    assert list(told([asked, f"Re: {asked}"])) == [asked]
    assert list(told([asked, f"Re: {asked}", f"Re: {asked}"])) == [asked, f"Re: {asked}"]
    assert list(told([f"{asked} refused", f"{asked} no answer"])) == [f"{asked} refused"]
    assert list(told([asked, other])) == [asked, other]
    assert list(told([other, f"Re: {other}"])) == [other, f"Re: {other}"]
    assert list(told([])) == []


def test_a_dry_run_lists_what_is_done_without_what_only_another_one_brings_about() -> None:
    scenarios = load_all()
    assert scenarios["nameserver_returns"].expect.in_dry_run == ("switch_resolver",)
    assert scenarios["crashed_service"].expect.in_dry_run == ("restart_service",)


def test_where_the_kernel_cannot_cap_a_unit_that_is_told_and_nothing_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.scenario.has_cpu_controller", lambda: False)
    result = experiment.run(load_all()["runaway_capped"], Zen)
    assert (result.outcome, result.because) == (
        Outcome.NOT_SHOWN, ("needs the CPU controller of control groups",)
    )  # fmt: skip
