"""How the actions take several files out of their place: each into the quarantine, the rest left where one cannot go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from zen_agents.actions.scope import in_thread, parent_of
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import Effect
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_files import FileState


async def taken_away(states: Sequence[FileState], control: HostControl, *, action: str, before: str) -> Effect:
    """Move files that still are what was seen into the quarantine, and say which; raises if not even the first could go."""
    done: list[dict[str, str]] = []

    def work(go_on: Callable[[], None]) -> None:
        for state in states:
            go_on()
            with control.open_directory(parent_of(state.path)) as parent:
                done.append({"path": state.path, "quarantine": parent.quarantine(state, action=action)})

    left = ""
    try:
        await in_thread(work, control)
    except (HostError, RefusedError, StalePlanError, UnsafePathError) as error:
        if not done:
            raise
        left = f"; the others are where they were: {error}"
    moved = ", ".join(each["path"] for each in done)
    said = f"moved into the quarantine: {moved}{left}"
    return Effect(True, said, before=before, after="in the quarantine", undo={"files": done})
