"""Which rows a contract lets be taken out: those that fail a check of single rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zen_agents.datasets.contract import Contract
from zen_agents.datasets.predicates import UntypedError, failing
from zen_agents.datasets.questions import (
    Between,
    Compared,
    Holds,
    Length,
    Matches,
    NoneOf,
    NotNull,
    OfType,
    OneOf,
    columns_of,
)
from zen_agents.datasets.repairs import UnrepairableError, quarantines
from zen_agents.datasets.scope import MissingColumnError, Scope
from zen_agents.datasets.sql import Sql, joined, sql

#: Questions about each row by itself.
OF_ROWS: Final = (OfType, NotNull, Between, OneOf, NoneOf, Matches, Length, Compared, Holds)


def taken_out(contract: Contract, scope: Scope) -> Sequence[tuple[str, Sql]]:
    """Return each check that takes a row out, and the condition under which it does; UnrepairableError if it cannot."""
    asked = quarantines(contract)
    if asked is None:
        return ()
    checks = [each for each in contract.checks if isinstance(each.asks, OF_ROWS)]
    wanted = [each for each in checks if not asked.columns or set(asked.columns) & set(columns_of(each.asks))]
    try:
        return [(each.name, failing(each.asks, scope)) for each in wanted]
    except (MissingColumnError, UntypedError) as error:
        raise UnrepairableError(f"quarantine_rows: {error}") from error


def any_of(conditions: Sequence[Sql]) -> Sql:
    """Return whether any of these is true; what is unknown is not."""
    each = [sql("coalesce({}, false)", condition) for condition in conditions]
    return sql("({})", joined(" OR ", each)) if each else sql("false")
