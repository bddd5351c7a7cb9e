"""What the look at a data set becomes: a number for each severity, and no word of what stands in the rows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from chaos.simulation.host import SimulatedHost
from zen_agents.checks.dataset import DatasetCheck
from zen_agents.datasets.contract import Check, Contract, Tell
from zen_agents.datasets.finding import Cell, ColumnProfile, FailingRow, Finding, Outcome, Profile, Report
from zen_agents.datasets.plain import profile_to_plain, report_to_plain
from zen_agents.datasets.questions import NotNull, Readable
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.errors import HostError
from zen_agents.jobs.data_check import DataCheckReply
from zen_agents.model.observation import Observation, Status
from zen_agents.model.severity import Severity
from zen_agents.ports.host import HostView
from zen_agents.ports.host_datasets import DataQuestion, LookTold

CONTRACT = Contract(
    "orders", Source(SourceKind.CSV, "/srv/orders.csv"),
    checks=(Check(Readable(), "readable"), Check(NotNull("a"), "not_null.a", severity=Severity.WARNING)),
)  # fmt: skip
PROFILE = Profile(9, (ColumnProfile("a", quantiles=(1.0, 2.0)),))
ROWS = (FailingRow(7, "", (Cell("id", "secret"),), (Cell("a", None),)),)


def check() -> DatasetCheck:
    return DatasetCheck(CONTRACT, {}, every_seconds=900.0)


def report(readable: Outcome, not_null: Outcome, unknown: str = "") -> Report:
    reason = "" if not_null is Outcome.PASSED else "3 of 9 rows"
    findings = (
        Finding("readable", "readable", (), readable, Severity.ERROR, reason="it is cut off"),
        Finding("not_null.a", "not_null", ("a",), not_null, Severity.WARNING, 3, 9, ROWS, reason),
    )
    return Report("orders", "/srv/orders.csv", 1.0, 9, findings, unknown, profile=PROFILE)


def answered(found: Report) -> SimulatedHost:
    host = SimulatedHost()
    host.datasets["orders"] = DataCheckReply(report=report_to_plain(found)).model_dump_json()
    return host


async def seen(found: Report) -> dict[str, Observation]:
    host = answered(found)
    return {each.name: each for each in await check().probe(host.look(), host.clock.now())}


@pytest.mark.parametrize(
    ("readable", "not_null", "unknown", "warning", "error"),
    [
        (Outcome.PASSED, Outcome.PASSED, "", Status.OK, Status.OK),
        (Outcome.PASSED, Outcome.TOLERATED, "", Status.OK, Status.OK),
        (Outcome.PASSED, Outcome.FAILED, "", Status.PROBLEM, Status.OK),
        (Outcome.FAILED, Outcome.UNKNOWN, "", Status.UNKNOWN, Status.PROBLEM),
        (Outcome.UNKNOWN, Outcome.UNKNOWN, "the disk is away", Status.UNKNOWN, Status.UNKNOWN),
    ],
)
async def test_each_severity_for_itself(
    readable: Outcome, not_null: Outcome, unknown: str, warning: Status, error: Status
) -> None:
    found = await seen(report(readable, not_null, unknown))
    assert {name: each.status for name, each in found.items()} == {
        "data.orders.warning": warning,
        "data.orders.error": error,
    }


async def test_how_many_rows_are_told_and_where_and_never_what_stands_there() -> None:
    failed = (await seen(report(Outcome.PASSED, Outcome.FAILED)))["data.orders.warning"]
    assert (failed.value, failed.detail) == (1.0, "not_null.a: 3 of 9 rows (row 7, ...)")
    assert failed.fingerprint == "not_null.a" and "secret" not in str(failed)


@pytest.mark.parametrize(
    ("tell", "said"),
    [("nothing", "not_null.a: 3 of 9 rows"), ("keys", f"not_null.a: 3 of 9 rows (row 7 of b.csv id={'x' * 40}, ...)")],
)
async def test_a_contract_says_what_of_failing_rows_is_told(tell: Tell, said: str) -> None:
    row = FailingRow(7, "/srv/b.csv", (Cell("id", "x" * 99),), (Cell("a", "in the cell"),))
    found = report(Outcome.PASSED, Outcome.FAILED)
    host = answered(replace(found, findings=tuple(replace(each, evidence=(row,)) for each in found.findings)))
    asking = DatasetCheck(replace(CONTRACT, tell=tell), {}, every_seconds=900.0)
    told = {each.name: each for each in await asking.probe(host.look(), host.clock.now())}
    assert told["data.orders.warning"].detail == said and "in the cell" not in str(told)


async def test_the_next_look_is_compared_with_the_last_good_one() -> None:
    async def ask(of: DatasetCheck, found: Report) -> Any:
        host, questions = answered(found), []

        class View:
            async def check_data(self, asked: DataQuestion, told: LookTold) -> str:
                told("not_null.a", 0.5)
                questions.append(asked)
                assert of.how_far() == ("not_null.a", 0.5)
                return host.datasets["orders"]

        assert of.how_far() == ("", None)
        await of.probe(View(), host.clock.now())  # type: ignore[arg-type]
        assert of.how_far() == ("", None)
        return json.loads(questions[0].request_json)["before"]

    of = check()
    assert of.memory() is None
    assert await ask(of, report(Outcome.PASSED, Outcome.FAILED)) is None
    assert await ask(of, report(Outcome.PASSED, Outcome.PASSED)) is None
    again = check()
    again.recall(json.loads(json.dumps(of.memory())))
    assert await ask(again, report(Outcome.PASSED, Outcome.FAILED)) == profile_to_plain(PROFILE)
    again.recall({"runs": "nonsense"})
    assert again.memory() is None


async def test_what_the_runs_came_to_is_remembered_without_what_stands_in_their_rows() -> None:
    of = check()
    host = answered(report(Outcome.PASSED, Outcome.FAILED))
    await of.probe(host.look(), host.clock.now())
    (run,) = (of.memory() or {})["runs"]
    assert (run["outcome"], run["rows"], run["named"]) == ("failed", 9, [{"check": "not_null.a", "count": 3, "total": 9}])
    assert "secret" not in json.dumps(of.memory())


async def test_nonsense_is_no_answer() -> None:
    host = SimulatedHost()
    host.datasets["orders"] = "{}"
    view: HostView = host.look()
    with pytest.raises(HostError, match="nonsense"):
        await check().probe(view, host.clock.now())
