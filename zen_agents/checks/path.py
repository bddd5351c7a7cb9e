"""Whether a file or directory is there, and is what is listed: kind, mode, owner and group.

Links are never followed: a link in its place is a problem, whatever it points to. An account that does not exist on this
host means that nobody can tell, not that the file is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState

_MISSING: Mapping[str, str] = {"wrong": "missing"}
# Looking up a member of an enumeration costs as much as a call, and this one is looked up for each of thousands of files.
_OK = Status.OK


class PathCheck(Check):
    """Observes `path.NAME` (judged)."""

    __slots__ = ("_expected_kind", "_group", "_mode", "_owner", "_path", "_watches")

    kind = "path"
    summary = "Is this path there, with the mode, owner and group that are listed?"

    def __init__(
        self, label: str, *, path: str, expected_kind: str, mode: int, owner: str, group: str, every_seconds: float
    ) -> None:
        super().__init__(name=f"path.{label}", target=f"path:{label}", every_seconds=every_seconds)
        self._path, self._expected_kind, self._mode, self._owner, self._group = path, expected_kind, mode, owner, group
        self._watches = (Watch("path", path),)

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Compare lstat with what is listed."""
        owner, group = host.user_id(self._owner), host.group_id(self._group)
        state = host.file(self._path)
        if state is None:
            return (self._problem(now, f"{self._path} is missing", _MISSING),)
        if state.kind != self._expected_kind:
            said = f"{self._path} is a {state.kind}, not a {self._expected_kind}"
            return (self._problem(now, said, {"wrong": "kind"}, state.fingerprint),)
        if state.mode != self._mode or state.owner != owner or state.group != group:
            wrong = self._differences(state, owner, group)
            said = f"{self._path}: " + ", ".join(wrong.values())
            return (self._problem(now, said, {"wrong": " ".join(wrong)}, state.fingerprint),)
        return (Observation(self.name, self.target, _OK, now, None, "as listed"),)

    def watches(self) -> Sequence[Watch]:
        """Return the path, so that a change of it wakes the engine."""
        return self._watches

    def _differences(self, state: FileState, owner: int, group: int) -> dict[str, str]:
        wrong = {}
        if state.mode != self._mode:
            wrong["mode"] = f"mode is {state.mode:04o}, not {self._mode:04o}"
        if state.owner != owner:
            wrong["owner"] = f"owner is {state.owner}, not {self._owner} ({owner})"
        if state.group != group:
            wrong["group"] = f"group is {state.group}, not {self._group} ({group})"
        return wrong

    def _problem(self, now: Instant, said: str, facts: Mapping[str, str], fingerprint: str = "") -> Observation:
        return Observation(self.name, self.target, Status.PROBLEM, now, None, said, fingerprint, facts)
