"""What a person stopped stays stopped (R28)."""

from __future__ import annotations

from zen_agents.guards import touched
from zen_agents.guards.base import Guard, Question
from zen_agents.model.reason import Reason
from zen_agents.model.verdict import Answer
from zen_agents.ports.host_units import Unit

_SWITCHED_OFF = frozenset({"disabled", "masked", "masked-runtime"})


class StoppedByPerson(Guard):
    """Refuses the engine to start a unit that ended well, is disabled or masked, unless its rule keeps it running."""

    name = "stopped_by_person"
    why = "A person's stop is not a fault."
    binds_people = False

    def assess(self, question: Question) -> Answer:
        direct = touched.units(question)
        # What is only taken along is not started by a restart, so it is not judged.
        along = {name for unit in direct.values() for name in unit.takes_along}
        stopped = [said for unit in direct.values() if unit.id not in along and (said := _stopped(unit))]
        origin = question.origin_of_service("keep")
        if not stopped:
            return self.allow("not stopped by a person", origin=origin)
        if question.request.target in question.policy.keep_running:
            return self.allow(f"{stopped[0]}, but it is to be kept running", origin=origin)
        return self.deny(Reason.STOPPED_BY_PERSON, stopped[0], origin=origin)


def _stopped(unit: Unit) -> str:
    """Return how a person's stop shows in the unit's state, "" if it does not."""
    if unit.load_state == "masked" or unit.unit_file_state.startswith("masked"):
        return f"{unit.id} is masked"
    if unit.active_state == "inactive" and unit.result == "success":
        return f"{unit.id} is inactive and ended well"
    if unit.active_state in ("inactive", "failed") and unit.unit_file_state in _SWITCHED_OFF:
        return f"{unit.id} is {unit.active_state} and {unit.unit_file_state}"
    return ""
