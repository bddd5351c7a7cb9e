"""The typed settings. Every key says what it means; the reference and `explain` are made from these classes.

The sections of agents and the policies of actions belong to them (`catalog`); the rest of the grammar is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SkipValidation, StringConstraints, model_validator

from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import (
    AbsolutePath,
    ActionReference,
    Duration,
    HostPort,
    Line,
    Name,
    Percent,
    PositiveDuration,
    Regex,
    Size,
    TimeOfDay,
    TimeZone,
    UnitName,
)
from zen_agents.model.section import Section, part
from zen_agents.settings.models_alerts import AlertSettings, Day, EscalationSettings, QuietHoursSettings
from zen_agents.settings.models_slo import SloSettings

_LOOPBACK = re.compile(r"localhost|\[::1\]|127(\.[0-9]{1,3}){3}")


class Mode(StrEnum):
    """What the engine may do at all, safest first."""

    OBSERVE = "observe"
    APPROVE = "approve"
    ENFORCE = "enforce"


class HostSettings(Section):
    """Who this host is."""

    name: Line = Field("", max_length=253, description="name in messages and records; empty: hostname -f, kept in the state")
    labels: dict[Name, Line] = Field(default_factory=dict, description="labels of your own, like env: prod")


class LimitSettings(Section):
    """How much the engine may do."""

    max_auto_repairs_per_hour: int = Field(
        5, ge=0, le=1_000_000, description="repairs in any hour; 0 never acts; env MAX_AUTO_REPAIRS_PER_HOUR wins"
    )
    max_housekeeping_per_hour: int = Field(20, ge=0, le=1_000_000, description="rotations and cleanings in any hour")
    max_concurrent: int = Field(1, ge=1, le=16, description="actions that may run at the same time")
    per_target_per_hour: int = Field(4, ge=0, le=1_000_000, description="actions on one target in any hour")
    boot_grace: Duration = Field(timedelta(minutes=2), description="how long after booting nothing is done")
    leave_alone_while: tuple[AbsolutePath, ...] = Field(
        ("/run/zen-agents/leave-alone",),
        description="while one of these files exists nothing is done: whatever drains or ends this machine makes it",
    )
    patience: PositiveDuration = Field(
        timedelta(minutes=15),
        description="how long a repair may be refused, or a check unable to tell, until people are told",
    )
    patience_when_critical: PositiveDuration = Field(
        timedelta(minutes=5), description="the same for what is critical; at most `patience`"
    )

    @model_validator(mode="after")
    def _has_less_patience_when_critical(self) -> LimitSettings:
        if self.patience_when_critical > self.patience:
            sooner = "what is critical is told sooner, not later"
            if "patience" in self.model_fields_set:
                raise refuse("conflict", f"is shorter than `patience_when_critical`: {sooner}", at="patience")
            raise refuse("conflict", f"is longer than `patience`: {sooner}", at="patience_when_critical")
        return self


class BreakerSettings(Section):
    """A breaker: opens, tells, and stays open."""

    open_after: int = Field(4, ge=1, le=1_000_000, description="how many within `within` open it")
    within: PositiveDuration = Field(timedelta(hours=1), description="the window they are counted in")
    retry_after: Duration = Field(timedelta(minutes=30), description="how long it stays open before one attempt")


class StormSettings(Section):
    """The storm brake: many failing at once means a shared cause, or a blind observer."""

    targets: int = Field(10, ge=1, le=1_000_000, description="more than this many targets failing within `within` open it")
    share: Percent = Field(50.0, description="more than this share of the targets that could be acted on opens it")
    within: PositiveDuration = Field(timedelta(minutes=5), description="the window they are counted in")
    retry_after: Duration = Field(timedelta(minutes=10), description="how long it stays open")


class BreakersSettings(Section):
    """When acting stops by itself."""

    failures: BreakerSettings = part("failed actions on one target")
    flapping: BreakerSettings = part("openings of one incident", within="30m", retry_after="2h")
    recurrence: BreakerSettings = part(
        "verified repairs of one fault that came back", open_after=3, within="4h", retry_after="2h"
    )
    storm: StormSettings = part("many targets failing at once")


class SafeModeTriggerSettings(Section):
    """What switches safe mode on; 0 or false switches a trigger off."""

    unknown_outcomes: int = Field(2, ge=0, le=1000, description="targets with an unknown outcome within an hour")
    exhausted_ladders: int = Field(3, ge=0, le=1000, description="incidents within an hour that nothing repaired")
    audit_write_fails: bool = Field(True, description="the ledger cannot be written")
    engine_restarts: int = Field(3, ge=0, le=1000, description="starts of the engine within ten minutes")
    storm: bool = Field(True, description="the storm brake opened")


class SafeModeSettings(Section):
    """Level 4: nothing is changed any more, checks and alerts go on."""

    enter_when: SafeModeTriggerSettings = part("its triggers")


class WindowSettings(Section):
    """A maintenance window."""

    name: Name = Field(description="its name, for `only_in` and messages")
    start: TimeOfDay = Field(description='when it begins, like "01:30"')
    duration: PositiveDuration = Field(description="how long it lasts")
    days: tuple[Day, ...] = Field((), description="weekdays on which it begins; empty: every day")
    timezone: TimeZone = Field(description="the zone of `start`; needed, since a wrong zone is a wrong window")
    effect: Literal["no_actions", "no_alerts", "observe"] = Field(
        description="no_actions: tell, do not act; no_alerts: act, do not tell; observe: neither"
    )


class ProtectedSettings(Section):
    """What is never touched, besides the built-in set."""

    units: tuple[UnitName, ...] = Field((), description="units never stopped or restarted")
    paths: tuple[AbsolutePath, ...] = Field((), description="files and directories never changed, with all below them")
    stateful_units: tuple[UnitName, ...] = Field((), description="databases and brokers, besides the built-in list")


#: One may stand without brackets.
Packs = Annotated[
    tuple[Line, ...],
    BeforeValidator(lambda value: [value] if isinstance(value, str) else value, json_schema_input_type=Line | list[Line]),
]

#: Who may say yes: an account or a group of this host.
Approver = Annotated[str, StringConstraints(pattern=r"^(user|group):[A-Za-z_][A-Za-z0-9_.-]*$")]


class ApprovalsSettings(Section):
    """Who may say yes to what needs an approval, and what silence means."""

    approvers: tuple[Approver, ...] = Field(
        (), description="user:NAME or group:NAME of this host; empty: whoever may act on the control socket"
    )
    expire_after: PositiveDuration = Field(timedelta(minutes=30), description="how long a question stays open")
    on_expiry: Literal["escalate", "deny"] = Field(
        "escalate", description="what silence means: no; with escalate people are told so"
    )


class Autonomy(StrEnum):
    """How far the engine may go alone, safest first."""

    OBSERVE = "observe"
    APPROVE = "approve"
    AUTO = "auto"


class RetentionSettings(Section):
    """How long what was recorded is kept."""

    metrics: PositiveDuration = Field(timedelta(days=14), description="observations and the engine's own usage")
    decisions: PositiveDuration = Field(timedelta(days=90), description="bodies of decisions; their hashes stay")
    actions: PositiveDuration = Field(timedelta(days=400), description="actions, their plans and outcomes")
    quarantine: PositiveDuration = Field(
        timedelta(days=7), description="files that were moved away; so long undo finds them"
    )
    quarantine_size: Size = Field(1 << 30, description="what those files take at most; what no longer fits is not moved")


def _for_node_exporter(value: str) -> str:
    if not value.endswith(".prom"):
        raise refuse("path", "ends in `.prom`: node_exporter reads no other file")
    return value


def _of_this_host(value: str) -> str:
    if not _LOOPBACK.fullmatch(value.rpartition(":")[0]):
        raise refuse(
            "address", "is an address of this host alone, like 127.0.0.1:9464: whoever asks sees what runs here. For other "
            "hosts use `textfile` with node_exporter, or a proxy that asks who they are",
        )  # fmt: skip
    return value


class MetricsSettings(Section):
    """What Prometheus is told; nothing is measured for it unless one of the two places is named."""

    textfile: Annotated[AbsolutePath, AfterValidator(_for_node_exporter)] | None = Field(
        None, description="file that node_exporter's textfile collector reads; ends in .prom"
    )
    listen: Annotated[HostPort, AfterValidator(_of_this_host)] | None = Field(
        None, description="where GET /metrics is answered, like 127.0.0.1:9464; an address of this host alone"
    )
    every: PositiveDuration = Field(timedelta(seconds=15), description="how often the file is written")


class FleetSettings(Section):
    """This host's part in a fleet."""

    role: Literal["standalone"] = Field("standalone", description="standalone: no fleet")


