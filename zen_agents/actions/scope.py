"""What the actions on files share: their scope, their subject, and work that does not stop the engine's loop."""

from __future__ import annotations

import asyncio
import contextlib
import posixpath
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

from pydantic import Field

from zen_agents.actions.base import ActionPolicy
from zen_agents.errors import RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Plan, Resource, ResourceKind
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import AbsolutePath
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_files import FileState

_T = TypeVar("_T")
#: A plan shows so many single files and counts the rest.
SHOWN = 20


class PathsPolicy(ActionPolicy):
    """The scope of an action on files: at most these directories and files, and what is below them."""

    paths: Annotated[tuple[AbsolutePath, ...], Field(min_length=1)] | None = Field(
        None, description="only at or below these; left out: whatever the configuration names"
    )

    def permits(self, plan: Plan) -> str:
        for touched in plan.touches:
            if touched.kind is ResourceKind.PATH and self.paths and not self._reaches(touched.name):
                return f"{touched.name} is not at or below {', '.join(self.paths)}"
        return ""

    def names(self, path: str) -> bool:
        return path in (self.paths or ())

    def _reaches(self, path: str) -> bool:
        return any(within(path, top) for top in self.paths or ())


def within(path: str, top: str) -> bool:
    """Tell whether a plain path is `top` or below it."""
    return path == top or path.startswith(top.rstrip("/") + "/")


def subject_of(request: ActionRequest, kind: str) -> str:
    """Return NAME of the target `kind:NAME`; RefusedError for an empty or other target, which never means all (R1)."""
    prefix, colon, name = request.target.partition(":")
    if prefix != kind or not colon or not name.strip():
        raise RefusedError(f"the target {request.target!r} is not {kind}:NAME; nothing was done", reason=Reason.NO_TARGET)
    return name


def plain_path(path: str) -> str:
    """Return an absolute path that says where it leads; UnsafePathError for `..`, `//`, the root and control characters."""
    if not path:
        raise RefusedError("the path is empty, which never means all; nothing was done", reason=Reason.NO_TARGET)
    if not path.startswith("/") or posixpath.normpath(path) != path or path.startswith("//") or not path.isprintable():
        raise UnsafePathError(f"{path!r} is not a plain absolute path; nothing was done")
    if path == "/":
        raise UnsafePathError("/ is never touched; nothing was done")
    return path


def real_directory(path: str, host: HostView) -> FileState:
    """Return what a listed directory is now; StalePlanError if it is missing, UnsafePathError if it is something else."""
    state = host.file(plain_path(path))
    if state is None:
        raise StalePlanError(f"{path} is not there; there is nothing to do")
    if state.kind != "directory":
        raise UnsafePathError(f"{path} is a {state.kind}, not a directory; name the real directory in the configuration")
    return state


def place_of(state: FileState) -> str:
    """Return what identifies a directory whatever happens in it: `device:inode`."""
    return f"{state.device}:{state.inode}"


def touched_paths(paths: Iterable[str]) -> tuple[Resource, ...]:
    """Return paths as what a plan touches."""
    return tuple(Resource(ResourceKind.PATH, path) for path in paths)


def listed(lines: list[str], what: str) -> tuple[str, ...]:
    """Return the first lines of a plan's many steps, and how many more there are."""
    rest = len(lines) - SHOWN
    return (*lines[:SHOWN], *([f"and {rest} more {what}"] if rest > 0 else []))


async def in_thread(work: Callable[[Callable[[], None]], _T], control: HostControl) -> _T:
    """Do blocking work beside the loop. It is handed what it calls before each object: that raises if it has to end.

    It has to end at the emergency stop, and when whoever waits here was cancelled because the action's time is over.
    """
    over = threading.Event()

    def go_on() -> None:
        if over.is_set():
            raise RefusedError("the action's time is over; nothing more was done")
        control.check_stop()

    try:
        return await asyncio.to_thread(work, go_on)
    except asyncio.CancelledError:
        over.set()
        raise


def file_name(path: str) -> str:
    """Return the last component of a path."""
    return path.rpartition("/")[2]


def parent_of(path: str) -> str:
    """Return the directory of a plain path."""
    return path.rpartition("/")[0] or "/"


def day_of(seconds: float) -> str:
    """Return seconds since the epoch as a date for people, "" if there is none."""
    with contextlib.suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return ""
