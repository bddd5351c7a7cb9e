"""What came of reading somebody else's contract."""

from __future__ import annotations

from collections.abc import Iterable

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import Check, Column, Tolerance, name_of, named
from zen_agents.datasets.foreign.descriptor import Part, meant
from zen_agents.datasets.questions import Question
from zen_agents.datasets.source import SourceOptions
from zen_agents.model.severity import Severity


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that the contract says and that is not asked, with its place there."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class Translation:
    """Somebody else's contract as ours. Everything of it is in the columns, the checks and the options, or is a remark."""

    #: What it calls itself, or the data; "" if it does not.
    name: str
    columns: tuple[Column, ...]
    checks: tuple[Check, ...]
    options: SourceOptions
    remarks: tuple[Remark, ...]
    #: Where it says that the data lies, as it says it: nothing is opened because of it.
    paths: tuple[str, ...] = ()


class Draft:
    """A translation in the making."""

    def __init__(self, name: str = "") -> None:
        self.name = name
        self.options = SourceOptions()
        self.paths: tuple[str, ...] = ()
        self._columns: list[Column] = []
        self._checks: list[Check] = []
        self._remarks: list[Remark] = []

    def column(self, column: Column) -> None:
        """Add a column."""
        self._columns.append(column)

    def ask(
        self, question: Question, at: Part, *, tolerance: Tolerance | None = None, severity: Severity = Severity.ERROR
    ) -> None:  # fmt: skip
        """Add a check that stands at this place of the contract."""
        self._checks.append(Check(question, name_of(question), tolerance or Tolerance(), severity, at.at))

    def remark(self, at: Part, text: str) -> None:
        """Say what of this part is not asked."""
        self._remarks.append(Remark(at.at, text))

    def remark_others(self, part: Part, known: Iterable[str]) -> None:
        """Say of each key that is not among the known ones that it is not read."""
        known = frozenset(known)
        for key, value in part.entries():
            if key not in known and not key.startswith("x-"):
                near = meant(key, known - part.mapping().keys())
                self.remark(value, f"is not read; did you mean `{near}`?" if near else "is not read")

    def translation(self) -> Translation:
        """Return what was made, each check under a name of its own."""
        return Translation(
            self.name, tuple(self._columns), named(self._checks), self.options, tuple(self._remarks), self.paths
        )  # fmt: skip
