"""A contract in others' words as the configuration would say it, so that all of it goes the one way that is checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from zen_agents.datasets import questions as ask
from zen_agents.datasets.contract import Check
from zen_agents.datasets.foreign.translation import Translation
from zen_agents.datasets.source import SourceOptions
from zen_agents.model.quantities import format_percent
from zen_agents.model.severity import Severity
from zen_agents.settings.nodes import Entry, Node, Place, written

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


def in_our_words(found: Translation, root: Node) -> Node:
    """Return what stands below `datasets: NAME:`; each expectation has the place of what asks it in the parsed file."""
    place = root.place
    columns = {name: Entry(place, written(said, place)) for name, said in _columns(found)}
    asked = [written(said, place_in(root, check.origin)) for check, said in _expectations(found)]
    said = {"columns": Node(place, columns), "expect": Node(place, asked)}
    if keys := _source_keys(found):
        said["source"] = written(keys, place)
    if any(check.asks == ask.HasColumns(exact=True) for check in found.checks):
        said["exact"] = written(True, place)
    return Node(place, {key: Entry(place, node) for key, node in said.items()})


def place_in(root: Node, at: str) -> Place:
    """Return where a part like `fields[2].type` stands, or the nearest part above it."""
    node = root
    for index, key in _STEP.findall(at):
        below = node.get(int(index) if index else key)
        if below is None:
            break
        node = below
    return node.place


def _expectations(found: Translation) -> Iterator[tuple[Check, Mapping[str, Any]]]:
    for check in found.checks:
        if not isinstance(check.asks, ask.HasColumns):
            yield check, {**_asked(check.asks), **_how_bad(check)}


def _columns(found: Translation) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for column in found.columns:
        said = {"type": str(column.type), "format": column.form, "optional": column.optional, "aliases": [*column.aliases]}
        yield column.name, {key: value for key, value in said.items() if value}


def _source_keys(found: Translation) -> Mapping[str, Any]:
    """Return what it says of how the data is written, as keys of `source:`."""
    usual, said = SourceOptions(), found.options
    names = [field.name for field in fields(SourceOptions) if getattr(said, field.name) != getattr(usual, field.name)]
    return {name: getattr(said, name) for name in names}


def _how_bad(check: Check) -> Mapping[str, Any]:
    tolerance = check.tolerance
    tolerated = format_percent(tolerance.share * 100) if tolerance.share else tolerance.rows
    said = {"tolerate": tolerated} if tolerated else {}
    return {**said, "severity": str(check.severity)} if check.severity is not Severity.ERROR else said


def _asked(question: ask.Question) -> Mapping[str, Any]:
    match question:
        case ask.Unique(columns):
            return {"columns": [*columns], "unique": True}
        case ask.References(columns, dataset, others):
            return {"columns": [*columns], "references": {"dataset": dataset, "columns": [*others]}}
        case ask.RowCount(least, most):
            return {"row_count": {"min": least, **({} if most is None else {"max": most})}}
    (column,) = ask.columns_of(question)
    return {"column": column, **_of_column(question)}


def _of_column(question: ask.Question) -> Mapping[str, Any]:
    match question:
        case ask.Between(_, least, most, strict):
            ends = {"above": least, "below": most}
            return {key: end for key, end in ends.items() if end is not None} if strict else {"between": [least, most]}
        case ask.OneOf(_, values) | ask.NoneOf(_, values):
            return {question.kind: [*values]}
        case ask.Matches(_, pattern):
            return {"matches": pattern}
        case ask.Length(_, least, most):
            return {"length": [least, most]}
        case ask.NotNull():
            return {"not_null": True}
    raise TypeError(f"no format of others asks for {question.kind}")
