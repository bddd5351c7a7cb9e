"""Mode and owner of one file: changed only where it still is what the plan has found, and has no other name."""

from __future__ import annotations

from collections.abc import Callable

from zen_agents.actions.scope import in_thread, parent_of
from zen_agents.errors import StalePlanError, UnsafePathError
from zen_agents.model.action import Plan
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_files import FileState


async def set_access(
    plan: Plan, path: str, look: Callable[[], FileState], control: HostControl, *, mode: int, owner: int, group: int
) -> None:
    """Set owner, then mode, on what `look` finds; StalePlanError if that is not what the plan has found."""

    def work(go_on: Callable[[], None]) -> None:
        state = look()
        if state.fingerprint != plan.fingerprint:
            raise StalePlanError
        go_on()
        with control.open_directory(parent_of(path)) as parent:
            parent.set_mode_and_owner(state, mode=mode, owner=owner, group=group)

    await in_thread(work, control)


def refuse_shared(state: FileState, path: str) -> None:
    """Raise UnsafePathError for a file with several names: what is set on one is set on all."""
    if state.kind == "file" and state.links != 1:
        raise UnsafePathError(f"{path} has {state.links} hard links; its mode is not only its own, so it is left")
