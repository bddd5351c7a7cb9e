"""Contracts in files of their own: read as the configuration is, with the place of everything that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from zen_agents.agents.data_validation.dataset import Dataset
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.foreign.recognise import format_of
from zen_agents.datasets.source import SourceKind
from zen_agents.settings.diagnostics import Diagnostic, Level, Report
from zen_agents.settings.foreign_contracts import read_foreign_contract
from zen_agents.settings.nodes import Document, Node, Origin, Place, put
from zen_agents.settings.reader import MAX_BYTES, read
from zen_agents.settings.shape import Shape
from zen_agents.settings.validation import validate


def read_contract(
    file: str, source: tuple[SourceKind, str] | None, table: str = ""
) -> tuple[Contract | None, Sequence[Diagnostic]]:
    """Return the contract in a file, None if anything in it is wrong, and all that is to be said of it.

    A `source`, as kind and absolute path, stands instead of the file's own. `table` is which of several is meant, where a
    file in others' formats describes them.
    """
    report = Report()
    root = _tree(file, report)
    if format_of(root.plain()):
        contract = read_foreign_contract(root, table, source, report)
        return contract, report.sorted()
    if source is not None and root.is_map:
        own = root.get("source")
        written = own.value if own is not None and own.is_map else {}
        kept = {key: each for key, each in written.items() if key not in list(SourceKind)}
        entries = {key: each for key, each in root.value.items() if key != "source"}
        root = put(Node(root.place, entries), ["source", source[0].value], source[1], Document(source[1], Origin.FLAG))
        root.value["source"].node.value.update(kept)
    settings = None if report.found else validate(Dataset, root, (), Shape(Dataset), report, root)
    if settings is None or any(each.level is Level.ERROR for each in report.found):
        return None, report.sorted()
    return settings.contract(Path(file).stem, lambda key: _place(root, key)), report.sorted()


def _tree(file: str, report: Report) -> Node:
    try:
        with Path(file).open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        report.error("ZC006", f"cannot be read: {error.strerror}", Document(file))
        return Node(Place(Document(file)), {})
    return read(content, file, report)


def _place(root: Node, key: str) -> str:
    name, _, index = key.partition("[")
    found = root.get(name, int(index.rstrip("]"))) if index else root.get(*name.split(".", 1))
    return str(found.place) if found is not None else ""
