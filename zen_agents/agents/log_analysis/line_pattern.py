"""Regular expressions over lines, as settings take them."""

from __future__ import annotations

from collections.abc import Set
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from zen_agents.logs.matching.base import PatternRefusedError
from zen_agents.logs.matching.choose import choose
from zen_agents.model.refusals import refuse


def check_line_pattern(value: str) -> str:
    """Return a regular expression over lines if it can be matched in linear time, by the engine that is installed."""
    try:
        choose([value])
    except PatternRefusedError as error:
        text = f"bad regular expression: {error.what}"
        raise refuse("regex", text, label=error.next_step or "here", offset=error.position) from None
    return value


def groups_of(pattern: str) -> Set[str]:
    """Return the names of the groups of an expression that was checked."""
    return frozenset(choose([pattern]).matcher.patterns[0].groups)


LinePattern = Annotated[str, AfterValidator(check_line_pattern), WithJsonSchema({"type": "string", "format": "regex"})]
