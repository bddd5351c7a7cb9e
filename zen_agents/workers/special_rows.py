"""The rows of a file of which there is something to be done, as the facts that DuckDB keeps tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zen_agents.datasets import rewriting
from zen_agents.workers.duck import Duck
from zen_agents.workers.splicing import Special

#: So many rows are asked for at once.
_AT_ONCE: Final = 100_000


def special_rows(duck: Duck) -> Iterator[Special]:
    """Yield each row of which there is something to be done, in its order."""
    (total,) = duck.rows(rewriting.rows())[0]
    for first in range(0, int(total), _AT_ONCE):
        for number, why, before, after, twin in duck.rows(rewriting.special(first, first + _AT_ONCE)):
            yield Special(int(number), why, before, after, twin)
