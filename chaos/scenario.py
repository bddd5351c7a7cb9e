"""A scenario: one fault, trap or control as it is written in `chaos/scenarios/NAME.yaml`, in the words of Chaos Toolkit."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from chaos.faults.base import Fault
from chaos.faults.catalog import FAULTS
from chaos.host import PATH
from chaos.host_cgroup import has_cpu_controller
from chaos.kinds import Kind, Privileges, Right, VariantKind
from chaos.probes import Probe
from zen_agents.model.scalars import Duration, PositiveDuration

_WITH_COMMANDS = frozenset({"zen", "monit"})
FOLDER = Path(__file__).parent / "scenarios"
_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class ScenarioError(Exception):
    """A scenario's file cannot be used; the text names the file and everything that is wrong with it."""


class _Section(BaseModel):
    """A map of a scenario: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Repeat(_Section):
    """The same fault again, `every` so long after it was repaired; a fault that stays is not injected again."""

    #: Altogether.
    times: int = Field(ge=2, le=100)
    every: PositiveDuration = timedelta(seconds=1)
    #: How long a repair may take for the fault to come back.
    within: PositiveDuration = timedelta(seconds=30)


class OperatorStep(_Section):
    """What a person does with an engine's own commands: contender -> arguments; one that is not named is left alone."""

    operator: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(min_length=1)
    #: How long after the step before.
    after: Duration = timedelta()

    @field_validator("operator")
    @classmethod
    def _has_commands(cls, operator: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if unknown := sorted(set(operator) - _WITH_COMMANDS):
            raise ValueError(f"{', '.join(unknown)}: only {', '.join(sorted(_WITH_COMMANDS))} have commands")
        return operator


class Injection(_Section):
    """One fault by name and its parameters."""

    fault: str
    repeat: Repeat | None = None
    #: How long after the step before.
    after: Duration = timedelta()
    parameters: dict[str, Any] = Field(default_factory=dict, alias="with")

    @model_validator(mode="after")
    def _is_known(self) -> Injection:
        self.made()
        return self

    def made(self) -> Fault:
        """Return the fault itself."""
        kind = next((kind for kind in FAULTS if kind.name == self.fault), None)
        if kind is None:
            raise ValueError(f"there is no fault {self.fault!r}")
        known = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
        if unknown := sorted(set(self.parameters) - known):
            raise ValueError(f"{self.fault} has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        return TypeAdapter(kind).validate_python(self.parameters)


def _kind_of_step(step: object) -> str:
    return "operator" if isinstance(step, OperatorStep) or (isinstance(step, dict) and "operator" in step) else "fault"


Step = Annotated[Annotated[Injection, Tag("fault")] | Annotated[OperatorStep, Tag("operator")], Discriminator(_kind_of_step)]


class MonitSetup(_Section):
    """Monit's best honest configuration, or why it cannot."""

    #: Checks and `set alert`, as in its file; how often it looks and its mail server are the bench's.
    monitrc: str = ""
    why_not: str = ""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> MonitSetup:
        if bool(self.monitrc) == bool(self.why_not):
            raise ValueError("is either `monitrc` or `why_not`")
        return self


class SystemdSetup(_Section):
    """systemd's best honest configuration, or why it cannot."""

    #: Unit -> what `systemctl edit` would be given.
    drop_ins: dict[str, str] = Field(default_factory=dict)
    #: Whether some of that counts from a unit's start alone, so that each is restarted with it, as its owner would have.
    counts_from_start: bool = False
    why_not: str = ""

    @model_validator(mode="after")
    def _is_one_of_both(self) -> SystemdSetup:
        if bool(self.drop_ins) == bool(self.why_not):
            raise ValueError("is either `drop_ins` or `why_not`")
        return self


class Expectation(_Section):
    """What an engine must do, exactly."""

    outcome: Right
    #: Its actions by name, each as often as it may be performed; with `told`, what it tries before it tells.
    actions: tuple[str, ...] = ()
    #: Those that a dry run lists, where they are fewer: what ends another one, or waits for it, is not come to.
    planned: tuple[str, ...] = ()
    #: How many messages people get until then, without those that only say that what was told is over.
    pages: int = Field(0, ge=0)
    #: Repaired, or told, so soon; what is to stay untouched is watched for so long.
    within: PositiveDuration

    @model_validator(mode="after")
    def _fits_together(self) -> Expectation:
        if self.outcome is Right.REPAIRED and not self.actions:
            raise ValueError("`actions` are named where the outcome is `repaired`")
        if self.outcome is Right.UNTOUCHED and self.actions:
            raise ValueError("there are no `actions` where the outcome is `untouched`")
        if self.outcome is Right.TOLD and not self.pages:
            raise ValueError("`told` needs `pages` of 1 or more")
        if not set(self.planned) <= set(self.actions):
            raise ValueError("`planned` are some of the `actions`")
        return self

    @property
    def in_dry_run(self) -> tuple[str, ...]:
        """What a dry run lists."""
        return self.planned or self.actions


class Bake(_Section):
    """How long a repair has to hold: so many looks in a row, one `every` so often."""

    checks: int = Field(3, ge=1)
    every: PositiveDuration = timedelta(milliseconds=200)


class Scenario(_Section):
    """One scenario. The host is made anew for it and thrown away after it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    title: str
    #: Of the published list (`6`, `T7`), also where several scenarios are one number of it; ours have an `origin` instead.
    number: str = ""
    #: Who has met it: `monit mailing list: ...`, an issue's address.
    origin: str = ""
    kind: Kind
    #: Names of zen_agents.catalog that it takes: actions, kinds of check, guards, agents; also ones that are not built yet.
    needs: tuple[str, ...] = ()
    privileges: Privileges = Privileges.USER
    #: Whether the systemd of its host must be able to hold a unit down to a share of a CPU.
    cpu_quotas: bool = False
    #: Of what needs a kernel of its own: the fault that stands for it on the simulated port, "" for none.
    simulated: str = ""
    steady_state: tuple[Probe, ...] = Field(min_length=1)
    #: In this order; nothing for a control.
    method: tuple[Step, ...] = ()
    #: The engine's configuration, without `alerts`: these go to the bench.
    config: dict[str, Any]
    monit: MonitSetup
    systemd: SystemdSetup
    expect: Expectation
    #: Further probes that must hold once the fault is gone.
    verify: tuple[Probe, ...] = ()
    bake: Bake = Bake()
    #: Why its repair takes long whoever does it, and how long at least: a time-out that all wait for, the service's own
    #: start. "" where nothing but the engines bounds it.
    at_least: str = ""
    #: Directories besides /etc whose files nobody else may change.
    watch: tuple[str, ...] = ()
    #: Shell patterns of subjects of the fingerprint that may differ in the end: `unit web.service`, `file /srv/app/*`.
    allowed_changes: tuple[str, ...] = ()
    variants: tuple[VariantKind, ...] = ()
    #: What a person does where nothing was to be repaired; then the steady state must hold again.
    rollbacks: tuple[tuple[str, ...], ...] = ()

    @field_validator("config")
    @classmethod
    def _leaves_alerts_to_the_bench(cls, config: dict[str, Any]) -> dict[str, Any]:
        if "alerts" in config:
            raise ValueError("`alerts` are set by the bench")
        return config

    @model_validator(mode="after")
    def _fits_together(self) -> Scenario:
        if bool(self.number) == bool(self.origin):
            raise ValueError("is either `number` of the published list or `origin`")
        injects = any(isinstance(step, Injection) for step in self.method)
        if injects == (self.kind is Kind.CONTROL):
            raise ValueError("a control has no `method`, all others have one")
        return self

    def faults(self) -> tuple[Fault, ...]:
        """Return its faults, in the order in which they happen."""
        return tuple(step.made() for step in self.method if isinstance(step, Injection))

    @property
    def asks_people(self) -> bool:
        """Whether somebody has to agree to one of its actions; the bench then has an operator who does."""
        allowed = self.config.get("actions", {}).get("allow", {})
        return any(policy.get("approval", "auto") != "auto" for policy in allowed.values())

    def repeats(self) -> bool:
        """Tell whether a fault comes back after it was repaired."""
        return any(isinstance(step, Injection) and step.repeat for step in self.method)

    def absent_programs(self) -> tuple[str, ...]:
        """Return the programs that its faults take and this machine does not have."""
        wanted = {program for fault in self.faults() for program in fault.takes()}
        return tuple(sorted(program for program in wanted if shutil.which(program, path=PATH) is None))

    def cannot_be_shown(self) -> tuple[str, ...]:
        """Return why this machine cannot show its faults, beside programs that are absent; empty where it can."""
        reasons = {reason for fault in self.faults() if (reason := fault.why_not())}
        if self.cpu_quotas and not has_cpu_controller():
            reasons.add("needs the CPU controller of control groups")
        return tuple(sorted(reasons))

    def missing(self, built: frozenset[str]) -> tuple[str, ...]:
        """Return what it needs and is not built; a scenario that misses something is waiting, and counts as not repaired."""
        return tuple(need for need in self.needs if need not in built)


def load(path: Path) -> Scenario:
    """Return the scenario of a file; ScenarioError names everything that is wrong with it."""
    try:
        scenario = Scenario.model_validate(_LOADER(path.read_text(encoding="utf-8")).get_single_data())
    except (yaml.YAMLError, ValidationError) as error:
        raise ScenarioError(f"{path.name}: {error}") from None
    if scenario.name != path.stem:
        raise ScenarioError(f"{path.name}: its name is {scenario.name}")
    return scenario


def load_all(folder: Path = FOLDER) -> Mapping[str, Scenario]:
    """Return all scenarios by name; ScenarioError at the first file that cannot be used."""
    return {path.stem: load(path) for path in sorted(folder.glob("*.yaml"))}
