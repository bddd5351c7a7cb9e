"""How the actions on contents replace one file: staged beside it, tested there, swapped in one step, the old one kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from zen_agents.actions.config_test import ConfigTestParams, must_pass
from zen_agents.actions.scope import file_name, in_thread, parent_of, plain_path
from zen_agents.drift.declared import sha256
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.ports.host import Command, FileState, HostControl, HostView

#: What systemd is told after a unit's file has changed.
_RELOAD = Command(("systemctl", "daemon-reload"), timeout_seconds=60.0)
_MISSING = "missing"


def replaceable(path: str, host: HostView) -> FileState | None:
    """Return the file that would be replaced, None if there is none; UnsafePathError for what is never replaced."""
    state = host.file(plain_path(path))
    if state is not None and state.kind != "file":
        raise UnsafePathError(f"{path} is a {state.kind}, not a file; look at who put it there")
    if state is not None and state.links != 1:
        raise UnsafePathError(f"{path} has {state.links} hard links; it is not only its own, so it is left")
    return state


def present_digest(state: FileState | None, host: HostView) -> str:
    """Return the hash of what is there, `missing` if nothing is."""
    return _MISSING if state is None else sha256(host.content(state.path) or b"")


def identity(state: FileState | None, wanted: str) -> str:
    """Return the fingerprint of a plan that puts `wanted` in the place of `state`."""
    return f"{state.fingerprint if state is not None else _MISSING}+{wanted}"


async def replace_file(
    path: str, content: bytes, like: FileState, expected: FileState | None, control: HostControl, *, action: str,
    test: ConfigTestParams | None,
) -> str:  # fmt: skip
    """Replace a file that still is as expected; return the id of the old one in the quarantine, "" if there was none.

    Raises ActionFailedError if the candidate does not pass its test, StalePlanError if the file changed meanwhile; then
    nothing was replaced.
    """

    def put(go_on: Callable[[], None]) -> FileState:
        go_on()
        with control.open_directory(parent_of(path)) as parent:
            return parent.stage(content, like)

    def swap(go_on: Callable[[], None]) -> str:
        go_on()
        with control.open_directory(parent_of(path)) as parent:
            return parent.swap(candidate, expected, file_name(path), action=action)

    def discard(go_on: Callable[[], None]) -> None:
        del go_on
        with control.open_directory(parent_of(path)) as parent:
            parent.discard(candidate)

    candidate = await in_thread(put, control)
    try:
        if test is not None:
            await must_pass(test, candidate.path, control)
        return await in_thread(swap, control)
    except BaseException:
        # What cannot be removed now is removed at the next start.
        with contextlib.suppress(HostError, RefusedError, StalePlanError, UnsafePathError):
            await in_thread(discard, control)
        raise


async def reload_units(control: HostControl) -> None:
    """Have systemd read all units again; ActionFailedError if it does not."""
    result = await control.run(_RELOAD)
    if result.exit_code != 0 or result.timed_out:
        raise ActionFailedError(
            f"the file was put there, but systemctl daemon-reload failed: {result.output.strip()[-300:]}"
        )
