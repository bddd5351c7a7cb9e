"""Packages of the host: what is known of those in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from zen_agents.model.package_look import PackageLook, PackageQuestion


class PackageView(Protocol):
    """Questions about packages; never remembered, but for answers of advisory sources."""

    async def packages(self, asked: PackageQuestion, timeout_seconds: float) -> PackageLook:
        """Return what is known of a place's packages, found out beside the loop; HostError if nobody could look."""
        ...

    def packages_now(self, asked: PackageQuestion) -> PackageLook:
        """Return the same. Blocks, so it is for planning; HostError as above."""
        ...
