"""Bans in nftables: a table of the engine's own, with a set for each family whose elements the kernel itself lets expire.

What is asked of `nft` is JSON in one argument of its list, never a shell's line, and holds nothing but what is written here
and an address that was parsed as one. The table is made with the first ban, in the same transaction; other tables are
neither read nor changed. It drops before connections are tracked, so that an attacker fills no table either.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from zen_agents.adapters.linux_view_reading import run_bounded
from zen_agents.errors import ActionFailedError, HostError
from zen_agents.model.address import Network
from zen_agents.ports.host import HostControl
from zen_agents.ports.host_commands import Command

FAMILY, TABLE, CHAIN = "inet", "zen_agents", "drop_banned"
SETS = {4: "banned4", 6: "banned6"}
#: The kernel takes no more than so many of each family, whatever anybody asks for.
_MOST = 1024
#: Before connections are tracked (-200).
_RAW = -300
_SECONDS, _MOST_BYTES = 4.0, 1 << 20
#: Where nft is, whatever PATH an engine was started with.
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin"


def nft() -> str:
    """Return where nft is; HostError with the next step if it is nowhere."""
    found = shutil.which("nft", path=_PATH)
    if found is None:
        raise HostError("nft is not installed, without which nobody can be banned: apt install nftables")
    return found


def bans() -> Mapping[Network, float]:
    """Return what is in the sets, with the seconds that each is left; nothing where the engine's table is not there."""
    if not any(table.get("name") == TABLE and table.get("family") == FAMILY for table in _listed("table", "tables")):
        return {}
    sets = _listed("set", "table", FAMILY, TABLE)
    try:
        return {network: left for each in sets if each.get("name") in SETS.values() for network, left in _elements(each)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HostError(
            f"the sets of the table {TABLE} are not the engine's; look at: nft list table inet {TABLE}"
        ) from error


async def ban(control: HostControl, network: Network, seconds: int) -> None:
    """Add a network to its set, with its time; ActionFailedError if nft says no."""
    await _change(control, [*_frame(), {"add": {"element": _in_set(network, {"timeout": seconds})}}])


async def lift(control: HostControl, network: Network) -> None:
    """Take a network out of its set; ActionFailedError if nft says no."""
    await _change(control, [{"delete": {"element": _in_set(network, None)}}])


def _frame() -> Iterator[dict[str, Any]]:
    """Yield what has to be there for a ban; each of it does nothing where it is already, and rules are never there twice."""
    here = {"family": FAMILY, "table": TABLE}
    yield {"add": {"table": {"family": FAMILY, "name": TABLE}}}
    yield {"add": {"set": {**here, "name": SETS[4], "type": "ipv4_addr", "flags": ["timeout"], "size": _MOST}}}
    yield {"add": {"set": {**here, "name": SETS[6], "type": "ipv6_addr", "flags": ["interval", "timeout"], "size": _MOST}}}
    hook = {"type": "filter", "hook": "prerouting", "prio": _RAW, "policy": "accept"}
    yield {"add": {"chain": {**here, "name": CHAIN, **hook}}}
    yield {"flush": {"chain": {**here, "name": CHAIN}}}
    yield _rule({"meta": {"key": "iifname"}}, "lo", "return")
    for version, protocol in ((4, "ip"), (6, "ip6")):
        yield _rule({"payload": {"protocol": protocol, "field": "saddr"}}, f"@{SETS[version]}", "drop")


def _rule(left: dict[str, Any], right: str, verdict: str) -> dict[str, Any]:
    match = {"match": {"op": "==", "left": left, "right": right}}
    return {"add": {"rule": {"family": FAMILY, "table": TABLE, "chain": CHAIN, "expr": [match, {verdict: None}]}}}


def _in_set(network: Network, options: dict[str, int] | None) -> dict[str, Any]:
    single = network.prefixlen == network.max_prefixlen
    address = str(network.network_address)
    value = address if single else {"prefix": {"addr": address, "len": network.prefixlen}}
    element = value if options is None else {"elem": {"val": value, **options}}
    return {"family": FAMILY, "table": TABLE, "name": SETS[network.version], "elem": [element]}


async def _change(control: HostControl, commands: list[dict[str, Any]]) -> None:
    argv = (nft(), "-j", json.dumps({"nftables": commands}, separators=(",", ":")))
    result = await control.run(Command(argv, timeout_seconds=_SECONDS))
    if result.timed_out or result.exit_code != 0:
        said = result.output.strip()[-300:]
        raise ActionFailedError(f"nft ended with {result.exit_code}: {said or 'it said nothing'}")


def _listed(kind: str, *what: str) -> list[dict[str, Any]]:
    """Return what nft lists of one kind."""
    code, output = run_bounded((nft(), "-j", "list", *what), timeout_seconds=_SECONDS, limit=_MOST_BYTES)
    if code != 0:
        raise HostError(f"nft list {' '.join(what)} ended with {code}; does the engine run as root?")
    try:
        return [entry[kind] for entry in json.loads(output)["nftables"] if kind in entry]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError("what nft lists is not as expected") from error


def _elements(named: Mapping[str, Any]) -> Iterator[tuple[Network, float]]:
    for entry in named.get("elem", ()):
        element = entry["elem"]
        value = element["val"]
        text = value if isinstance(value, str) else f"{value['prefix']['addr']}/{value['prefix']['len']}"
        yield ip_network(text), float(element.get("expires", 0))
