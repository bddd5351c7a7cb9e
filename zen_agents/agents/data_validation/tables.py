"""What may not stand in a data set because it is a table, or a query: told when the configuration is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zen_agents.datasets.contract import RepairKind
from zen_agents.datasets.dialects.base import NO_QUANTILES, UnsaidError
from zen_agents.datasets.source import SourceKind
from zen_agents.datasets.table_rewriting import OF_FILES
from zen_agents.model.refusals import refuse

if TYPE_CHECKING:
    from zen_agents.agents.data_validation.dataset import Dataset
    from zen_agents.datasets.source import Source


def refuse_what_is_for_files(dataset: Dataset, place: Source) -> None:
    """Refuse repairs and checks that no table can have, and what its database has no way to say."""
    _refuse_checks(dataset, place)
    for at, each in enumerate(dataset.repair):
        for repair in each.repairs():
            if place.query and repair.kind is not RepairKind.RESTORE_SNAPSHOT:
                text = "repairs rows, and a query has none of its own: name the `table`"
                raise refuse("conflict", text, at=f"repair.{at}", see="source.query")
            if repair.kind in OF_FILES or (place.kind is SourceKind.POSTGRES and repair.kind is RepairKind.RESTORE_SNAPSHOT):
                text = f"has {repair.kind}, which is for files, and this is in a database"
                raise refuse("conflict", text, at=f"repair.{at}", see="source")
            if repair.kind is RepairKind.QUARANTINE_ROWS and place.kind is SourceKind.POSTGRES and not dataset.quarantine:
                text = "takes rows out of a table of a server: name the directory for them, `quarantine:`"
                raise refuse("conflict", text, at=f"repair.{at}")
    if place.kind is SourceKind.POSTGRES:
        _refuse_patterns(dataset)


def _refuse_checks(dataset: Dataset, place: Source) -> None:
    if dataset.fresh_within is not None:
        text = "is the age of files, and this is in a database: write it beside a `column` in `expect`"
        raise refuse("conflict", text, at="fresh_within", see="source")
    for at, each in enumerate(dataset.expect):
        if each.partitions is not None:
            raise refuse("conflict", "is for files, and this is in a database", at=f"expect.{at}.partitions", see="source")
        if place.kind is SourceKind.SQLITE and each.drift is not None and each.drift.quantiles is not None:
            raise refuse("conflict", NO_QUANTILES, at=f"expect.{at}.drift.quantiles", see="source.sqlite")


def _refuse_patterns(dataset: Dataset) -> None:
    from zen_agents.datasets.dialects.postgres_patterns import postgres_pattern  # noqa: PLC0415 - only for such tables

    for at, each in enumerate(dataset.expect):
        if each.matches is None:
            continue
        try:
            postgres_pattern(each.matches)
        except UnsaidError as error:
            raise refuse("text", str(error), at=f"expect.{at}.matches") from None
