"""Whether there is a setuid or setgid program below a directory that nobody listed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zen_agents.checks.base import Check
from zen_agents.clock import Instant
from zen_agents.drift.setuid_files import evidence_of, setuid_files
from zen_agents.errors import HostError
from zen_agents.model.observation import Observation, Status
from zen_agents.ports.events import Watch
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState

#: Of so many it is told what they are.
_MOST_NAMED = 5


class SetuidFilesCheck(Check):
    """Observes `setuid_files.NAME`: how many there are, PROBLEM if any is, each with the hash of what it holds."""

    kind = "setuid_files"
    summary = "Is there a setuid or setgid program below this directory that is not listed?"

    def __init__(self, label: str, *, path: str, known: Collection[str], every_seconds: float) -> None:
        super().__init__(
            name=f"setuid_files.{label}", target=f"setuid_files:{label}", every_seconds=every_seconds, timeout_seconds=30.0
        )
        self._path, self._known = path, frozenset(known)
        #: Fingerprint of a file -> what it is, so that it is hashed once.
        self._evidence: dict[str, str] = {}

    @property
    def observes(self) -> tuple[str, ...]:
        return (self.name,)

    def watches(self) -> Sequence[Watch]:
        """Return the directory: what comes right below it is seen at once."""
        return (Watch("path", self._path),)

    def observe(self, host: HostView, now: Instant) -> Sequence[Observation]:
        """Look for them; HostError if none was found and not all could be seen."""
        found = setuid_files(self._path, self._known, host)
        if not found.unlisted and not found.complete:
            raise HostError(f"not all below {self._path} could be looked at; list the directories in it one by one")
        if not found.unlisted:
            return (Observation(self.name, self.target, Status.OK, now, 0.0, f"none below {self._path} but those listed"),)
        evidence = self._look_at(found.unlisted[:_MOST_NAMED], host)
        rest = len(found.unlisted) - len(evidence)
        said = f"not listed: {'; '.join(evidence.values())}" + (f"; and {rest} more" if rest else "")
        facts = {f"file {number}": text for number, text in enumerate(evidence.values(), start=1)}
        identity = "+".join(evidence)
        return (Observation(self.name, self.target, Status.PROBLEM, now, float(len(found.unlisted)), said, identity, facts),)

    def _look_at(self, states: Sequence[FileState], host: HostView) -> dict[str, str]:
        """Return what each is, by its fingerprint."""
        self._evidence = {
            state.fingerprint: self._evidence.get(state.fingerprint) or f"{state.path} ({evidence_of(state, host)})"
            for state in states
        }
        return self._evidence
