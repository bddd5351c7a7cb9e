"""Whole runs: a real fault on a real host, judged from outside."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from chaos import experiment
from chaos.engines.base import AS_ALWAYS, Contender, Launch
from chaos.engines.monit import Monit
from chaos.engines.none import NoEngine
from chaos.engines.systemd import Systemd
from chaos.engines.zen import Zen
from chaos.host import DisposableHost, HostUnavailableError
from chaos.kinds import Right
from chaos.result import Outcome, Result
from chaos.scenario import Expectation, Scenario, load_all
from chaos.sweep import Run, carried_out
from chaos.variants.alerting_down import AlertingDown
from chaos.variants.base import Variant
from chaos.variants.dry_run import DryRun
from chaos.variants.killed_mid_action import KilledAfterTheDeed
from chaos.variants.late_approval import LateApproval
from scripts.benchmarks import monit

pytestmark = [pytest.mark.systemd, pytest.mark.needs_root, pytest.mark.slow]

SCENARIOS = load_all()


def ran(scenario: Scenario, kind: type[Contender], *oracles: experiment.Oracle) -> Result:
    try:
        return experiment.run(scenario, kind, oracles=oracles)
    except HostUnavailableError as reason:
        pytest.skip(str(reason))


def varied(scenario: Scenario, variant: type[Variant]) -> Result:
    try:
        return experiment.run(scenario, Zen, variant=variant)
    except HostUnavailableError as reason:
        pytest.skip(str(reason))


def soon(name: str, seconds: float = 3) -> Scenario:
    """Return a scenario that gives a contender little time."""
    scenario = SCENARIOS[name]
    expect = scenario.expect.model_copy(update={"within": timedelta(seconds=seconds)})
    return scenario.model_copy(update={"expect": expect})


@pytest.mark.parametrize("name", ["crashed_service", "wrong_permissions"])
def test_the_engine_repairs_and_what_it_says_fits_what_is_seen(name: str) -> None:
    result = ran(SCENARIOS[name], Zen)
    assert (result.outcome, result.because) == (Outcome.PASSED, ())
    assert result.repaired
    assert sorted(done.action for done in result.actions) == sorted(SCENARIOS[name].expect.actions)
    assert {done.outcome for done in result.actions} == {"verified"}
    # By its own command, and the fault was there again: else the run would not have passed.
    undone = [done.undone for done in result.actions if done.claims_inverse]
    assert undone == [True] * (2 if name == "wrong_permissions" else 0)
    seconds = result.seconds
    assert None not in (seconds.detected, seconds.acted, seconds.verified, seconds.repaired, seconds.held)
    assert 0 < seconds.detected <= seconds.acted <= seconds.verified  # type: ignore[operator]
    assert seconds.acted < seconds.repaired < seconds.held  # type: ignore[operator]
    assert result.cost.cpu_seconds > 0
    assert result.cost.rss_kib > 0
    assert json.loads(json.dumps(result.as_json()))["scenario"] == name


def test_the_engine_leaves_alone_what_a_person_stopped_and_tells() -> None:
    result = ran(SCENARIOS["stopped_by_person"], Zen)
    assert (result.outcome, result.because) == (Outcome.PASSED, ())
    assert len(result.pages) == 1, "told after its patience, once"
    assert result.seconds.detected is not None, "it was seen, so it was a decision"
    assert result.actions == ()


@pytest.mark.skipif(not monit.is_installed(), reason=monit.WHY_NOT)
def test_monit_repairs_the_crash_and_undoes_what_a_person_wanted() -> None:
    crashed = ran(SCENARIOS["crashed_service"], Monit)
    assert (crashed.outcome, crashed.because) == (Outcome.PASSED, ())
    assert crashed.seconds.acted is not None
    stopped = ran(SCENARIOS["stopped_by_person"], Monit)
    assert stopped.outcome is Outcome.FAILED
    assert "what was to be left alone was undone" in stopped.harm


def test_systemd_restarts_the_crashed_unit_and_says_what_it_cannot_do() -> None:
    assert ran(SCENARIOS["crashed_service"], Systemd).outcome is Outcome.PASSED
    cannot = ran(SCENARIOS["wrong_permissions"], Systemd)
    assert (cannot.outcome, cannot.repaired) == (Outcome.CANNOT, False)


def test_a_fault_that_comes_back_is_injected_again_after_each_repair_and_a_person_may_act_before() -> None:
    plain = SCENARIOS["crashed_service"].model_dump(by_alias=True)
    pausing = {"operator": {"zen": ["pause", "--for", "1h", "--reason", "a new disk"]}}
    again = {"fault": "crashed_service", "repeat": {"times": 2, "every": "100ms", "within": "10s"}}
    expect = {"outcome": "repaired", "actions": ["restart_service"] * 2, "within": "15s"}
    scenario = Scenario.model_validate({**plain, "method": [pausing, again], "expect": expect})
    repaired = ran(scenario, Systemd)
    assert (repaired.repaired, len(repaired.actions), repaired.unnecessary) == (True, 2, ())
    assert repaired.harm == ("web was started 1 times too often",), "the fault itself allows one start"
    paused = ran(
        scenario.model_copy(update={"expect": Expectation(outcome=Right.UNTOUCHED, within=timedelta(seconds=2))}), Zen
    )
    assert (paused.actions, paused.repaired) == ((), False)


@pytest.mark.parametrize("name", ["crashed_service", "wrong_permissions"])
def test_without_an_engine_nothing_is_repaired_and_no_harm_is_seen(name: str) -> None:
    result = ran(soon(name), NoEngine)
    assert (result.outcome, result.repaired, result.harm) == (Outcome.FAILED, False, ())
    assert "not repaired within 3 s" in result.because


def test_what_is_not_built_is_waiting_and_counts_as_not_repaired() -> None:
    scenario = SCENARIOS["crashed_service"].model_copy(update={"needs": ("restart_service", "reading_minds")})
    result = experiment.run(scenario, Zen)
    assert (result.outcome, result.repaired, result.because) == (Outcome.WAITING, False, ("needs reading_minds",))


class Meddling(NoEngine):
    """Repairs, and changes something else as well."""

    name = "meddling"

    def start(self, launch: Launch = AS_ALWAYS) -> None:
        script = "while systemctl is-active web; do :; done; systemctl start web; echo 10.0.0.9 db >> /etc/hosts"
        self.host.run(["systemd-run", "--quiet", "--unit=chaos-meddling", "--", "sh", "-c", script], check=True)


def test_a_change_beside_the_repair_and_a_broken_invariant_are_harm() -> None:
    def broken(host: DisposableHost, contender: Contender) -> Sequence[str]:
        return [f"{contender.name} on {host.read_file('/etc/hostname').strip() and 'a host'}"]

    result = ran(SCENARIOS["crashed_service"], Meddling, broken)
    assert result.repaired
    assert result.outcome is Outcome.FAILED
    assert any("file /etc/hosts" in line for line in result.harm)
    assert "meddling on a host" in result.harm


@pytest.mark.parametrize("variant", [KilledAfterTheDeed, AlertingDown, DryRun], ids=lambda kind: kind.name)
def test_the_engine_is_right_also_while_something_else_goes_wrong(variant: type[Variant]) -> None:
    name = "stopped_by_person" if variant is AlertingDown else "crashed_service"
    result = varied(SCENARIOS[name], variant)
    assert (result.outcome, result.because) == (Outcome.PASSED, ())
    assert result.variant == variant.name


def test_a_variant_that_did_not_come_about_is_not_passed() -> None:
    harmless = SCENARIOS["stopped_by_person"]
    never = type("Never", (KilledAfterTheDeed,), {"within_seconds": 3.0})
    result = varied(harmless, never)
    assert result.outcome is Outcome.FAILED
    assert any("it was not killed" in sentence for sentence in result.because)


def test_an_approval_of_what_has_moved_meanwhile_is_not_carried_out_and_is_asked_anew() -> None:
    result = varied(SCENARIOS["wrong_permissions"], LateApproval)
    assert (result.outcome, result.because) == (Outcome.PASSED, ())
    assert sorted(done.outcome for done in result.actions) == ["verified", "verified"]


def test_with_others_what_goes_wrong_with_an_engine_is_not_shown() -> None:
    assert experiment.run(SCENARIOS["crashed_service"], Systemd, variant=DryRun).outcome is Outcome.CANNOT


class Stumbling(NoEngine):
    """Cannot be started."""

    name = "stumbling"

    def start(self, launch: Launch = AS_ALWAYS) -> None:
        raise RuntimeError("it has no legs")


def test_where_the_bench_itself_fails_nothing_is_said_about_the_contender_and_others_go_on() -> None:
    try:
        result = carried_out(Run(SCENARIOS["crashed_service"], Stumbling, Variant, seed=4))
    except HostUnavailableError as reason:
        pytest.skip(str(reason))
    assert (result.outcome, result.engine, result.seed) == (Outcome.BROKEN, "stumbling", 4)
    assert result.because == ("the bench could not judge it: RuntimeError: it has no legs",)
