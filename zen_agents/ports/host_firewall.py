"""Addresses and the firewall: the part of the host's port that says who is shut out, who must not be, and who is here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence, Set

    from zen_agents.model.address import Address, Network


class KeptNetwork(NamedTuple):
    """Addresses that this host cannot do without."""

    network: Network
    #: What they are: `a name server`.
    why: str


class FirewallView(Protocol):
    """Questions about addresses; none of the answers is remembered."""

    def bans(self) -> Mapping[Network, float]:
        """Return what the engine shut out, and for how many seconds each still is; HostError if that cannot be told."""
        ...

    def kept_networks(self) -> Sequence[KeptNetwork]:
        """Return loopback, own addresses, gateways, name servers, and where people are logged in from."""
        ...

    def connected(self, ports: Collection[int]) -> Set[Address]:
        """Return who has, or just had, a connection to one of these TCP ports; what has not answered yet does not count."""
        ...


class FirewallControl(Protocol):
    """Changes to who is shut out."""

    async def ban(self, network: Network, seconds: int) -> None:
        """Drop whatever comes from a network; the kernel ends that after so many seconds, whether an engine runs or not.

        Raises ActionFailedError with what the firewall said.
        """
        ...

    async def lift_ban(self, network: Network) -> None:
        """End a ban before its time; ActionFailedError with what the firewall said, also if there is none."""
        ...
