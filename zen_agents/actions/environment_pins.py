"""The file that pins what an environment holds: what an upgrade changes in it is shown, or written."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from zen_agents.actions.replacing import Replacement, replace_files, replaceable
from zen_agents.dataclass import dataclass
from zen_agents.drift.declared import held_content
from zen_agents.errors import StalePlanError
from zen_agents.model.environment import Edit, Rewrite
from zen_agents.packages.rewriting import AnotherTextError, rewritten
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState

#: More of a difference is not shown; the file has all of it once it is written.
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Pinned:
    """The file as it is, and as it would be."""

    state: FileState
    before: str
    after: str

    @property
    def difference(self) -> str:
        """What would change in it, as a unified diff."""
        path = self.state.path
        lines = difflib.unified_diff(self.before.splitlines(), self.after.splitlines(), path, path, lineterm="", n=1)
        return "\n".join([*lines][:_MOST_LINES])


def rewrite_of(detail: Mapping[str, Any] | None) -> Rewrite | None:
    """Return the rewrite that stands in a plan's detail, as plain JSON values."""
    if detail is None:
        return None
    return Rewrite(detail["before"], detail["after"], tuple(Edit(**each) for each in detail["edits"]))


def pinned(path: str, change: Rewrite, view: HostView) -> Pinned:
    """Look at the file; StalePlanError if it does not hold any more what was planned for. Blocks."""
    state = replaceable(path, view)
    if state is None:
        raise StalePlanError(f"{path} is gone meanwhile")
    try:
        before = held_content(state, view).decode()
        return Pinned(state, before, rewritten(before, change))
    except (AnotherTextError, UnicodeDecodeError) as error:
        raise StalePlanError(f"{path} was changed meanwhile; it was left as it is") from error


async def write_pins(file: Pinned, control: HostControl, *, action: str) -> Sequence[dict[str, str]]:
    """Replace the file, whose old content is kept; StalePlanError if it was changed since it was looked at."""
    wanted = Replacement(file.state.path, file.after.encode(), file.state, file.state)
    return await replace_files([wanted], control, action=action, test=None)
