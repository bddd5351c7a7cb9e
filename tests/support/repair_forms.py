"""A repair of a data set as an engine judges and does it: for what people see of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.support.upgrade_forms import a_judgement
from zen_agents.datasets.contract import Contract, Repair, RepairKind
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.engine.judged import judged_body
from zen_agents.model.verdict import Ruling

ORDERS = Contract("orders", Source(SourceKind.CSV, "/srv/data/orders.csv"), repairs=(Repair(RepairKind.TRIM),))


def answer(_path: object, verb: str, *_: object, **__: object) -> Mapping[str, Any]:
    """Return what an engine says to `judge` and to `act`."""
    if verb == "judge":
        plan = {
            "steps": [
                "of 5200 rows in /srv/data/orders.csv change 37, take out 2, drop 2 repetitions; keep what is there for undo"
            ],
            "touches": ["path:/srv/data/orders.csv", "path:/srv/data"],
        }
        judged = judged_body(a_judgement(Ruling.ALLOW))
        return {**judged, "plan": {**judged["plan"], **plan}}
    return {
        "action": "act-5d2k8r", "outcome": "verified", "took_seconds": 2.4,
        "detail": "/srv/data/orders.csv: 5200 rows in, 5196 kept (37 changed), 2 taken out to"
        " /srv/data/orders.csv.quarantined, 2 dropped as repeated",
    }  # fmt: skip
