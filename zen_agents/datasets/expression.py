"""Conditions in SQL that people write in contracts: one boolean expression over the columns of a row, and nothing else.

It is read here, token by token, by a grammar that knows no SELECT, no table and ten functions, and is written out anew: what
reaches a database are keywords of this file, quoted names and values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from zen_agents.dataclass import dataclass
from zen_agents.datasets.contract import ColumnType
from zen_agents.datasets.scope import Scope
from zen_agents.datasets.sql import Sql, joined, sql, value

#: What may be called; each means the same in DuckDB, PostgreSQL and SQLite.
FUNCTIONS: Final = frozenset({"abs", "coalesce", "length", "lower", "nullif", "replace", "round", "substr", "trim", "upper"})
_KEYWORDS = frozenset(
    {"and", "or", "not", "in", "between", "like", "is", "null", "true", "false", "case", "when", "then", "else", "end"}
)
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<word>[A-Za-z_]\w*)|"(?P<quoted>(?:[^"\0]|"")+)"
    |'(?P<text>(?:[^'\0]|'')*)'|(?P<sign><=|>=|<>|!=|\|\||--|[-+*/%=<>(),]))""",
    re.VERBOSE,
)
_COMPARISONS: Final = ("=", "<>", "!=", "<", "<=", ">", ">=")
_MOST_CHARACTERS, _MOST_DEPTH = 4000, 50
_MOST_WHOLE = (1 << 63) - 1


class ExpressionError(ValueError):
    """The condition cannot be read; the message says what is wrong, `offset` where."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class _Column:
    name: str


@dataclass(frozen=True, slots=True)
class _Literal:
    value: bool | int | float | str
    held: ColumnType


_Piece = str | _Column | _Literal


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that was read."""

    pieces: tuple[_Piece, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that it names, each once."""
        return tuple(dict.fromkeys(piece.name for piece in self.pieces if isinstance(piece, _Column)))

    def render(self, scope: Scope) -> Sql:
        """Return it in the SQL of the scope's database; MissingColumnError for a column that is not there."""
        return joined(" ", [_rendered(piece, scope) for piece in self.pieces])


def condition(text: str) -> Condition:
    """Return what a text says; raises ExpressionError."""
    if len(text) > _MOST_CHARACTERS:
        raise ExpressionError(f"is longer than {_MOST_CHARACTERS} characters", 0)
    reader = _Reader(_tokens(text), len(text))
    reader.whole()
    return Condition(tuple(reader.pieces))


def _rendered(piece: _Piece, scope: Scope) -> Sql:
    if isinstance(piece, str):
        return sql(piece)
    if isinstance(piece, _Column):
        return scope.value(piece.name)
    return value(piece.value) if piece.held is ColumnType.ANY else scope.dialect.bound(piece.value, piece.held)


def _number(written: str) -> int | float:
    """Return a number as what every database takes: whole ones have 64 bits there."""
    return int(written) if "." not in written and int(written) <= _MOST_WHOLE else float(written)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    offset: int


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise ExpressionError(f"{text[at]!r} means nothing here", at)
        kind = match.lastgroup or ""
        found.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return found


class _Reader:
    """Reads by descent, and writes what it has understood to `pieces`."""

    def __init__(self, tokens: Sequence[_Token], end: int) -> None:
        self._tokens, self._at, self._end, self._depth = tokens, 0, end, 0
        self.pieces: list[_Piece] = []

    def whole(self) -> None:
        self._or()
        if self._at < len(self._tokens):
            raise self._wrong("an operator or the end")

    def _or(self) -> None:
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise self._wrong(f"less than {_MOST_DEPTH} levels of parentheses")
        self._chain(("or",), lambda: self._chain(("and",), self._not))
        self._depth -= 1

    def _not(self) -> None:
        while self._takes("not"):
            pass
        self._sum()
        if self._takes(*_COMPARISONS):
            self._sum()
            return
        if self._takes("is"):
            self._takes("not")
            self._needs("null")
            return
        negated = self._takes("not")
        if self._takes("between"):
            self._sum()
            self._needs("and")
            self._sum()
        elif self._takes("in"):
            self._needs("(")
            self._chain((",",), self._sum)
            self._needs(")")
        elif self._takes("like"):
            self._sum()
        elif negated:
            raise self._wrong("BETWEEN, IN or LIKE")

    def _sum(self) -> None:
        self._chain(("+", "-", "||"), lambda: self._chain(("*", "/", "%"), self._factor))

    def _factor(self) -> None:
        while self._takes("-", "+"):
            pass
        token = self._token()
        if token is None:
            raise self._wrong("a column or a value")
        if self._takes("("):
            self._or()
            self._needs(")")
        elif self._takes("case"):
            self._case()
        elif self._takes("true", "false", "null"):
            pass
        elif token.kind == "word" and token.text.lower() in ("date", "timestamp") and self._next_is_text():
            self._moment(token.text.lower())
        elif token.kind in ("number", "text"):
            self._literal(token)
        else:
            self._named(token)

    def _case(self) -> None:
        self._needs("when")
        self._arm()
        while self._takes("when"):
            self._arm()
        if self._takes("else"):
            self._or()
        self._needs("end")

    def _arm(self) -> None:
        self._or()
        self._needs("then")
        self._or()

    def _moment(self, kind: str) -> None:
        self._at += 1
        token = self._tokens[self._at]
        self.pieces.append(_Literal(token.text.replace("''", "'"), ColumnType(kind)))
        self._at += 1

    def _literal(self, token: _Token) -> None:
        given = token.text.replace("''", "'") if token.kind == "text" else _number(token.text)
        self.pieces.append(_Literal(given, ColumnType.ANY))
        self._at += 1

    def _named(self, token: _Token) -> None:
        if token.kind not in ("word", "quoted") or (token.kind == "word" and token.text.lower() in _KEYWORDS):
            raise self._wrong("a column or a value")
        self._at += 1
        follower = self._token()
        if token.kind == "word" and follower is not None and follower.text == "(" and follower.kind == "sign":
            self._call(token)
        else:
            self.pieces.append(_Column(token.text.replace('""', '"') if token.kind == "quoted" else token.text))

    def _call(self, token: _Token) -> None:
        called = token.text.lower()
        if called not in FUNCTIONS:
            raise ExpressionError(f"may not call {token.text}(); it may {', '.join(sorted(FUNCTIONS))}", token.offset)
        self.pieces.append(called)
        self._needs("(")
        self._chain((",",), self._or)
        self._needs(")")

    def _chain(self, signs: Sequence[str], part: Callable[[], None]) -> None:
        part()
        while self._takes(*signs):
            part()

    def _next_is_text(self) -> bool:
        return self._at + 1 < len(self._tokens) and self._tokens[self._at + 1].kind == "text"

    def _token(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _takes(self, *wanted: str) -> bool:
        token = self._token()
        if token is None or token.kind not in ("word", "sign") or token.text.lower() not in wanted:
            return False
        self.pieces.append("<>" if token.text == "!=" else token.text.upper())
        self._at += 1
        return True

    def _needs(self, wanted: str) -> None:
        if not self._takes(wanted):
            raise self._wrong(wanted.upper())

    def _wrong(self, wanted: str) -> ExpressionError:
        token = self._token()
        if token is None:
            return ExpressionError(f"ends where {wanted} is wanted", self._end)
        return ExpressionError(f"has {token.text!r} where {wanted} is wanted", token.offset)
