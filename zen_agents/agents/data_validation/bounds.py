"""What of a data set's own is bounded: what looking at it may take, and the good copies that are kept of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from zen_agents.datasets.contract import Keeping, Limits
from zen_agents.model.scalars import AbsolutePath, PositiveDuration, Size
from zen_agents.model.section import Section


class DatasetLimits(Section):
    """What looking at the data set may take."""

    memory: Size = Field(
        512 << 20, ge=64 << 20, description="so much memory; what needs more is written to disk for a while"
    )
    spill: Size = Field(16 << 30, description="so much of that")
    spill_dir: AbsolutePath | None = Field(None, description="directory for it; empty: that of temporary files")
    threads: int = Field(2, ge=1, le=256, description="on so many processors at once")
    timeout: PositiveDuration = Field(timedelta(minutes=10), description="longer than this nothing may take")
    lock: PositiveDuration = Field(timedelta(seconds=30), description="a repair locks rows of a table no longer than this")
    rows: int = Field(
        10_000_000,
        ge=1,
        description="a repair of a table is about no more rows: one transaction changes, and locks, them all",
    )
    evidence: int = Field(10, ge=0, le=1000, description="so many failing rows of each check are shown")

    def as_said(self, keys: tuple[str, ...]) -> Limits:
        """Return them as what a worker gets, which shows failing rows by these columns."""
        return Limits(
            self.memory, self.threads, self.timeout.total_seconds(), self.spill_dir or "", self.spill, self.evidence, keys,
            self.lock.total_seconds(), self.rows,
        )  # fmt: skip


class Snapshots(Section):
    """`keep_snapshots:` copies of the file that are made after looks which found nothing wrong; `true` is as said here."""

    count: int = Field(3, ge=1, le=100, description="so many; the newest is always kept")
    size: Size = Field(1 << 30, description="so large together; of a larger file none is made")
    age: PositiveDuration = Field(timedelta(days=30), description="none older")
    every: PositiveDuration = Field(timedelta(hours=1), description="none sooner after the last one")

    def as_said(self) -> Keeping:
        """Return it as what is kept."""
        return Keeping(self.count, self.size, self.age.total_seconds(), self.every.total_seconds())


def _as_said(value: object) -> object:
    return {} if value is True else None if value is False else value


#: Left out, `true`, or a map.
MaybeSnapshots = Annotated[Snapshots | None, BeforeValidator(_as_said, json_schema_input_type=bool | Snapshots | None)]
