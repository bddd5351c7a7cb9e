"""rotate_logs: rotate listed logs that grew too large, unless the host's logrotate does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count
from typing import Literal

from pydantic import Field

from zen_agents.actions.base import Action, ActionParams
from zen_agents.actions.coverage import logrotate_covers, matches
from zen_agents.actions.scope import (
    PathsPolicy,
    file_name,
    in_thread,
    listed,
    parent_of,
    place_of,
    plain_path,
    real_directory,
    subject_of,
    touched_paths,
)
from zen_agents.dataclass import dataclass
from zen_agents.errors import HostError, RefusedError, StalePlanError, UnsafePathError
from zen_agents.model.action import ActionRequest, Budget, Effect, Plan, Reversible, Risk
from zen_agents.model.reason import Reason
from zen_agents.model.scalars import GlobPath
from zen_agents.model.units import size_in_words
from zen_agents.ports.host import HostControl, HostView
from zen_agents.ports.host_directories import DirectoryHandle
from zen_agents.ports.host_files import FileState

_ROTATED = re.compile(r"(?P<log>.+)\.(?P<number>\d{1,4})(?P<packed>\.gz|\.zst)?")
_LEFT_ERRORS = (StalePlanError, UnsafePathError, HostError)


class RotateLogsPolicy(PathsPolicy):
    """The scope of rotate_logs: a log that is listed is listed with its rotated files, `LOG.N` and `LOG.N.gz`."""

    def _reaches(self, path: str) -> bool:
        rotated = _ROTATED.fullmatch(path)
        return super()._reaches(path) or (rotated is not None and rotated["log"] in (self.paths or ()))


class RotateLogsParams(ActionParams):
    """Which logs, from what size, and how they are kept."""

    path: GlobPath = Field(description="the log; the last component may hold wildcards")
    rotate_at_bytes: int = Field(ge=1, description="size of one file from which it is rotated")
    keep: int = Field(5, ge=1, le=1000, description="how many rotated files of each log are kept; older ones are removed")
    compress: bool = Field(True, description="true: rotated files are compressed with gzip")
    copy_truncate: Literal["auto", "always", "never"] = Field(
        "auto", description="auto: where the writer keeps the file open, or could not make a new one, its text is copied out"
    )


@dataclass(slots=True)
class _Work:
    """One run: what was done and what was left."""

    params: RotateLogsParams
    done: list[str]
    left: list[str]


class RotateLogs(Action):
    """Numbers rotated files from 1, the newest, as logrotate does; a log that logrotate covers is told and left."""

    name = "rotate_logs"
    summary = "Rotate listed logs that grew too large, compress them, and drop rotated files beyond the kept number."
    side_effects = "A log that its writer holds open is copied and emptied: what is written in between is lost."
    risk = Risk.LOW
    reversible = Reversible.NO
    mends = ("log.{name}.largest_bytes", "disk.")
    disturbs = ("log.{name}.deleted_bytes",)
    budget = Budget.HOUSEKEEPING
    Params = RotateLogsParams
    Policy = RotateLogsPolicy

    def plan(self, request: ActionRequest, host: HostView) -> Plan:
        subject_of(request, "log")
        params: RotateLogsParams = self.params(request)
        directory = real_directory(parent_of(plain_path(params.path)), host)
        entries = host.list_directory(directory.path)
        large, covered = _large(params, entries), dict[str, str]()
        for state in large:
            if origin := logrotate_covers(state.path, host):
                covered[state.path] = origin
        ours = [state for state in large if state.path not in covered]
        if not ours and covered:
            path, origin = next(iter(covered.items()))
            raise RefusedError(f"logrotate rotates {path} already ({origin}); it is left to that", reason=Reason.NOT_OURS)
        if not ours:
            raise StalePlanError(f"no log {params.path} is {size_in_words(params.rotate_at_bytes)} or larger")
        dropped = [state.path for state in entries if _is_too_old(state, ours, params.keep)]
        return self.planned(
            request,
            steps=(
                *listed([_step(state, params) for state in ours], "logs"),
                *listed([f"remove {path}, beyond the {params.keep} that are kept" for path in dropped], "rotated files"),
                *(f"leave {path} to logrotate ({origin})" for path, origin in list(covered.items())[:5]),
            ),
            touches=touched_paths([*(state.path for state in ours), *dropped]),
            fingerprint=place_of(directory),
            expected_seconds=1.0 + sum(state.size for state in ours) / 50e6,
            timeout_seconds=900.0,
            detail={"paths": [state.path for state in ours][:10_000]},
            warning=f"irreversible for {len(dropped)} old rotated files: they are removed" if dropped else "",
        )

    async def execute(self, plan: Plan, control: HostControl) -> Effect:
        params: RotateLogsParams = self.params(plan.request)
        planned = set(plan.detail["paths"])

        def work(go_on: Callable[[], None]) -> tuple[int, int, _Work]:
            run = _Work(params, [], [])
            with control.open_directory(parent_of(params.path)) as directory:
                logs = [state for state in _large(params, directory.entries()) if state.path in planned]
                before = sum(state.size for state in logs)
                for state in logs:
                    go_on()
                    _rotate(directory, state, run)
                names = {state.path for state in logs}
                return before, sum(state.size for state in directory.entries() if state.path in names), run

        before, after, run = await in_thread(work, control)
        left = f"; left {len(run.left)} ({run.left[0]})" if run.left else ""
        return Effect(
            ok=bool(run.done),
            detail=f"rotated {len(run.done)} logs{left}",
            before=size_in_words(before),
            after=size_in_words(after),
        )


def _large(params: RotateLogsParams, entries: Sequence[FileState]) -> list[FileState]:
    return [
        state
        for state in sorted(entries, key=lambda entry: entry.path)
        if state.kind == "file" and state.links == 1 and state.size >= params.rotate_at_bytes
        if matches(state.path, params.path) and not _ROTATED.fullmatch(file_name(state.path))
    ]


def _is_too_old(state: FileState, logs: list[FileState], keep: int) -> bool:
    match = _ROTATED.fullmatch(file_name(state.path))
    if state.kind != "file" or match is None or int(match["number"]) < keep:
        return False
    return any(file_name(log.path) == match["log"] for log in logs)


def _step(state: FileState, params: RotateLogsParams) -> str:
    end = ".1.gz" if params.compress else ".1"
    how = {"auto": "rename it, or copy it out and empty it while it is held open,", "always": "copy it out and empty it"}
    return f"{state.path} ({size_in_words(state.size)}): {how.get(params.copy_truncate, 'rename it')} to {state.path}{end}"


def _rotate(directory: DirectoryHandle, log: FileState, run: _Work) -> None:
    name = file_name(log.path)
    try:
        _make_room(directory, name, run)
        if _is_copied(directory, log, run.params):
            directory.copy_out(log, f"{name}.1.gz" if run.params.compress else f"{name}.1", compress=run.params.compress)
            directory.truncate(log)
        else:
            directory.rename(log, f"{name}.1")
            _compress(directory, f"{name}.1", run)
        run.done.append(log.path)
    except _LEFT_ERRORS as error:
        run.left.append(str(error))


def _make_room(directory: DirectoryHandle, name: str, run: _Work) -> None:
    """Free number 1: move rotated files one number up, the highest first, and remove what is beyond the kept number.

    Only those below the first free number move: rotations that fail, on a full disk, would else push all of them out.
    """
    rotated = []
    for state in directory.entries():
        match = _ROTATED.fullmatch(file_name(state.path))
        if match and match["log"] == name and state.kind == "file":
            rotated.append((int(match["number"]), match["packed"] or "", state))
    taken = {number for number, _, _ in rotated}
    free = next(number for number in count(1) if number not in taken)
    for number, end, state in sorted(rotated, key=lambda found: found[0], reverse=True):
        if number > free and number <= run.params.keep:
            continue
        if number >= run.params.keep:
            try:
                directory.remove(state)
                continue
            except _LEFT_ERRORS as error:
                # Somebody reads it: it moves on, out of the way, and goes next time.
                run.left.append(str(error))
        directory.rename(state, f"{name}.{number + 1}{end}")


def _is_copied(directory: DirectoryHandle, log: FileState, params: RotateLogsParams) -> bool:
    if params.copy_truncate != "auto":
        return params.copy_truncate == "always"
    return directory.in_use(log) or not _writer_could_make_it_again(directory, log)


def _writer_could_make_it_again(directory: DirectoryHandle, log: FileState) -> bool:
    """Tell whether the log's owner may make files here; if not, a renamed log would never be written again."""
    here = directory.directory()
    return log.owner == 0 or (log.owner == here.owner and bool(here.mode & 0o200)) or bool(here.mode & 0o002)


def _compress(directory: DirectoryHandle, name: str, run: _Work) -> None:
    if not run.params.compress:
        return
    for state in directory.entries():
        if file_name(state.path) == name:
            try:
                directory.compress(state)
            except _LEFT_ERRORS as error:
                run.left.append(str(error))
