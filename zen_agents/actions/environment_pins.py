"""The file that pins what an environment holds: what an upgrade changes in it is shown, and written where that is wanted."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from zen_agents.actions.replacing import Replacement, present_digest, replace_files, replaceable
from zen_agents.drift.declared import sha256
from zen_agents.errors import StalePlanError
from zen_agents.ports.host import HostControl

#: More of a difference is not shown; the file has all of it once it is written.
_MOST_LINES = 200


def difference(path: str, before: str, after: str) -> str:
    """Return what would change in the file, as a unified diff; "" if nothing would."""
    lines = [*difflib.unified_diff(before.splitlines(), after.splitlines(), path, path, lineterm="", n=1)]
    return "\n".join(lines[:_MOST_LINES])


async def write_pins(path: str, before: str, after: str, control: HostControl, *, action: str) -> Sequence[dict[str, str]]:
    """Replace the file, whose old content is kept; StalePlanError if it is not what was planned for any more."""
    view = control.view
    state = replaceable(path, view)
    if state is None or present_digest(state, view) != sha256(before.encode()):
        raise StalePlanError(f"{path} was changed meanwhile; it was left as it is")
    return await replace_files([Replacement(path, after.encode(), state, state)], control, action=action, test=None)
