"""Slow statements of PostgreSQL and MySQL, out of what these write about them, without the values in them.

Values may be secrets and differ each time, so a statement is known by its form: `select * from t where id = ?`.
"""

from __future__ import annotations

import re
from typing import Final

from zen_agents.dataclass import dataclass

#: What is beyond this (characters) in a statement, and in its form, is left out.
LONGEST_STATEMENT: Final = 4096
LONGEST_FORM: Final = 300

# Each repetition is possessive or of one class, and no part of a literal needs its end: time is linear in the text.
_STRING: Final = r"'(?:[^'\\]|\\.|'')*+'?"
_QUOTED: Final = r'"(?:[^"\\]|\\.|"")*+"?'
_COMMENT: Final = r"/\*(?:[^*]|\*(?!/))*+(?:\*/)?|--[^\n]*+"
_NUMBER: Final = r"(?<![\w$])(?:0x[0-9a-fA-F]++|\d[\w.]*+)|\$\d++"
_POSTGRES: Final = re.compile(rf"(?P<comment>{_COMMENT})|(?P<name>{_QUOTED})|[eEbBxXnN]?{_STRING}|{_NUMBER}", re.DOTALL)
_MYSQL: Final = re.compile(rf"(?P<comment>{_COMMENT}|#[^\n]*+)|(?P<name>`[^`]*+`?)|{_QUOTED}|{_STRING}|{_NUMBER}", re.DOTALL)
_LIST: Final = re.compile(r"\(\s*+\?(?:\s*+,\s*+\?)++\s*+\)")

_SEVERITY: Final = re.compile(r"(?:^|[ \]])([A-Z]{3,9}[1-5]?):  ")
_TELLING: Final = "duration: "
_DURATION: Final = re.compile(
    r"duration: (\d{1,12}\.\d{1,6}) ms  (?:statement|(?:execute|parse|bind|fetch)[^:\n]{0,200}): (.+)", re.DOTALL
)
_QUERY_TIME: Final = re.compile(r"# Query_time: (\d{1,9}(?:\.\d{1,9})?)\s")
_NO_STATEMENT: Final = re.compile(r"(?:use [^;]{1,200}|SET timestamp=\d{1,20});", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SlowQuery:
    """A statement that took long."""

    seconds: float
    #: Untrusted, and without values.
    form: str


def postgres_query(entry: str) -> SlowQuery | None:
    """Return the statement of an entry of PostgreSQL's log (`log_min_duration_statement`), None if it is about none.

    The duration must be where the server itself writes it, right after the entry's own severity: one that is quoted in an
    error is none. Without a severity (csvlog, jsonlog) the entry is the message.
    """
    if _TELLING not in entry:  # as good as none is one, and this is all that most lines cost
        return None
    severity = _SEVERITY.search(entry[:LONGEST_STATEMENT])
    if severity is not None and severity[1] != "LOG":
        return None
    found = _DURATION.match(entry, 0 if severity is None else severity.end())
    return None if found is None else SlowQuery(float(found[1]) / 1000, _form(found[2], _POSTGRES))


class MySqlSlowLog:
    """Joins the lines of MySQL's and MariaDB's slow query log to statements."""

    def __init__(self) -> None:
        self._seconds: float | None = None
        self._lines: list[str] = []
        self._length = 0

    def line(self, line: str) -> SlowQuery | None:
        """Take the next line; return the statement that it ends."""
        if not line.startswith("# "):
            self._take(line)
            return None
        # A statement may have lines like that, but not behind a line that ends it.
        ended = self.finish() if self._seconds is not None and (not self._lines or self._lines[-1].endswith(";")) else None
        found = _QUERY_TIME.match(line)
        if found is not None and not self._lines:
            self._seconds = float(found[1])
        return ended

    def finish(self) -> SlowQuery | None:
        """Return the statement that is being read, at the end of the log."""
        seconds, text = self._seconds, "\n".join(self._lines)
        self._seconds, self._lines, self._length = None, [], 0
        return None if seconds is None or not text else SlowQuery(seconds, _form(text, _MYSQL))

    def _take(self, line: str) -> None:
        if self._seconds is None or (not self._lines and _NO_STATEMENT.fullmatch(line.strip())):
            return
        if self._length < LONGEST_STATEMENT:
            self._lines.append(line.rstrip()[:LONGEST_STATEMENT])
            self._length += len(line)
        elif line.rstrip().endswith(";"):
            self._lines[-1] = f"{self._lines[-1]};"


def _form(statement: str, literals: re.Pattern[str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        if match["comment"] is not None:
            return " "
        return match[0] if match["name"] is not None else "?"

    form = " ".join(literals.sub(replaced, statement[:LONGEST_STATEMENT]).split())
    return _LIST.sub("(?)", form).rstrip("; ")[:LONGEST_FORM]
