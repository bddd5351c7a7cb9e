"""Which data sets a command is about: those of the configuration by name, or a file by a contract of its own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Final

from zen_agents.agents.base import AgentContext
from zen_agents.agents.data_validation.dataset import contracts_of, referred
from zen_agents.cli.call import Call
from zen_agents.cli.options import config_of
from zen_agents.cli.render import colour_wanted
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.source import Source, SourceKind
from zen_agents.errors import SettingsError, UsageError
from zen_agents.settings.contract_files import read_contract
from zen_agents.settings.loader import load
from zen_agents.settings.nearest import did_you_mean, nearest
from zen_agents.settings.rendering import render

#: What a file's name ends in (behind what it is packed by) -> what it is.
_ENDINGS: Final = {
    ".csv": SourceKind.CSV, ".tsv": SourceKind.TSV, ".tab": SourceKind.TSV, ".parquet": SourceKind.PARQUET,
    ".jsonl": SourceKind.JSONL, ".ndjson": SourceKind.JSONL,
}  # fmt: skip
_MOST_EVIDENCE: Final = 1000
_DATABASES: Final = frozenset({".db", ".sqlite", ".sqlite3", ".db3"})
_CALL_IT_SO: Final = "call it so, or name a data set of the configuration: a table of a database is one"
_PACKED: Final = frozenset({".gz", ".zst"})


class DataSets:
    """The contracts that a command is about, and all that their keys may refer to."""

    def __init__(self, wanted: Sequence[Contract], known: Mapping[str, Contract]) -> None:
        self.wanted, self._known = wanted, known

    def others(self, contract: Contract) -> Mapping[str, Contract]:
        """Return those that a contract's keys refer to, by name."""
        return referred(contract, self._known)


def data_sets(call: Call) -> DataSets:
    """Return them, bounded as the command says; SettingsError, told with its place, for a contract that is not valid."""
    words = call.arguments.words
    by_file = call.arguments.contract is not None
    known = {} if by_file else _configured(call)
    wanted = [_by_file(call, words)] if by_file else [_known(word, known) for word in words or known]
    return DataSets(_bounded(call, wanted), known)


def two_sides(call: Call) -> Sequence[Contract]:
    """Return the contracts of the two that are named: files by their endings, else data sets of the configuration.

    What one of the two says of columns holds for both; errors as above.
    """
    words = call.arguments.words
    if len(words) != 2:
        raise UsageError("name two to compare, files or data sets: the earlier one, and the later one")
    are_files = [_kind_of(word) is not None for word in words]
    known = {} if all(are_files) else _configured(call)
    sides = [_a_file(call, word) if is_file else _known(word, known) for word, is_file in zip(words, are_files, strict=True)]
    first = next((each for each in sides if each.columns), sides[0])
    return _bounded(call, [replace(first, name=each.name, source=each.source) for each in sides])


def place_of(call: Call, word: str) -> Contract:
    """Return where the data lies that is named, and what looking may take: a file by its ending, else a data set."""
    if is_file(word) or os.sep in word or os.path.lexists(word):
        return Contract(Path(word).stem, Source(kind_of(word, otherwise=_CALL_IT_SO), str(Path(word).absolute())))
    named = _known(word, _configured(call))
    return Contract(word, named.source, limits=named.limits)


def is_file(word: str) -> bool:
    """Tell whether it is called as a file is."""
    return _kind_of(word) is not None


def _a_file(call: Call, word: str) -> Contract:
    if call.arguments.contract is not None:
        return _by_file(call, [word])
    place = Source(kind_of(word), str(Path(word).absolute()))
    return Contract(Path(place.path).name, place)


def _bounded(call: Call, wanted: Sequence[Contract]) -> Sequence[Contract]:
    """Return them with as many failing rows as are asked for."""
    evidence = call.arguments.evidence
    if evidence is None:
        return wanted
    if not 0 <= evidence <= _MOST_EVIDENCE:
        raise UsageError(f"--evidence is from 0 to {_MOST_EVIDENCE}, not {evidence}")
    return [replace(each, limits=replace(each.limits, evidence_rows=evidence)) for each in wanted]


def _by_file(call: Call, words: Sequence[str]) -> Contract:
    if len(words) > 1:
        raise UsageError("name one file, or one pattern in quotes: the files that match it are one data set")
    source = (kind_of(words[0]), str(Path(words[0]).absolute())) if words else None
    contract, diagnostics = read_contract(call.arguments.contract, source, call.arguments.table or "")
    if contract is None:
        raise SettingsError(render(diagnostics, "full", colour=colour_wanted(call)))
    if diagnostics and not call.arguments.quiet:
        print(render(diagnostics, "concise"), file=sys.stderr)
    return contract


def kind_of(file: str, *, otherwise: str = "") -> SourceKind:
    """Return what a file is by its ending; UsageError if that does not say it, with what to do `otherwise`."""
    kind = _kind_of(file)
    if kind is None:
        if Path(file).is_dir():
            raise UsageError(f"{file} is a directory; name its files by a pattern in quotes: '{Path(file) / '*.csv'}'")
        raise UsageError(
            f"what {file} is cannot be told by its name, which ends in none of {', '.join(_ENDINGS)} (and .gz or .zst); "
            f"{otherwise or f'write it in the contract, and no name here: source: {_as_source(file)}'}"
        )
    return kind


def _as_source(file: str) -> str:
    path = Path(file)
    of_table = path.suffix.lower() in _DATABASES
    return f"{{sqlite: {path.absolute()}, table: NAME}}" if of_table else f"{{csv: {path.absolute()}}}"


def _kind_of(file: str) -> SourceKind | None:
    suffixes = [each.lower() for each in Path(file).suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return _ENDINGS.get(suffixes[-1] if suffixes else "")


def _configured(call: Call) -> Mapping[str, Contract]:
    try:
        config = config_of(call)
    except SettingsError:
        for word in call.arguments.words:
            _refuse_a_file(word)
        raise
    loaded = load([str(config)], os.environ)
    section = loaded.require().agents.get("data_validation")
    if section is None or not section.datasets:
        raise UsageError("the configuration has no data sets; name a file and what is expected of it: --contract FILE")
    return contracts_of(section, AgentContext("", loaded.origins))


def _refuse_a_file(word: str) -> None:
    """Refuse what is called as a file is: what is expected of it stands nowhere."""
    if _kind_of(word) is not None:
        raise UsageError(
            f"nothing says what is expected of {word}: name a contract with --contract FILE; "
            f"zen-agents data infer {quote(word)} proposes one"
        )


def _known(word: str, known: Mapping[str, Contract]) -> Contract:
    if word not in known:
        _refuse_a_file(word)
        meant = did_you_mean(nearest(word, known)) or f"there are {', '.join(known)}"
        raise UsageError(f"there is no data set {word!r}; {meant}")
    return known[word]
