"""Repairs a file of a data set, restores it or puts it back: `python -m tests.support.repairing_data DIRECTORY VERB`."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from tests.support.changing import Changing, changing, changing_again
from tests.support.datasets import contract, open_to_others
from zen_agents.actions.base import Action
from zen_agents.actions.put_back_data import PutBackData
from zen_agents.actions.repair_data import RepairData
from zen_agents.actions.restore_data import RestoreData
from zen_agents.adapters.quarantine import Quarantine
from zen_agents.adapters.safe_files import tidy
from zen_agents.clock import SystemClock
from zen_agents.datasets.contract import Contract, Repair, RepairKind
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.datasets.questions import NotNull
from zen_agents.model.action import ActionRequest, Plan

ROWS = b"id,v\n" + b"".join(b"%d, a\n" % number for number in range(300)) + b"300,\n"
MENDED = ROWS.replace(b" ", b"").replace(b"300,\n", b"")
GOOD = b"id,v\n1,good\n"
TAKEN = [{"row": 301, "reason": "not_null.v", "values": {"id": "300", "v": None}}]


@dataclass(slots=True)
class RepairSite:
    """One file, its good copy, and the place for rows that are taken out, each in a directory of its own."""

    directory: Path
    here: Changing

    @property
    def file(self) -> Path:
        """The file."""
        return self.directory / "data" / "a.csv"

    @property
    def contract(self) -> Contract:
        """What is expected of it, and what may be done."""
        repairs = (Repair(RepairKind.TRIM), Repair(RepairKind.QUARANTINE_ROWS), Repair(RepairKind.RESTORE_SNAPSHOT))
        return replace(
            contract(self.file, NotNull("v")), repairs=repairs, repair_at_most=1.0,
            snapshots=str(self.directory / "good"), quarantine=str(self.directory / "taken"),
        )  # fmt: skip

    def planned(self, verb: str) -> tuple[Action, Plan]:
        """Plan to repair it, or to restore it."""
        action: Action = {"repair": RepairData(), "restore": RestoreData()}[verb]
        return action, self.here.plan(action, "dataset:orders", {"contract": contract_to_plain(self.contract)})

    def do(self, action: Action, plan: Plan) -> ActionRequest:
        """Do what was planned, and return how that is undone."""
        effect = asyncio.run(action.execute(plan, self.here.control()))
        return ActionRequest("put_back_data", "dataset:orders", dict(effect.undo or {}))

    def undoing(self, request: ActionRequest) -> tuple[Action, Plan]:
        """Plan to undo it."""
        return PutBackData(), PutBackData().plan(request, self.here.host.look())

    def next_start(self) -> None:
        """Do what an engine does as it starts."""
        quarantine = Quarantine(self.here.state_dir / "quarantine", SystemClock())
        quarantine.forget_unfinished()
        tidy(quarantine)

    def left(self) -> list[str]:
        """Return what else than the three lies in the directories of the host."""
        expected = {"data/a.csv", "good/a.csv"}
        found = {str(each.relative_to(self.directory)) for part in ("data", "good", "taken")
                 for each in (self.directory / part).iterdir()}  # fmt: skip
        return sorted(each for each in found - expected if not each.endswith(".quarantined"))

    def taken(self) -> list[object]:
        """Return all rows that were taken out, wherever they lie."""
        files = sorted((self.directory / "taken").glob("*.quarantined"))
        return [json.loads(line) for each in files for line in each.read_text(encoding="utf-8").splitlines()]


def repair_site(directory: Path) -> RepairSite:
    """Make one in an empty directory."""
    for part in ("data", "good", "taken"):
        (directory / part).mkdir()
    (directory / "data" / "a.csv").write_bytes(ROWS)
    (directory / "good" / "a.csv").write_bytes(GOOD)
    open_to_others(directory)
    return RepairSite(directory, changing(directory))


if __name__ == "__main__":
    where = Path(sys.argv[1])
    site = RepairSite(where, changing_again(where))
    if sys.argv[2] == "put_back":
        site.do(*site.undoing(ActionRequest("put_back_data", "dataset:orders", json.loads(sys.argv[3]))))
    else:
        site.do(*site.planned(sys.argv[2]))
