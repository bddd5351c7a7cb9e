"""Contracts in others' formats, read as ours: what of them is not asked, or refused, is told with its place."""

from __future__ import annotations

from zen_agents.datasets.foreign.descriptor import RefusedContractError
from zen_agents.datasets.foreign.recognise import read_foreign
from zen_agents.datasets.foreign.translation import Translation
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.foreign_words import place_in
from zen_agents.settings.nearest import did_you_mean
from zen_agents.settings.nodes import Node


def translated(root: Node, table: str, report: Report, *, how: str) -> Translation | None:
    """Return the translation of a parsed file, that of one table where it has several; None if the report says why not.

    `how` is said of how to name the table.
    """
    try:
        found = read_foreign(root.plain(), table)
    except RefusedContractError as error:
        help_ = how if "which of them is meant" in error.what else ""
        report.error("ZC219", error.what, place_in(root, error.at), label=did_you_mean(error.meant), help=help_)
        return None
    for remark in found.remarks:
        report.warning("ZC220", f"`{remark.at}` {remark.text}", place_in(root, remark.at))
    return found
