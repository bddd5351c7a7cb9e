"""The host's Debian packages: what could be upgraded, what an upgrade would do, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.model.debian_upgrade import DebianChange, DebianLook, DebianQuestion, DebianTrial, DebianTried
    from zen_agents.ports.host_commands import CommandResult


class DebianView(Protocol):
    """Questions about Debian packages; never remembered."""

    async def debian_packages(self, asked: DebianQuestion, timeout_seconds: float) -> DebianLook:
        """Return what apt says, beside the loop; HostError if nobody could ask."""
        ...

    def debian_packages_now(self, asked: DebianQuestion) -> DebianLook:
        """Return the same. Blocks, so it is for planning; HostError as above."""
        ...

    async def debian_trial(self, asked: DebianTrial) -> DebianTried:
        """Make an upgrade in a copy of the root that is never kept, and return how it went; HostError if nobody could."""
        ...


class DebianControl(Protocol):
    """Changes that concern Debian packages, beside the commands of apt themselves."""

    async def keep_debian_packages(self, changes: Sequence[DebianChange], *, action: str) -> Sequence[str]:
        """Fetch the present .debs of packages that are about to change, into the quarantine; return their ids there.

        Each is compared with what dpkg has installed. ActionFailedError if one cannot be had: then nothing was changed.
        """
        ...

    async def install_kept_packages(self, ids: Sequence[str], *, timeout_seconds: float) -> CommandResult:
        """Have dpkg install .debs of the quarantine, with the present configuration files kept; it is let finish.

        StalePlanError if one is not kept any more, HostError if its content is not what was kept; then nothing was done.
        """
        ...
