"""A service's last good configuration: the part of the host's port that tests, keeps and finds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from zen_agents.ports.host_commands import Command, CommandResult


class KeptVersion(NamedTuple):
    """One file as it was when its service was well."""

    path: str
    #: SHA-256 of its content, hex.
    sha256: str
    mode: int
    owner: int
    group: int
    #: ISO time for people.
    kept_at: str


class LastGoodView(Protocol):
    """Questions about configurations, and the one thing that a look may leave: a copy in the engine's own state."""

    def test_configuration(self, command: Command) -> CommandResult:
        """Run a service's own test of its configuration, which changes nothing, with its time-out (R23).

        HostError if it cannot be run. Blocks.
        """
        ...

    def last_good(self, service: str) -> Sequence[KeptVersion]:
        """Return the files of a service's last good configuration, () if none was kept yet; HostError if damaged."""
        ...

    def last_good_content(self, version: KeptVersion) -> bytes:
        """Return what such a file held, compared with its hash; HostError if it is missing or damaged."""
        ...

    def keep_last_good(self, service: str, contents: Mapping[str, bytes], kept_at: str) -> None:
        """Keep these files, path by path, as the last good ones of a service in place of those before, durably."""
        ...
