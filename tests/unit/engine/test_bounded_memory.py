"""What an engine keeps in memory does not grow with what it has done: counted object by object, not measured."""

from __future__ import annotations

import gc
from datetime import timedelta
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any
from weakref import ReferenceType

from tests.support.rig import Rig
from zen_agents.actions.base import ActionPolicy
from zen_agents.guards.base import Limit

#: Code, and the dead references to cursors that a connection drops by the two hundred.
_NOT_KEPT = (ModuleType, FunctionType, BuiltinFunctionType, CodeType, type, ReferenceType)
#: Longer than any window in which something is counted, but those of a day.
_APART_SECONDS = 5 * 3600.0


def kept(rig: Rig) -> int:
    """Return how many objects the engine holds, the numbers and texts in them as well; the host and the test's own not."""
    others: tuple[Any, ...] = (rig, rig.host, rig.told, rig.controls, rig.clock)
    seen, waiting = {id(each) for each in others}, [rig.parts, rig.tick, rig.running, rig.recorder]
    count = 0
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, _NOT_KEPT):
            continue
        seen.add(id(found))
        count += 1
        waiting.extend(gc.get_referents(found))
    return count


async def repair(rig: Rig, times: int) -> None:
    """Have a service die and be repaired so often, hours apart."""
    for _ in range(times):
        rig.host.crash("web")
        await rig.run(60)
        rig.host.advance(_APART_SECONDS)
        await rig.turn()
        rig.told.messages.clear()
        rig.controls.clear()
        rig.host.changes.clear()


async def test_a_hundred_repairs_leave_no_more_in_memory_than_ten(tmp_path: Path) -> None:
    rig = Rig(tmp_path, recurrence=Limit(1000, 14400.0), allowed={"restart_service": ActionPolicy(cooldown=timedelta(0))})
    await rig.turn()
    await repair(rig, 10)
    few = kept(rig)
    await repair(rig, 90)
    assert rig.outcomes() == ["verified"] * 100
    assert few > 200
    assert kept(rig) <= few
