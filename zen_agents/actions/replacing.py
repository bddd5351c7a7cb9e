"""How the actions on contents replace one file: staged beside it, tested there, swapped in one step, the old one kept."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from zen_agents.actions.config_test import ConfigTestParams, must_pass
from zen_agents.actions.scope import file_name, in_thread, parent_of, plain_path
from zen_agents.dataclass import dataclass
from zen_agents.drift.declared import held_content, sha256
from zen_agents.errors import ActionFailedError, HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_commands import Command
from zen_agents.ports.host_files import FileState

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
    return _MISSING if state is None else sha256(held_content(state, host))


def identity(state: FileState | None, wanted: str) -> str:
    """Return the fingerprint of a plan that puts `wanted` in the place of `state`."""
    return f"{state.fingerprint if state is not None else _MISSING}+{wanted}"


@dataclass(frozen=True, slots=True)
class Replacement:
    """One file that is to hold something else."""

    path: str
    content: bytes
    #: Whose mode and owner it gets.
    like: FileState
    #: What is there now, None for nothing.
    expected: FileState | None


async def replace_files(
    wanted: Sequence[Replacement], control: HostControl, *, action: str, test: ConfigTestParams | None
) -> list[dict[str, str]]:
    """Replace files that still are as expected; return of each what its undo needs.

    All candidates pass their test before the first is replaced. Raises ActionFailedError if one does not, StalePlanError if
    a file changed meanwhile; then nothing was replaced, or the error says what was.
    """

    def put(go_on: Callable[[], None]) -> None:
        for each in wanted:
            go_on()
            with control.open_directory(parent_of(each.path)) as parent:
                staged.append(parent.stage(each.content, each.like))

    def swap(go_on: Callable[[], None]) -> None:
        for each, candidate in zip(wanted, staged, strict=True):
            go_on()
            with control.open_directory(parent_of(each.path)) as parent:
                kept = parent.swap(candidate, each.expected, file_name(each.path), action=action)
            done.append({"path": each.path, "quarantine": kept, "left": sha256(each.content)})

    staged: list[FileState] = []
    done: list[dict[str, str]] = []
    try:
        await in_thread(put, control)
        if test is not None:
            for candidate in staged:
                await must_pass(test, candidate.path, control)
        await in_thread(swap, control)
    except (HostError, RefusedError, StalePlanError, UnsafePathError) as error:
        if done:
            kept = ", ".join(f"{each['path']} ({each['quarantine']})" for each in done)
            raise ActionFailedError(f"only a part was replaced, {kept}: {error}") from error
        raise
    finally:
        await _discard(staged[len(done) :], control)
    return done


async def _discard(staged: Sequence[FileState], control: HostControl) -> None:
    def work(go_on: Callable[[], None]) -> None:
        del go_on
        for candidate in staged:
            with control.open_directory(parent_of(candidate.path)) as parent:
                parent.discard(candidate)

    # What cannot be removed now is removed at the next start.
    with contextlib.suppress(HostError, RefusedError, StalePlanError, UnsafePathError):
        await in_thread(work, control)


async def reload_units(control: HostControl) -> None:
    """Have systemd read all units again; ActionFailedError if it does not."""
    result = await control.run(_RELOAD)
    if result.exit_code != 0 or result.timed_out:
        raise ActionFailedError(
            f"the file was put there, but systemctl daemon-reload failed: {result.output.strip()[-300:]}"
        )
