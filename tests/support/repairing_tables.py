"""Tables repaired and put back by the real actions on this host."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psutil

from tests.support.changing import Changing
from zen_agents.actions.put_back_rows import PutBackRows
from zen_agents.actions.repair_data import RepairData
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.jobs.table_repair import WORKER
from zen_agents.model.action import Effect, Plan


def plan(here: Changing, asked: Contract) -> Plan:
    """Plan a repair."""
    return here.plan(RepairData(), "dataset:orders", {"contract": contract_to_plain(asked)})


def execute(here: Changing, planned: Plan) -> Effect:
    """Do it."""
    return asyncio.run(RepairData().execute(planned, here.control()))


def undone(here: Changing, planned: Plan, effect: Effect) -> Effect:
    """Take it back."""
    inverse = RepairData().inverse(planned, effect)
    assert inverse is not None and inverse.action == PutBackRows.name
    taken = here.planned(PutBackRows(), inverse)
    return asyncio.run(PutBackRows().execute(taken, here.control()))


def missing(here: Changing, planned: Plan, effect: Effect) -> str:
    """Return what is not as it was before, once it was taken back."""
    inverse = RepairData().inverse(planned, effect)
    assert inverse is not None
    here.survey(PutBackRows(), inverse)
    back = Plan(inverse, (), (), "", PutBackRows.risk, PutBackRows.reversible, PutBackRows.budget)
    return PutBackRows().missing(back, here.host.look())


def worker() -> psutil.Process | None:
    """Return the worker that was started from here."""
    for each in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if WORKER in each.cmdline():
                return each
    return None


def kill_worker() -> None:
    """Kill it, and see that it is gone."""
    found = worker()
    assert found is not None
    found.kill()
    found.wait(20)
