"""How SQLite repairs a text: by functions of ours, which leave alone what is no text (`MENDING_FUNCTIONS`)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.dialects.mending import BLANKS, Mending
from zen_agents.datasets.dialects.sqlite import FUNCTIONS, SqliteDialect
from zen_agents.datasets.sql import Sql, sql, value

_SEVERAL: Final = re.compile(f"[{BLANKS}]+")
_ISO: Final = {
    ColumnType.DATE: "%Y-%m-%d", ColumnType.TIME: "%H:%M:%S", ColumnType.TIMESTAMP: "%Y-%m-%d %H:%M:%S",
}  # fmt: skip


def _of_text(mend: Callable[..., Any]) -> Callable[..., Any]:
    return lambda given, *more: mend(given, *more) if isinstance(given, str) else given


def _number(text: str, wanted: str, point: str) -> str | None:
    bare = _SEVERAL.sub("", text).translate({ord(each): None for each in "_'" + ("." if point == "," else ",")})
    bare = bare.replace(",", ".")
    bare = re.sub(r"\.0+$", "", bare) if wanted == ColumnType.INTEGER else bare
    read = FUNCTIONS["read_integer" if wanted == ColumnType.INTEGER else "read_number"][1]
    return bare if read(bare) is not None else None


def _moment(text: str, wanted: str, form: str, written: str) -> str | None:
    try:
        read = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - as it is written
    except ValueError:
        return None
    return read.strftime(written or _ISO[ColumnType(wanted)])


#: Name -> how many arguments it takes, and what it does.
MENDING_FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "mend_trim": (1, _of_text(lambda text: text.strip(BLANKS))),
    "mend_space": (1, _of_text(lambda text: _SEVERAL.sub(" ", text).strip(" "))),
    "mend_case": (2, _of_text(lambda text, form: text.upper() if form == "upper" else text.lower())),
    "mend_compose": (1, _of_text(lambda text: unicodedata.normalize("NFC", text))),
    "mend_number": (3, _of_text(_number)),
    "mend_moment": (4, _of_text(_moment)),
}


class SqliteMending(Mending):
    """SQLite."""

    def __init__(self) -> None:
        self._dialect = SqliteDialect()

    def trimmed(self, text: Sql) -> Sql:
        return sql("mend_trim({})", text)

    def spaced(self, text: Sql) -> Sql:
        return sql("mend_space({})", text)

    def composed(self, text: Sql) -> Sql:
        return sql("mend_compose({})", text)

    def cased(self, text: Sql, form: str) -> Sql:
        return sql("mend_case({}, {})", text, value(form))

    def number(self, plain: Sql, wanted: ColumnType, point: str) -> Sql:
        return sql("mend_number({}, {}, {})", plain, value(wanted.value), value(point))

    def moment(self, plain: Sql, wanted: ColumnType, form: str, written: str) -> Sql:
        return sql("mend_moment({}, {}, {}, {})", plain, value(wanted.value), value(form), value(written))

    def usual(self, plain: Sql, wanted: ColumnType) -> Sql:
        return self._dialect.reads(plain, ColumnType.ANY, wanted, "")
