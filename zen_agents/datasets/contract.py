"""What is expected of a data set, and what may be done where it is not so.

A contract is the same thing wherever it was written: in the configuration, in a file of its own, or in one of the formats
that others use. The names of columns in it are untrusted, as those in the data are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from enum import StrEnum
from typing import Literal

from zen_agents.dataclass import dataclass
from zen_agents.datasets.questions import Question, Value, columns_of
from zen_agents.datasets.source import Source
from zen_agents.model.severity import Severity


class ColumnType(StrEnum):
    """What the values of a column are, whatever the source calls it."""

    ANY = "any"
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    TIMESTAMP = "timestamp"
    UUID = "uuid"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: ColumnType = ColumnType.ANY
    #: How a date, time or timestamp is written in text, as strftime says it; "" is ISO 8601.
    form: str = ""
    #: Whether it need not be there.
    optional: bool = False
    #: Other names under which it may stand in a header, for `RepairKind.RENAME_HEADERS`.
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How many rows may fail: no more than `rows`, or than this share of all (0.001 is a tenth of a percent)."""

    rows: int = 0
    share: float = 0.0

    def allows(self, count: int, total: int) -> bool:
        """Tell whether so many of so many are allowed."""
        return count <= max(self.rows, int(self.share * total + 1e-9))


@dataclass(frozen=True, slots=True)
class Check:
    """One question, how many rows may fail it, and how bad it is if more do."""

    asks: Question
    #: Unique in its contract; `name_of(asks)` where nobody gave one.
    name: str
    tolerance: Tolerance = Tolerance()
    severity: Severity = Severity.ERROR
    #: Where it was written, `file:line:column`; "" if it is implied.
    origin: str = ""


class RepairKind(StrEnum):
    """What may be done to rows, cells or a whole file."""

    TRIM = "trim"
    NORMALISE_WHITESPACE = "normalise_whitespace"
    NORMALISE_CASE = "normalise_case"
    NORMALISE_UNICODE = "normalise_unicode"
    NORMALISE_LINE_ENDINGS = "normalise_line_endings"
    NORMALISE_ENCODING = "normalise_encoding"
    COERCE = "coerce"
    FILL = "fill"
    CLAMP = "clamp"
    DROP_DUPLICATES = "drop_duplicates"
    RENAME_HEADERS = "rename_headers"
    QUARANTINE_ROWS = "quarantine_rows"
    RESTORE_SNAPSHOT = "restore_snapshot"


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair that the contract allows; they are done in the contract's order."""

    kind: RepairKind
    #: The columns it may change; () is every one to which it applies.
    columns: tuple[str, ...] = ()
    #: What `fill` writes; the least and most that `clamp` leaves.
    value: Value | None = None
    least: Value | None = None
    most: Value | None = None
    #: What `normalise_case` makes (`lower`, `upper`), the form of `normalise_unicode` (`NFC`), what `coerce` reads.
    form: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What looking at a data set may take."""

    memory_bytes: int = 512 << 20
    threads: int = 2
    seconds: float = 600.0
    #: What does not fit into memory is written below here, at most so much; "" is a private temporary directory.
    spill_dir: str = ""
    spill_bytes: int = 16 << 30
    #: So many failing rows of each check are shown.
    evidence_rows: int = 10
    #: Columns whose values name a failing row, besides its number.
    keys: tuple[str, ...] = ()
    #: A repair of a table holds its rows locked no longer than this.
    lock_seconds: float = 30.0
    #: Nor is it about more rows than this: they all are changed in one transaction.
    most_rows: int = 10_000_000


#: Nothing but how many; where they are; by which keys they are known as well.
Tell = Literal["nothing", "numbers", "keys"]


@dataclass(frozen=True, slots=True)
class Keeping:
    """How many good copies of a file are kept, and for how long; the newest always is."""

    copies: int = 3
    #: All of them together.
    most_bytes: int = 1 << 30
    age_seconds: float = 30 * 86400.0
    #: No sooner after the last one.
    every_seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Contract:
    """What is expected of one data set."""

    #: Name of the data set.
    name: str
    source: Source
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    repairs: tuple[Repair, ...] = ()
    #: A repair that would change a larger share of the rows asks a person first.
    repair_at_most: float = 0.05
    #: Directory in which good copies of its files lie, by their names; "" is none, or the state where `keep` says so.
    snapshots: str = ""
    #: Copies that are made of it after looks that were good; None for none.
    keep: Keeping | None = None
    #: Whether whole files that fail go into the quarantine once nothing else helped.
    takes_files: bool = False
    #: What of failing rows people are told of in messages.
    tell: Tell = "numbers"
    #: Directory for rows that are taken out; "" is that of the file.
    quarantine: str = ""
    limits: Limits = field(default_factory=Limits)

    def column(self, name: str) -> Column:
        """Return what is said of a column; of one that is not listed, nothing but its name."""
        return next((column for column in self.columns if column.name == name), Column(name))


def name_of(question: Question) -> str:
    """Return what a question is called where nobody gave it a name: `not_null.amount`, `unique.shop+number`."""
    columns = "+".join(columns_of(question))
    return f"{question.kind}.{columns}" if columns else question.kind


def named(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks with a number behind each name that came before: `between.amount`, `between.amount.2`."""
    seen: dict[str, int] = {}
    found = []
    for check in checks:
        seen[check.name] = number = seen.get(check.name, 0) + 1
        name = check.name if number == 1 else f"{check.name}.{number}"
        found.append(Check(check.asks, name, check.tolerance, check.severity, check.origin))
    return tuple(found)
