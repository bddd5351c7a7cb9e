"""`templates:`, `latency:` and `queues:` of a source: what its lines say as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from zen_agents.agents.log_analysis.line_pattern import LinePattern, groups_of
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Line, Percent, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity

if TYPE_CHECKING:
    from zen_agents.logs.watching.latency import LatencyRule, Limits
    from zen_agents.logs.watching.queues import QueueRule


class TemplateSettings(Section):
    """Which kinds of lines there are. People are told; nothing is done."""

    #: Where it stands in a source.
    key: ClassVar[str] = "templates"

    learn_for: PositiveDuration = Field(
        timedelta(days=7),
        description="nothing is new before the log was read for so long; set it to more than the rarest job",
    )
    new: bool = Field(True, description="a kind of line that never came before is told, for an hour")
    vanished: bool = Field(True, description="one that always came at this hour of the week and does not is told, for a day")
    bursts: bool = Field(True, description="one that comes far more often than is usual at this hour is told")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")

    @model_validator(mode="after")
    def _asks_for_something(self) -> TemplateSettings:
        if not self.rules:
            raise refuse("conflict", "tells of nothing: leave it out, or one of `new`, `vanished` and `bursts` true")
        return self

    @property
    def rules(self) -> Sequence[str]:
        """Names of the rules that are asked for."""
        asked = {"new_template": self.new, "vanished_template": self.vanished, "template_burst": self.bursts}
        return tuple(name for name, is_asked in asked.items() if is_asked)


class LatencyLimits(Section):
    """How long requests of one operation may take."""

    p50: PositiveDuration | None = Field(None, description="half of the requests take no longer than this")
    p95: PositiveDuration | None = Field(None, description="95 of 100 take no longer than this")
    p99: PositiveDuration | None = Field(None, description="99 of 100 take no longer than this")

    def limits(self) -> Limits:
        """Return them in seconds."""
        from zen_agents.logs.watching.latency import Limits  # noqa: PLC0415 - only sources that ask for it

        return Limits(*(None if each is None else each.total_seconds() for each in (self.p50, self.p95, self.p99)))

    @property
    def asks(self) -> bool:
        """True if any limit is written."""
        return (self.p50, self.p95, self.p99) != (None, None, None)


class LatencySettings(LatencyLimits):
    """How long operations may take, which statements are slow, and how much may fail. People are told; nothing is done."""

    #: Where it stands in a source.
    key: ClassVar[str] = "latency"

    routes: dict[Line, LatencyLimits] = Field(
        {}, description="other limits for some operations, by the name that messages give them: `GET /orders/{n}`"
    )
    window: PositiveDuration = Field(timedelta(minutes=10), description="over how long percentiles are taken")
    least: int = Field(20, ge=1, description="of fewer requests of an operation within `window` nothing is said; no unit")
    slow_query: PositiveDuration | None = Field(
        None, description="statements of PostgreSQL or MySQL that took longer are told, without the values in them"
    )
    objective: Percent | None = Field(
        None, description="so many requests are to succeed, like 99.9%; told once errors use up their budget too fast"
    )
    took_key: Line = Field(
        "", description="field that says how long it took, in seconds or as its ending says: _ms, _us, _ns; empty: the usual"
    )
    operation_key: Line = Field(
        "", description="field that says what was done; empty: route, path, operation, endpoint, url"
    )
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")

    @model_validator(mode="after")
    def _asks_for_something(self) -> LatencySettings:
        if not self.rules:
            raise refuse("conflict", "asks for nothing: write `p95`, `routes`, `slow_query` or `objective`")
        if self.objective is not None and not 0 < self.objective < 100:
            raise refuse("conflict", "leaves no budget, or all: write more than 0 and less than 100%", at="objective")
        return self

    @property
    def rules(self) -> Sequence[str]:
        """Names of the rules that are asked for."""
        asked = {
            "latency": self.asks or any(limits.asks for limits in self.routes.values()),
            "slow_query": self.slow_query is not None,
            "error_budget": self.objective is not None,
        }
        return tuple(name for name, is_asked in asked.items() if is_asked)

    @property
    def reads_fields(self) -> bool:
        """True if lines have to say in fields how long something took, or whether it failed."""
        return self.rules != ("slow_query",)

    def rule(self) -> LatencyRule:
        """Return what is asked."""
        from zen_agents.logs.watching.latency import LatencyRule  # noqa: PLC0415 - only sources that ask for it

        return LatencyRule(
            window=self.window.total_seconds(), least=self.least, limits=self.limits(),
            routes={name: limits.limits() for name, limits in self.routes.items()},
            slow_query=None if self.slow_query is None else self.slow_query.total_seconds(),
            objective=None if self.objective is None else self.objective / 100,
            took_key=self.took_key, operation_key=self.operation_key,
        )  # fmt: skip


class QueueSettings(Section):
    """Which queues grow. People are told; nothing is done."""

    #: Where it stands in a source.
    key: ClassVar[str] = "queues"
    rules: ClassVar[Sequence[str]] = ("queue_growth",)

    match: LinePattern | None = Field(
        None,
        description="expression with a group `depth`, and a group `queue` where there are several; empty: fields say it",
    )
    depth_key: Line = Field(
        "", description="field with the number of entries; empty: queue_depth, queue_length, queue_size, backlog, lag"
    )
    queue_key: Line = Field("", description="field with the name of the queue; empty: queue, queue_name, topic")
    window: PositiveDuration = Field(
        timedelta(minutes=30), description="over how long it has to grow; half of it has to be seen at least"
    )
    least: int = Field(1, ge=0, description="of a queue with fewer entries nothing is said; no unit")
    limit: int | None = Field(None, ge=1, description="so many entries it may have: told is when it will be full; no unit")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")

    @model_validator(mode="after")
    def _is_told_once(self) -> QueueSettings:
        if self.match is None:
            return self
        if beside := next((key for key in ("depth_key", "queue_key") if getattr(self, key)), None):
            raise refuse("conflict", "stands beside `match`, whose groups say it", at=beside, see="match")
        if "depth" not in groups_of(self.match):
            raise refuse("conflict", r"says no depth: write a group like (?P<depth>\d+)", at="match")
        return self

    def rule(self) -> QueueRule:
        """Return what is asked."""
        from zen_agents.logs.watching.queues import QueueRule  # noqa: PLC0415 - only sources that ask for it

        return QueueRule(
            window=self.window.total_seconds(), least=self.least, limit=self.limit, match=self.match or "",
            depth_key=self.depth_key, queue_key=self.queue_key,
        )  # fmt: skip
