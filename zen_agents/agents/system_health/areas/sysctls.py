"""Kernel settings that must be what was declared for them, but for what was deployed a moment ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, model_validator

from zen_agents.actions.restore_sysctl import place_of_setting
from zen_agents.agents.system_health.areas.base import Area, Remedy
from zen_agents.agents.system_health.areas.deployments import deployers
from zen_agents.agents.system_health.areas.drifting import drift_rule
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.checks.sysctl import SysctlCheck
from zen_agents.model.duration import seconds_in
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import ActionReference, Duration, KernelSetting, Line, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity
from zen_agents.rules.rule import Rule

#: Once set there is no way back before the next boot, or reading them says nothing of what was set.
_NO_SETTINGS = frozenset(
    {"kernel.modules_disabled", "kernel.kexec_load_disabled", "vm.drop_caches", "vm.compact_memory", "kernel.sysrq-trigger"}
)


def _words(value: object) -> object:
    """Take a number for its text, and single spaces between several, as the kernel's answer is compared."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return " ".join(text.split()) if isinstance(text, str) else text


class DeclaredSetting(Section):
    """One kernel setting and its value."""

    setting: KernelSetting = Field(
        description="kernel setting as sysctl(8) writes it; / is a dot within a part: net.ipv4.conf.eth0/1.rp_filter"
    )
    value: Annotated[Line, BeforeValidator(_words, json_schema_input_type=str | int), Field(min_length=1)] = Field(
        description="what it must be; several values parted by spaces"
    )
    every: PositiveDuration = Field(timedelta(seconds=60), description="how often it is looked at")
    held_for: Duration = Field(
        timedelta(seconds=30),
        alias="for",
        description="how long it must differ before it counts; a deployment says only afterwards that it was one",
    )
    on_failure: tuple[ActionReference, ...] | None = Field(
        None, description="not given: restore_sysctl if the allow-list has it; empty list: only tell"
    )
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    runbook: Line = Field("", description="address of a page that tells people what to do")

    @model_validator(mode="after")
    def _can_be_given_back(self) -> DeclaredSetting:
        if self.setting in _NO_SETTINGS:
            raise refuse("conflict", "has no way back before the next boot, or is no setting; it is not kept", at="setting")
        return self


class Sysctls(Area[Mapping[str, DeclaredSetting]]):
    """`sysctls`: given the declared value back."""

    def checks(self, section: Mapping[str, DeclaredSetting], settings: SystemHealthSettings) -> Iterable[Check]:
        """Return one check for each."""
        known = deployers(settings.deployments)
        for name, declared in section.items():
            yield SysctlCheck(
                name,
                setting=declared.setting,
                path=place_of_setting(declared.setting),
                value=declared.value,
                deployers=known,
                every_seconds=seconds_in(declared.every),
            )

    def remedies(self, section: Mapping[str, DeclaredSetting]) -> Iterable[Remedy]:
        """Return what restores each."""
        for name, declared in section.items():
            yield "restore_sysctl", name, {"setting": declared.setting, "value": declared.value}

    def rules(self, section: Mapping[str, DeclaredSetting], make: RuleMaker) -> Iterable[Rule]:
        """Return one rule for each."""
        for name, declared in section.items():
            yield drift_rule(
                name, declared, make, section="sysctls", target=f"sysctl:{name}", observed=f"sysctl.{name}",
                what=declared.setting, remedy="restore_sysctl",
            )  # fmt: skip