class ActionsSettings(Section):
    """The allow-list. Without this section the built-in list of mild, self-verifying actions holds."""

    default: Literal["deny"] = Field("deny", description="an action that is not named is never run; there is no other value")
    #: Action -> its own policy model (`Action.Policy`).
    allow: SkipValidation[Mapping[str, Any]] = Field(
        default_factory=dict, description="actions that may run, with their scope"
    )
    #: True if the file has no `actions:` section and this is the built-in list.
    built_in: bool = Field(False, exclude=True)


class Settings(Section):
    """The whole configuration."""

    version: Literal[1] = Field(1, description="version of the grammar")
    extends: Packs = Field((), description="packs that this file starts from, like [pack:nginx]; what it says itself wins")
    mode: Mode = Field(Mode.ENFORCE, description="observe: never act; approve: ask first; enforce: act inside the policy")
    host: HostSettings = part("who this host is")
    #: Agent -> its own settings model; only agents of this version.
    agents: Mapping[str, SkipValidation[Any]] = Field(default_factory=dict, description="the agents, by name")
    actions: ActionsSettings = part("what may be done")
    limits: LimitSettings = part("how much may be done")
    breakers: BreakersSettings = part("when acting stops by itself")
    safe_mode: SafeModeSettings = part("when nothing is changed any more")
    approvals: ApprovalsSettings = part("who may say yes, and what silence means")
    autonomy: dict[Line, dict[ActionReference, Autonomy]] = Field(
        default_factory=dict,
        description="rule -> action -> observe | approve | auto: less than `actions.allow` gives it, never more",
    )
    maintenance: tuple[WindowSettings, ...] = Field((), description="planned windows")
    quiet_hours: QuietHoursSettings | None = Field(None, description="when messages wait; checks and critical ones never do")
    escalation: EscalationSettings = part("who is told later")
    alerts: AlertSettings = part("who is told, and how")
    protected: ProtectedSettings = part("what is never touched")
    retention: RetentionSettings = part("how long records are kept")
    metrics: MetricsSettings = part("what Prometheus is told, and where")
    slo: SloSettings = part("what remediation is held to in `zen-agents report`")
    redact: tuple[Regex, ...] = Field(
        (), description="patterns of what is left out of the state, of messages and of answers"
    )
    fleet: FleetSettings = part("this host's part in a fleet")
    plugins: tuple[Name, ...] = Field((), description="packages whose agents, checks and actions may be loaded")
