"""Contracts in files of their own: read as the configuration is, with the place of everything that is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from zen_agents.agents.data_validation.dataset import Dataset
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.foreign.recognise import SIGNS, format_of
from zen_agents.datasets.source import SourceKind
from zen_agents.settings.diagnostics import Diagnostic, Report
from zen_agents.settings.foreign_contracts import translated
from zen_agents.settings.foreign_words import in_our_words
from zen_agents.settings.included_contracts import placeless, refuse_another
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.nodes import Document, Node, Origin, Place, put
from zen_agents.settings.reader import MAX_BYTES, read
from zen_agents.settings.shape import Shape
from zen_agents.settings.validation import validate

#: What is typed to have a key explained, and where a contract's keys stand there.
_EXPLAIN, _BELOW = "zen-agents explain config ", "agents.data_validation.datasets.NAME"
_UNKNOWN: Final = re.compile(r"unknown key `([^`]+)`")
_ENTRY: Final = re.compile(r"expect\[(\d+)\]")


def read_contract(
    file: str, source: tuple[SourceKind, str] | None, table: str = ""
) -> tuple[Contract | None, Sequence[Diagnostic]]:
    """Return the contract in a file, None if anything in it is wrong, and all that is to be said of it.

    A `source`, as kind and absolute path, stands instead of the file's own. `table` is which of several is meant, where a
    file in others' formats describes them.
    """
    report = Report()
    root, name = _tree(file, report), Path(file).stem
    if format_of(root.plain()):
        found = translated(root, table, report, how="--table NAME says it")
        if found is not None and source is None:
            says = f" (it says {', '.join(found.paths)})" if found.paths else ""
            report.error("ZC105", f"where the data lies is not taken from here{says}: name the file to check", root)
        if found is None or source is None:
            return None, report.sorted()
        root, name = in_our_words(found, root), found.name or name
    refuse_another(root, report)
    if source is not None and root.is_map:
        root = put(placeless(root), ["source", source[0].value], source[1], Document(source[1], Origin.FLAG))
    settings = None if report.failed else validate(Dataset, root, (), Shape(Dataset), report, root)
    if settings is None or report.failed:
        return None, _explained(report.sorted())
    return settings.contract(name, lambda key: _place(root, key)), report.sorted()


def _explained(told: Sequence[Diagnostic]) -> Sequence[Diagnostic]:
    """Return them with the keys that can be explained called as in the configuration, which has contracts by name."""
    return [replace(_of_others(each), help=each.help.replace(_EXPLAIN, f"{_EXPLAIN}{_BELOW}.")) for each in told]


def _of_others(each: Diagnostic) -> Diagnostic:
    """Return it with the key by which others' formats are told, if that was probably meant."""
    unknown = _UNKNOWN.fullmatch(each.message)
    near = nearest(unknown[1], SIGNS) if unknown and not each.label else ""
    return replace(each, label=did_you_mean(near)) if near else each


def _tree(file: str, report: Report) -> Node:
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        report.error("ZC006", f"cannot be read: {error.strerror}", Document(file))
        return Node(Place(Document(file)), {})
    return read(content, file, report)


def _place(root: Node, key: str) -> str:
    """Return where `expect[3]`, `columns.NAME` or a plain key stands; names of columns may hold anything."""
    name, _, below = key.partition(".")
    at = _ENTRY.fullmatch(key)
    found = root.get("expect", int(at[1])) if at else root.get(name, *([below] if below else []))
    return str(found.place) if found is not None else ""
