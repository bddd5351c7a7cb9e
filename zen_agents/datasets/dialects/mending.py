"""What differs between databases when cells are repaired. Every piece is an expression; null stays null."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.sql import Sql, listed, sql, value

#: What stands at the edges of a value and is nothing, with the spaces of other scripts and the byte-order mark.
BLANKS: Final = " \t\r\n\v\f\u00a0\u1680\u2007\u202f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200C)))
TRUE: Final = ("true", "t", "yes", "y", "on", "1")
FALSE: Final = ("false", "f", "no", "n", "off", "0")


class Mending(ABC):
    """One database's way to repair a text."""

    @abstractmethod
    def trimmed(self, text: Sql) -> Sql:
        """Return it without `BLANKS` at its ends."""

    @abstractmethod
    def spaced(self, text: Sql) -> Sql:
        """Return it so, and with one space for several blanks."""

    @abstractmethod
    def composed(self, text: Sql) -> Sql:
        """Return it with its characters written the usual way (NFC)."""

    @abstractmethod
    def number(self, plain: Sql, wanted: ColumnType, point: str) -> Sql:
        """Return a number without what stands between its thousands, `point` before its fraction; null for what is none."""

    @abstractmethod
    def moment(self, plain: Sql, wanted: ColumnType, form: str, written: str) -> Sql:
        """Return a date, time or timestamp that is read by one form as it is written by another ("": ISO 8601), or null."""

    @abstractmethod
    def usual(self, plain: Sql, wanted: ColumnType) -> Sql:
        """Return a value of any other type as that is usually written, or null."""

    def cased(self, text: Sql, form: str) -> Sql:
        """Return it in upper case, or lower."""
        return sql("upper({})" if form == "upper" else "lower({})", text)

    def boolean(self, plain: Sql) -> Sql:
        """Return `true` or `false` for what means that."""
        words = [listed([value(word) for word in words]) for words in (TRUE, FALSE)]
        return sql(
            "CASE WHEN lower({}) IN ({}) THEN 'true' WHEN lower({}) IN ({}) THEN 'false' END",
            plain, words[0], plain, words[1],
        )  # fmt: skip
