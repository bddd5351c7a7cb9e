"""Contracts in others' formats, read as ours: what of them is not asked, or refused, is told with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePath

from pydantic_core import PydanticCustomError

from zen_agents.datasets.contract import Check, ColumnType, Contract, name_of, named
from zen_agents.datasets.foreign.descriptor import RefusedContractError
from zen_agents.datasets.foreign.recognise import read_foreign
from zen_agents.datasets.foreign.translation import Translation
from zen_agents.datasets.questions import HasColumns, Matches, OfType, Readable
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.model.scalars import check_regex
from zen_agents.settings.diagnostics import Report
from zen_agents.settings.nodes import Node, Place

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def read_foreign_contract(root: Node, table: str, source: tuple[SourceKind, str] | None, report: Report) -> Contract | None:
    """Return the contract in a parsed file, that of one table where it has several; None if the report says why not.

    It never says what is opened: the `source`, kind and absolute path, does.
    """
    try:
        found = read_foreign(root.plain(), table)
    except RefusedContractError as error:
        which = "which of them is meant" in error.what
        report.error("ZC219", error.what, _place(root, error.at), help="--table NAME says it" if which else "")
        return None
    for remark in found.remarks:
        report.warning("ZC220", f"`{remark.at}` {remark.text}", _place(root, remark.at))
    _refuse_patterns(found, root, report)
    if source is None:
        says = f" (it says {', '.join(found.paths)})" if found.paths else ""
        report.error("ZC105", f"where the data lies is not taken from here{says}: name the file to check", root)
    if source is None or report.failed:
        return None
    kind, path = source
    return _contract(found, Source(kind, path, options=found.options), root)


def _refuse_patterns(found: Translation, root: Node, report: Report) -> None:
    for check in found.checks:
        if isinstance(check.asks, Matches):
            try:
                check_regex(check.asks.pattern)
            except PydanticCustomError as error:
                report.error("ZC205", f"`{check.origin}` {error.message()}", _place(root, check.origin))


def _contract(found: Translation, source: Source, root: Node) -> Contract:
    at_root = str(root.place)
    checks = [
        Check(Readable(), "readable", origin=at_root),
        *([] if any(isinstance(each.asks, HasColumns) for each in found.checks) else [Check(HasColumns(), "columns")]),
        *_types(found),
        *(replace(each, origin=str(_place(root, each.origin))) for each in found.checks),
    ]
    name = found.name or PurePath(root.place.document.name).stem
    return Contract(name, source, found.columns, named(checks))


def _types(found: Translation) -> Iterator[Check]:
    """Yield that every value reads as its type, where the contract does not ask that itself."""
    asked = {each.asks.column for each in found.checks if isinstance(each.asks, OfType)}
    for column in found.columns:
        if column.type not in (ColumnType.ANY, ColumnType.TEXT) and column.name not in asked:
            yield Check(OfType(column.name), name_of(OfType(column.name)))


def _place(root: Node, at: str) -> Place:
    """Return where a part like `fields[2].type` stands, or the nearest part above it."""
    node = root
    for index, key in _STEP.findall(at):
        below = node.get(int(index) if index else key)
        if below is None:
            break
        node = below
    return node.place
