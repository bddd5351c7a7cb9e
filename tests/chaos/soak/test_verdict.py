"""The verdict of a soak: what grows is found, what only wavers is not, and a short run judges no slope."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from chaos.invariants import Violation
from chaos.soak.course import PATIENCE_SECONDS, Course, Tally
from chaos.soak.pace import Pace
from chaos.soak.reasons import why_broken
from chaos.soak.report import FEWEST_SAMPLES, Judged, judge, markdown
from chaos.soak.sampling import Sample, slope
from tests.support.state import START, an_incident
from zen_agents.adapters.ledger_audit import Verification
from zen_agents.adapters.sqlite_store import SqliteStore
from zen_agents.clock import ManualClock
from zen_agents.model.incident import IncidentState
from zen_agents.model.reason import Reason
from zen_agents.ports.store import Brake

WHOLE = Verification(True, 10, None, None, "ab")
EVERY_SECONDS = 5.0


@dataclass
class Broken:
    """A fault that is repaired when it is said so."""

    name: str = "something"
    target: str = "path:something"
    repaired: bool = False

    def inject(self) -> None:
        self.repaired = False

    def is_repaired(self) -> bool:
        return self.repaired


def a_sample(number: int, **changes: Any) -> Sample:
    values = {"rss_kib": 48_000, "descriptors": 17, "threads": 4, "children": 1, "store_bytes": 1, "cpu_seconds": 0.1}
    return Sample(at=number * EVERY_SECONDS, **{**values, **changes})


def a_course(samples: list[Sample], speed: float = 1200.0) -> Course:
    return Course(Pace(speed), [], samples=samples, seconds=samples[-1].at)


def verdict(course: Course, ledger: Verification = WHOLE, violations: list[Violation] | None = None) -> dict[str, Judged]:
    return {each.what: each for each in judge(course, ledger, violations or [])}


def test_growth_is_told_for_a_day_of_host_time() -> None:
    # 40 KiB every five seconds at speed 1,200: 86,400 / 1,200 / 5 * 40 KiB a day.
    course = a_course([a_sample(number, rss_kib=48_000 + 40 * number) for number in range(120)])
    found = verdict(course)["memory slope"]
    assert found.found.startswith("+0.56 MB a day")
    assert found.met is True
    assert verdict(a_course(course.samples, speed=600.0))["memory slope"].met is False


def test_what_wavers_is_no_leak_and_one_more_descriptor_for_good_is() -> None:
    wavering = [a_sample(number, descriptors=17 + number % 3, threads=4 + number % 2) for number in range(300)]
    found = verdict(a_course(wavering))
    assert found["descriptors, by the slope over the run"].met is True
    assert found["threads, by the slope over the run"].met is True
    leaking = [a_sample(number, descriptors=17 + number % 3 + number // 100) for number in range(300)]
    assert verdict(a_course(leaking))["descriptors, by the slope over the run"].met is False


def test_what_grows_in_the_warm_up_alone_is_no_slope() -> None:
    course = a_course([a_sample(number, rss_kib=40_000 + 100 * min(number, 40)) for number in range(120)])
    assert verdict(course)["memory slope"].found.startswith("+0.00")


def test_nothing_is_judged_before_the_longest_past_of_a_measurement_is_full() -> None:
    # 8,192 samples of 15 s at speed 120 are 1,024 s.
    samples = [a_sample(number, rss_kib=48_000 + 1000 * min(number, 200)) for number in range(400)]
    assert verdict(a_course(samples[:204], speed=120.0))["memory and descriptors"].met is None
    assert verdict(a_course(samples, speed=120.0))["memory slope"].found.startswith("+0.00")


def test_a_short_run_judges_no_slope_and_says_so() -> None:
    course = a_course([a_sample(number, rss_kib=48_000 + 1000 * number) for number in range(FEWEST_SAMPLES)])
    assert verdict(course)["memory slope"].met is None
    assert "not judged: too short" in markdown(course, judge(course, WHOLE, []), "again")


def test_a_broken_ledger_and_a_broken_rule_miss() -> None:
    course = a_course([a_sample(number) for number in range(120)])
    broken = Verification(False, 3, None, None, "ab", problem="Entry 4 does not verify")
    found = verdict(course, broken, [Violation("R16", "an act without an intent")])
    assert (found["ledger"].met, found["ledger"].found) == (False, "Entry 4 does not verify")
    assert found["invariants broken"].met is False
    assert "R16" in found["invariants broken"].found


def test_a_slope_of_nothing_is_flat() -> None:
    assert slope([], lambda each: each.rss_kib) == slope([a_sample(0)], lambda each: each.rss_kib) == 0.0


def test_a_fault_is_broken_again_only_after_it_was_repaired() -> None:
    fault = Broken()
    tally = Tally(fault)
    for now in (0.0, 1.0, 2.0):
        tally.step(now, 10.0)
    assert (tally.injected, tally.repaired) == (1, [])
    assert not tally.overdue(PATIENCE_SECONDS)
    assert tally.overdue(PATIENCE_SECONDS + 0.1)
    fault.repaired = True
    tally.step(3.0, 10.0)
    tally.step(12.9, 10.0)
    assert (tally.injected, tally.repaired) == (1, [3.0])
    tally.step(13.0, 10.0)
    assert tally.injected == 2


@pytest.mark.parametrize(
    ("speed", "interval"), [(1.0, "300000ms"), (30.0, "10000ms"), (300.0, "1000ms"), (3000.0, "1000ms")]
)
def test_periods_are_divided_by_the_speed_as_far_as_settings_allow(speed: float, interval: str) -> None:
    pace = Pace(speed)
    assert pace.interval == interval
    assert pace.host_days(86_400.0) == speed


def test_a_fault_that_is_not_repaired_is_told_with_what_the_engine_says_of_it(tmp_path: Path) -> None:
    clock = ManualClock(START, 100.0)
    store = SqliteStore(tmp_path / "state.db")
    incident = replace(
        an_incident("inc-1", clock.now(), target="path:conf"), state=IncidentState.ESCALATED, attempts=2,
        escalated_for=Reason.LADDER_EXHAUSTED,
    )  # fmt: skip
    store.save_incident(incident)
    store.commit()
    assert "after 2 attempts of rung 1" in why_broken(tmp_path, "path:conf")
    assert "ladder_exhausted (Every rung was tried without success.)" in why_broken(tmp_path, "path:conf")
    assert why_broken(tmp_path, "path:spool") == "the engine has no incident of it"
    assert why_broken(tmp_path / "none", "path:conf").startswith("the state cannot be read")
    store.set_brake(Brake("safe_mode", "host", "a storm", "engine", clock.now(), None))
    store.commit()
    assert why_broken(tmp_path, "path:spool") == "safe_mode: a storm"
    store.close()
    course = a_course([a_sample(0), a_sample(1)])
    course.overdue["mode changed"] = "ladder_exhausted"
    found = verdict(course)["faults not repaired in time"]
    assert (found.found, found.met) == ("mode changed (ladder_exhausted)", False)
