"""What a program printed for a peer: an address, a name, or neither."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address

#: No address is longer, with a zone.
_LONGEST = 64
_ZONE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
#: A name in the DNS; of digits and dots alone it would look like an address, and be none.
_NAME = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})")


def address_of(text: str) -> str:
    """Return an address in the one way in which it is written here, "" if it is none.

    An IPv4 address within an IPv6 one (`::ffff:192.0.2.1`) is the IPv4 address; a zone (`fe80::1%eth0`) stays.
    """
    if len(text) > _LONGEST:
        return ""
    try:
        address = ip_address(text)
    except ValueError:
        return ""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if address.scope_id is not None and not _ZONE.fullmatch(address.scope_id):
            return ""
    return str(address)


def peer_of(text: str) -> tuple[str, str]:
    """Return an address and a name, of which at most one is there."""
    address = address_of(text)
    return (address, "") if address else ("", text if _NAME.fullmatch(text) else "")
