"""`contract:` of a data set: a file that says what is expected, laid below what the configuration itself says of it.

So everything in the file is checked as the configuration is, with its own place, and may be said otherwise for one host.
What both expect is expected together.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from zen_agents.datasets.foreign.recognise import format_of
from zen_agents.datasets.questions import References
from zen_agents.datasets.source import SourceKind
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.foreign_contracts import translated
from zen_agents.settings.foreign_words import in_our_words, place_in
from zen_agents.settings.nodes import Entry, Node, Origin, merge, placed
from zen_agents.settings.reader import MAX_BYTES, read
from zen_agents.settings.trust import distrust

_DATASETS: Final = ("agents", "data_validation", "datasets")
#: Where the data lies, of which there is one.
_PLACES: Final = frozenset({*SourceKind, "table", "query"})


def include_contracts(root: Node, euid: int, report: Report) -> Node:
    """Return the tree in which every data set that names a contract has what stands in that."""
    listed = root.get(*_DATASETS)
    entries = listed.value if listed is not None and listed.is_map else {}
    included = {}
    for name, entry in entries.items():
        own = entry.node
        if (below := _contract(own, frozenset(entries), euid, report)) is not None:
            included[name] = Entry(entry.place, _together(below, own))
    if listed is None or not included:
        return root
    return placed(root, _DATASETS, Node(listed.place, {**entries, **included}))


def _contract(own: Node, known: frozenset[str], euid: int, report: Report) -> Node | None:
    """Return what a data set's file says in our words; None without one, or if the report says why not."""
    named = own.get("contract")
    if named is None or not isinstance(named.value, str) or not named.value.startswith("/"):
        return None  # the latter is told where the settings are read
    if why := distrust(named.value, euid):
        report.error("ZC403", f"the contract is not trusted: {why}", named, help="chown root and chmod go-w what is named")
        return None
    tree = _tree(named, report)
    if tree is None or not format_of(tree.plain()):
        return tree
    table = own.get("contract_table")
    return _in_our_words(tree, table.text if table is not None else "", known, report)


def _tree(named: Node, report: Report) -> Node | None:
    """Return the parsed file; None, and told where it is named, if it cannot be read or names another contract."""
    try:
        with Path(named.value).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        report.error("ZC006", f"the contract cannot be read: {error.strerror}", named)
        return None
    tree = read(content, named.value, report, origin=Origin.PACK)
    refuse_another(tree, report)
    return tree


def refuse_another(tree: Node, report: Report) -> None:
    """Tell of what a contract cannot say: which contract it is itself."""
    for key in ("contract", "contract_table"):
        if (entry := tree.entry(key)) is not None:
            report.error("ZC214", f"`{key}` stands in a contract already; say all of it in this file", entry.place)


def _in_our_words(tree: Node, table: str, known: frozenset[str], report: Report) -> Node | None:
    found = translated(tree, table, report, how="`contract_table: NAME` says it")
    if found is None:
        return None
    elsewhere = [each for each in found.checks if isinstance(each.asks, References) and each.asks.dataset not in known]
    for each in elsewhere:
        what = f"`{each.origin}` refers to a table that is no data set of this configuration"
        report.warning("ZC220", what, place_in(tree, each.origin))
    return in_our_words(replace(found, checks=tuple(each for each in found.checks if each not in elsewhere)), tree)


def _together(below: Node, own: Node) -> Node:
    """Lay a data set over its contract: it says where the data lies, and expects what it says besides."""
    source = own.get("source")
    says_where = source is not None and source.is_map and _PLACES & source.value.keys()
    merged = merge(placeless(below) if says_where else below, own).root
    both = [node for node in (below.get("expect"), own.get("expect")) if node is not None and node.is_list]
    if len(both) == 2:
        entry = merged.value["expect"]
        merged.value["expect"] = replace(entry, node=Node(entry.place, [*both[0].value, *both[1].value]))
    return merged


def placeless(contract: Node) -> Node:
    """Return a contract without where its data lies; how that is written stays."""
    source = contract.entry("source")
    if source is None or not source.node.is_map:
        return contract
    kept = {key: entry for key, entry in source.node.value.items() if key not in _PLACES}
    return Node(contract.place, {**contract.value, "source": Entry(source.place, Node(source.node.place, kept))})
