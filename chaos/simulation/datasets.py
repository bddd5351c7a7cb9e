"""A table on the simulated host: what workers would say of it, while it is well and while it is spoiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from zen_agents.datasets.finding import Finding, Outcome, Report
from zen_agents.datasets.plain import report_to_plain
from zen_agents.jobs.data_check import DataCheckReply
from zen_agents.jobs.data_repair import TableRepair
from zen_agents.jobs.table_repair import TableReply
from zen_agents.model.severity import Severity

if TYPE_CHECKING:
    from chaos.simulation.host import SimulatedHost

ORDERS: Final = "orders"
_FOLDER: Final = "/srv/shop"
_FILE: Final = f"{_FOLDER}/shop.db"
_ROWS, _BAD_ROWS = 500, 3


def hold_orders(host: SimulatedHost) -> None:
    """Put the table there, with nothing wrong in it."""
    host.files.add_directory(_FOLDER, mode=0o755)
    host.files.add_file(_FILE, size=1 << 16)
    host.datasets[ORDERS], host.spoiled_looks[ORDERS] = _look(0), _look(_BAD_ROWS)


def spoil_orders(host: SimulatedHost) -> None:
    """Spoil some rows, as a bad import does; what repairs the table ends it."""
    repair = TableRepair(place=ORDERS, rows=_ROWS, kept=_ROWS, changed=_BAD_ROWS, about="0123456789abcdef")
    host.tables[ORDERS] = TableReply(repair=repair).model_dump_json()


def are_spoiled(host: SimulatedHost) -> bool:
    """Tell whether rows of it are spoiled now."""
    return ORDERS in host.tables


def agent() -> dict[str, Any]:
    """Return the section of the agent that looks after it."""
    contract = {
        "source": {"sqlite": _FILE, "table": ORDERS}, "expect": [{"column": "name", "not_null": True}], "repair": ["trim"],
    }  # fmt: skip
    return {"interval": 300, "datasets": {ORDERS: {**contract, "every": "10m"}}}


def allowed() -> dict[str, Any]:
    """Return what is allowed for it."""
    return {"paths": [_FOLDER], "cooldown": "2m"}


def _look(bad: int) -> str:
    outcome = Outcome.FAILED if bad else Outcome.PASSED
    finding = Finding("not_null.name", "not_null", ("name",), outcome, Severity.ERROR, bad, _ROWS)
    report = Report(ORDERS, f"{ORDERS} of {_FILE}", 1.0, _ROWS, (finding,))
    return DataCheckReply(report=report_to_plain(report)).model_dump_json()
