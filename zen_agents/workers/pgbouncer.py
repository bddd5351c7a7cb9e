"""What a PgBouncer says about a pool, by its admin console. It speaks simple queries alone, so nothing is put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from zen_agents.model.pool import PoolLook, PoolQuestion

if TYPE_CHECKING:
    import psycopg


def look(connection: psycopg.Connection[Any], asked: PoolQuestion) -> PoolLook:
    """Return how many of a pool's server connections are taken or waited for; more than all: clients wait."""
    pools = [each for each in _rows(connection, "SHOW POOLS") if _is_meant(each, asked)]
    sizes = [each for each in _rows(connection, "SHOW DATABASES") if each.get("name") == asked.database]
    if not sizes:
        return PoolLook(untold=f"{asked.server} has no database {asked.database}")
    active, waiting = (sum(int(each[name]) for each in pools) for name in ("sv_active", "cl_waiting"))
    clients = sum(int(each["cl_active"]) for each in pools) + waiting
    return PoolLook(active + waiting, int(sizes[0]["pool_size"]), "the pool", clients)


def _is_meant(pool: Mapping[str, Any], asked: PoolQuestion) -> bool:
    return bool(pool.get("database") == asked.database and pool.get("user") == asked.user)


def _rows(connection: psycopg.Connection[Any], query: str) -> Sequence[Mapping[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
