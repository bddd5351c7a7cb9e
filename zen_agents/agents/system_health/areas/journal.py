"""The journal of this host."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated

from pydantic import Field, model_validator

from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.rule_maker import RuleMaker, now_above
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.journal_size import JournalSizeCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, Line, PositiveDuration, Size
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Rule

_TARGET = "journal:system"
_ATTEMPTS = 2


class JournalSize(Section):
    """How much room the journal of this host may take."""

    above: Annotated[Size, Field(ge=1)] = Field(4 * 2**30, description="size of all its files from which it is vacuumed")
    down_to: Annotated[Size, Field(ge=1)] = Field(2 * 2**30, description="size at which that stops")
    keep: Duration = Field(timedelta(days=1), description="what is younger than this stays, however large the journal is")
    every: PositiveDuration = Field(timedelta(minutes=5), description="how often its files are looked at")
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _ordered(self) -> JournalSize:
        if self.down_to >= self.above:
            raise refuse("clear", "is not below `above`, so it would be vacuumed again and again", at="down_to", see="above")
        return self


class Journal(Area[JournalSize]):
    """`journal`: its oldest files go when it takes more than it may."""

    def checks(self, section: JournalSize, settings: SystemHealthSettings) -> Iterable[Check]:
        """Return what looks at its size."""
        del settings
        yield JournalSizeCheck(every_seconds=seconds_in(section.every))

    def remedies(self, section: JournalSize) -> Iterable[Remedy]:
        """Return what may be done about it."""
        params = {"down_to_bytes": section.down_to, "keep_seconds": section.keep.total_seconds()}
        yield "vacuum_journal", _TARGET.partition(":")[2], params

    def rules(self, section: JournalSize, make: RuleMaker) -> Iterable[Rule]:
        """Return the rule about its size."""
        most = f"SystemMaxUse={max(1, section.down_to >> 20)}M"
        yield make.rule(
            "journal",
            _TARGET,
            now_above("journal.bytes", _TARGET, float(section.above), seconds_in(section.every)),
            at="journal",
            summary=f"the journal has grown too large; journald keeps it small by itself with {most}",
            severity=section.severity,
            ladder=make.ladder(make.unasked([make.remedies.of("vacuum_journal", _TARGET)]), attempts=_ATTEMPTS),
            runbook=section.runbook,
        )
