"""The right of a recent deployment to differ from what was declared.

A deployment is known by what it leaves: a line in a record, a marker that it touches, the account that owns the file, or the
log of the package manager. For a time its changes are respected; after that a difference is one that somebody forgot to
declare.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from zen_agents.clock import Instant
from zen_agents.dataclass import dataclass
from zen_agents.drift.declared import distrust
from zen_agents.errors import HostError
from zen_agents.ports.host import HostView
from zen_agents.ports.host_files import FileState

#: A marker is touched at the end of a deployment, as far as clocks and file systems are exact (seconds).
_SLACK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Changed:
    """What is found in place of what was declared."""

    path: str
    sha256: str
    #: None for what is no file, as a kernel setting.
    state: FileState | None
    #: The longest ago (seconds, steady) that it can have changed, as far as somebody looked; infinite if nobody did.
    seen_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class Deployer:
    """One whose changes are respected for a time, and how they are known; what is not given knows nothing."""

    name: str
    respected_seconds: float
    #: File of lines `SECONDS WHO PATH SHA256`, and who of them counts.
    record: str = ""
    by: frozenset[str] = frozenset()
    #: File that a deployment touches when it is done.
    marker: str = ""
    #: Whose files are a deployment's own.
    account: str = ""
    #: The package manager whose log is believed: dpkg.
    packages: str = ""

    def made(self, changed: Changed, host: HostView) -> Iterator[float]:
        """Yield when this deployer made the change, in seconds since the epoch.

        What others could have written says nothing. HostError if a record is there and cannot be read.
        """
        if self.record:
            yield from self._recorded(changed, host)
        state = changed.state
        if state is None:
            return
        if self.marker and (marker := host.file(self.marker)) is not None and not distrust(marker, host):
            since = state.changed - marker.modified
            if -self.respected_seconds < since < _SLACK_SECONDS:
                yield marker.modified
        if self.packages:
            yield from self._packaged(state, host)
        if self.account and state.owner == host.user_id(self.account):
            yield state.changed

    def _packaged(self, state: FileState, host: HostView) -> Iterator[float]:
        from zen_agents.drift.package_changes import changes  # noqa: PLC0415 - only where a package manager counts

        # Other changes of a package's file are nobody's, also where its upgrade is as recent.
        since = state.changed - self.respected_seconds
        for first, last in changes(state.path, host, since=since):
            if first - _SLACK_SECONDS < state.changed < last + _SLACK_SECONDS:
                yield last

    def _recorded(self, changed: Changed, host: HostView) -> Iterator[float]:
        state = host.file(self.record)
        if state is None or distrust(state, host):
            return
        content = host.content(self.record)
        if content is None:
            raise HostError(f"the record {self.record} went away")
        for line in content.decode("utf-8", "replace").splitlines():
            when, who, path, digest = (*line.split()[:4], "", "", "", "")[:4]
            if who in self.by and (path, digest) == (changed.path, changed.sha256) and when.isdecimal():
                yield float(when)


def respected(deployers: Iterable[Deployer], changed: Changed, host: HostView, now: Instant) -> str:
    """Return which recent deployment made this change, in words; "" if it was none that may differ."""
    wall = now.wall.timestamp()
    for deployer in deployers:
        for at in deployer.made(changed, host):
            # The wall clock may have jumped since; what was not there at the last look is new whatever it says.
            age = min(abs(wall - at), changed.seen_seconds)
            if age < deployer.respected_seconds:
                return f"deployed by {deployer.name} {age:.0f} s ago"
    return ""
