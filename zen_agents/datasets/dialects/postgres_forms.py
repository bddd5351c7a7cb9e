"""Dates that are written by a format of strptime, as PostgreSQL reads and writes them.

PostgreSQL's own `to_date` takes what is no day for another one, or ends the query. Here a text is taken apart by an
expression and put together as ISO 8601, which is read only where it is a day that exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.base import UnsaidError
from zen_agents.datasets.sql import Sql, joined, sql, value

#: Directive -> what stands there, and how `to_char` calls it.
_PARTS: Final = {
    "d": ("[0-9]{1,2}", "DD"), "m": ("[0-9]{1,2}", "MM"), "Y": ("[0-9]{4}", "YYYY"), "y": ("[0-9]{2}", "YY"),
    "H": ("[0-9]{1,2}", "HH24"), "M": ("[0-9]{1,2}", "MI"), "S": ("[0-9]{1,2}", "SS"), "f": ("[0-9]{1,6}", "US"),
}  # fmt: skip
#: From this on two digits are a year of the last century, as for strptime.
_LAST_CENTURY: Final = "69"


def iso_of(text: Sql, form: str, wanted: ColumnType) -> Sql:
    """Return what a format makes of a text, written as ISO 8601, or null; UnsaidError for a format that is not known."""
    order = [part for kind, part in _pieces(form) if kind]
    pattern = "^" + "".join(f"({_PARTS[part][0]})" if kind else _escaped(part) for kind, part in _pieces(form)) + "$"

    def part(directive: str, otherwise: str = "") -> Sql:
        if directive not in order:
            return value(otherwise)
        return sql(f"(regexp_match({{}}, {{}}))[{order.index(directive) + 1}]", text, value(pattern))

    day = joined(" || '-' || ", [_year(part, order), *(sql("lpad({}, 2, '0')", part(each)) for each in "md")])
    clock = joined(" || ':' || ", [sql("lpad({}, 2, '0')", part(each, "0")) for each in "HMS"])
    clock = sql("{} || '.' || {}", clock, part("f")) if "f" in order else clock
    if wanted is not ColumnType.TIME and not ({"m", "d"} <= {*order} and {"Y", "y"} & {*order}):
        raise UnsaidError(f"the format {form} does not say which day it is")
    whole = {ColumnType.DATE: day, ColumnType.TIME: clock}.get(wanted, sql("{} || ' ' || {}", day, clock))
    return sql("CASE WHEN {} ~ {} THEN {} END", text, value(pattern), whole)


def written_by(moment: Sql, form: str) -> Sql:
    """Return a moment as a format writes it."""
    template = "".join(_PARTS[part][1] if kind else '"' + part.replace('"', '\\"') + '"' for kind, part in _pieces(form))
    return sql("to_char({}, {})", moment, value(template))


def _year(part: Callable[[str], Sql], order: Sequence[str]) -> Sql:
    if "Y" in order:
        return part("Y")
    short = part("y")
    return sql(f"(CASE WHEN {{}} >= '{_LAST_CENTURY}' THEN '19' ELSE '20' END || {{}})", short, short)


def _pieces(form: str) -> Iterator[tuple[bool, str]]:
    """Yield (is a directive, its letter or the character that stands there)."""
    at = 0
    while at < len(form):
        if form[at] == "%" and form[at + 1 : at + 2] != "%":
            directive = form[at + 1 : at + 2]
            if directive not in _PARTS:
                raise UnsaidError(f"PostgreSQL reads no %{directive} in a date; cast it in a `query`")
            yield True, directive
            at += 2
            continue
        yield False, form[at]
        at += 2 if form[at] == "%" else 1


def _escaped(character: str) -> str:
    return character if character.isalnum() or character in " _" else "\\" + character
