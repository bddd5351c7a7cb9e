"""`templates:` of a source: what its lines say as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, model_validator

from zen_agents.model.scalars import PositiveDuration, refuse
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity


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
