"""Programs that run with the rights of their owner or group, whoever starts them, and that nobody listed."""

from __future__ import annotations

import stat
from collections.abc import Collection

from zen_agents.dataclass import dataclass
from zen_agents.drift.declared import held_content, sha256
from zen_agents.errors import HostError
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState
from zen_agents.ports.walk import walk


@dataclass(frozen=True, slots=True)
class SetuidFiles:
    """What was found below a directory."""

    #: Those that nobody listed, in the order of their paths.
    unlisted: tuple[FileState, ...]
    #: True if everything below the directory was seen.
    complete: bool


def setuid_files(path: str, known: Collection[str], host: HostView) -> SetuidFiles:
    """Look for them below a directory; HostError if it cannot be listed. One that is not there holds none."""
    found = walk(host, path, any_device=True)
    if found is None:
        return SetuidFiles((), complete=True)
    unlisted = (state for state in found.files if _lends_rights(state) and state.path not in known)
    return SetuidFiles(tuple(sorted(unlisted, key=lambda state: state.path)), found.complete)


def evidence_of(state: FileState, host: HostView) -> str:
    """Return in words what one is: mode, owner, size, and the hash of what it holds."""
    try:
        digest = f"sha256 {sha256(held_content(state, host))}"
    except HostError as error:
        digest = f"its hash is not known: {error}"
    return f"mode {state.mode:04o}, owner {state.owner}:{state.group}, {size_in_words(state.size)}, {digest}"


def _lends_rights(state: FileState) -> bool:
    # Without the right to execute it for the group, setgid asks for mandatory locks and lends nothing.
    return bool(state.mode & stat.S_ISUID) or (state.mode & (stat.S_ISGID | stat.S_IXGRP)) == stat.S_ISGID | stat.S_IXGRP
