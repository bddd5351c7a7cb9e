"""What repair_data does to a table: what a plan says of it, and what was done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from zen_agents.actions.scope import parent_of
from zen_agents.datasets.contract import Contract
from zen_agents.datasets.job import repair_look, table_question
from zen_agents.datasets.plain import contract_to_plain
from zen_agents.datasets.source import SourceKind
from zen_agents.errors import RefusedError, StalePlanError
from zen_agents.jobs.data_repair import TableRepair
from zen_agents.jobs.table_repair import TableChanged, TableReply
from zen_agents.model.action import Effect, Resource, ResourceKind
from zen_agents.ports.host import HostControl, HostView

#: A repair that locks more rows asks first: whoever wants to write them waits.
MOST_LOCKED: Final = 100_000


def needed_of_table(contract: Contract, host: HostView) -> TableRepair:
    """Return what would be done; RefusedError if it cannot be, StalePlanError if nothing has to."""
    reply = TableReply.model_validate_json(host.repair_known(repair_look(contract)))
    if reply.repair is None:
        raise RefusedError(f"it cannot be repaired: {reply.unable or 'nobody could tell'}")
    if not reply.repair.is_needed:
        raise StalePlanError(f"nothing in {contract.source.place} needs a repair that the contract allows")
    return reply.repair


def touched(contract: Contract) -> Resource:
    """Return what is touched: the file of a database that is one, else the table in the one that an address leads to."""
    source = contract.source
    if source.kind is SourceKind.SQLITE:
        return Resource(ResourceKind.PATH, source.path)
    return Resource(ResourceKind.TABLE, f"{source.dsn_file}:{source.table}")


def step_of(repair: TableRepair) -> str:
    """Return in words what is done; how many other rows there are may change until then."""
    parts = [f"change {repair.changed} rows of {repair.place}"] if repair.changed else [f"in {repair.place}"]
    parts += [f"take out {repair.taken}"] if repair.taken else []
    parts += [f"drop {repair.dropped} repetitions"] if repair.dropped else []
    return ", ".join(parts) + ", in one transaction; keep the rows as they were for undo"


def asks_of(repair: TableRepair) -> Iterator[str]:
    """Yield why a person decides about it."""
    if repair.triggers:
        yield f"it starts {', '.join(repair.triggers)}, and what triggers do undo does not take back"
    count = repair.changed + repair.taken + repair.dropped
    if count > MOST_LOCKED:
        yield f"it locks {count:,} rows until it ends, and more than {MOST_LOCKED:,} are not locked unasked"


async def repair_table(contract: Contract, about: str, control: HostControl, *, action: str) -> Effect:
    """Have it done."""
    taken_to = contract.quarantine or (parent_of(contract.source.path) if contract.source.path else "")
    try:
        told = await control.repair_table(table_question(contract), about, taken_to, action=action)
    finally:
        control.view.forget_repair(contract.name)
    done = TableChanged.model_validate_json(told)
    undo = {"contract": contract_to_plain(contract), "kept": done.kept}
    return Effect(True, _said(contract, done), before="bad rows", after="repaired", undo=undo)


def _said(contract: Contract, done: TableChanged) -> str:
    repair = done.repair
    if repair is None:
        return f"{contract.source.place} was repaired; the connection ended before it was said how much"
    taken = f" {repair.taken} taken out to {done.taken_to}," if repair.taken else ""
    return (
        f"{repair.place}: {repair.rows} rows in, {repair.kept} kept ({repair.changed} changed),{taken} "
        f"{repair.dropped} dropped as repeated"
    )
