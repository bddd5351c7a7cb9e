"""A monitoring plugin's answer, as an observation."""

from __future__ import annotations

import asyncio

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.script import ScriptCheck
from zen_agents.clock import SystemClock
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.host_plugins import PluginCall

PROGRAM = "/usr/lib/nagios/plugins/check_load"


def ask(status: int, output: str, *labels: str) -> dict[str, Observation]:
    host = SimulatedHost()
    host.plugins[PROGRAM] = (status, output)
    check = ScriptCheck("load", PluginCall((PROGRAM,), "nobody", 3.0), every_seconds=60.0, labels=labels)
    return {each.name: each for each in asyncio.run(check.probe(host.look(), SystemClock().now()))}


@pytest.mark.parametrize(
    ("status", "judged", "value", "said"),
    [
        (0, Status.OK, 0.0, "OK: so"), (1, Status.PROBLEM, 1.0, "WARNING: so"), (2, Status.PROBLEM, 2.0, "CRITICAL: so"),
        (3, Status.UNKNOWN, None, "so"), (42, Status.UNKNOWN, None, "so"),
    ],
)  # fmt: skip
def test_the_exit_status_judges(status: int, judged: Status, value: float | None, said: str) -> None:
    found = ask(status, "so|a=1")["script.load"]
    assert (found.status, found.value, found.detail, found.target) == (judged, value, said, "script:load")


def test_the_numbers_that_are_listed_are_observed_and_one_that_is_missing_is_unknown() -> None:
    found = ask(1, "so|load1=5.1;5;10;0; load5=0.5", "load1", "load15")
    assert (found["script.load.load1"].status, found["script.load.load1"].value) == (Status.OK, 5.1)
    missing = found["script.load.load15"]
    assert (missing.status, missing.detail) == (
        Status.UNKNOWN,
        "the plugin gives no number for load15; it gives load1, load5",
    )
    assert "script.load.load5" not in found


def test_of_an_answer_that_is_none_no_number_is_believed() -> None:
    assert {each.status for each in ask(3, "so|load1=5", "load1").values()} == {Status.UNKNOWN}
