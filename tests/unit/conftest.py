"""A real PostgreSQL for the tests of a file, and a shop in it or in SQLite."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.datasets import open_to_others
from tests.support.postgres_here import Server, needs_postgres, postgres_here
from tests.support.tables import Shop, postgres_shop, sqlite_shop


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """Return a PostgreSQL that no other file of tests uses."""
    with postgres_here() as found:
        yield found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=needs_postgres)])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Shop:
    """Return a shop whose tables anybody may be asked about, in either database."""
    open_to_others(tmp_path)
    return sqlite_shop(tmp_path) if request.param == "sqlite" else postgres_shop(request.getfixturevalue("server"), tmp_path)
