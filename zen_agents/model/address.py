"""Addresses as targets: the one kind of thing that an action may be about although no configuration names it (ADR 0027).

Others choose such a target: whoever tries to log in is one. So it is a type that can hold nothing but an address, and what
everybody shares (the storm brake, budgets of repairs, safe mode) does not count it.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Annotated, Final

from pydantic import AfterValidator

from zen_agents.model.refusals import refuse

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

KIND: Final = "address"
_PREFIX = f"{KIND}:"


def is_address_target(target: str) -> bool:
    """Tell whether a target is one that others choose."""
    return target.startswith(_PREFIX)


def address_target(address: Address) -> str:
    """Return the target that stands for an address: `address:192.0.2.7`."""
    return f"{_PREFIX}{address}"


def address_of(target: str) -> Address | None:
    """Return the address that a target stands for, None for every other text; there is one way to write each address."""
    kind, colon, text = target.partition(":")
    address = parse_address(text) if kind == KIND and colon else None
    return address if address is not None and str(address) == text else None


def parse_address(text: str) -> Address | None:
    """Return an address without a zone, None for every other text; an IPv4 one within IPv6 is the IPv4 address."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def network_around(address: Address, ipv6_prefix: int = 128) -> Network:
    """Return an IPv4 address alone, or the IPv6 network with such a prefix that an address is in."""
    prefix = 32 if address.version == 4 else ipv6_prefix
    return ip_network((address, prefix), strict=False)


def first_overlap(network: Network, others: Iterable[Network]) -> Network | None:
    """Return the first of other networks that shares an address with one, None if none does."""
    return next((other for other in others if other.version == network.version and network.overlaps(other)), None)


def check_network(text: str) -> str:
    """Return an address or a network in the way in which it is written here."""
    try:
        return str(ip_network(text))
    except ValueError:
        raise refuse("address", "is no address and no network, like 192.0.2.7 or 10.0.0.0/8") from None


NetworkText = Annotated[str, AfterValidator(check_network)]
