"""Settings of `agents.log_analysis`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from zen_agents.agents.agent_settings import AgentSettings
from zen_agents.agents.log_analysis.accounts import RULES, SOURCE, AccountSettings
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Line
from zen_agents.model.section import Entries

#: Names of the rules that a source has: that it is read, and what its lines say as a whole. No pattern may have one.
SOURCE_RULE = "source"
_OF_SOURCES = (
    SOURCE_RULE, "new_template", "vanished_template", "template_burst", "latency", "slow_query", "error_budget",
    "queue_growth", *RULES,
)  # fmt: skip

_ROOM = "zen_agents.agents.log_analysis"


class LogAnalysisSettings(AgentSettings):
    """What `agents.log_analysis` may say."""

    sources: Annotated[Mapping[str, Any], Entries(f"{_ROOM}.sources:LogSource")] = Field(
        {}, description="where lines come from, by name"
    )
    patterns: Annotated[Mapping[str, Any], Entries(f"{_ROOM}.patterns:LogPattern")] = Field(
        {}, description="what is looked for, by name"
    )

    accounts: AccountSettings | None = Field(
        None, description="accounts, and keys in their authorized_keys, that were not there before are told; {}: for an hour"
    )
    correlate_by: tuple[Line, ...] = Field(
        (), max_length=20,
        description="fields by which lines of different patterns belong together, besides addresses, users, requests, hosts",
    )  # fmt: skip

    @model_validator(mode="after")
    def _consistent(self) -> LogAnalysisSettings:
        if self.accounts is not None and SOURCE in self.sources:
            raise refuse(
                "name", f"is `{SOURCE}`, which is what `accounts` is called", at=f"sources.{SOURCE}", see="accounts"
            )
        for name, pattern in self.patterns.items():
            if name in _OF_SOURCES:
                raise refuse("name", f"is `{name}`, which is what a rule of each source is called", at=f"patterns.{name}")
            if pattern.source not in self.sources:
                there = f"there are {', '.join(self.sources)}" if self.sources else "there is none"
                at = f"patterns.{name}.source"
                raise refuse("reference", f"names `{pattern.source}`, which is not in `sources`; {there}", at=at)
            if pattern.ban_at and not self.sources[pattern.source].security:
                text = f"needs `security: true` at the source `{pattern.source}`: nothing else tells whose an address is"
                raise refuse("conflict", text, at=f"patterns.{name}.ban_at", see=f"sources.{pattern.source}")
        return self
