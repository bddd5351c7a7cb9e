"""Files of rule tests: what is written in them, checked key by key, each mistake with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from zen_agents.dataclass import dataclass
from zen_agents.errors import UsageError
from zen_agents.model.approval import ApprovalState
from zen_agents.model.incident import IncidentState
from zen_agents.model.message import MessageKind
from zen_agents.model.reason import Reason
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import Duration, Line, PositiveDuration
from zen_agents.model.severity import Severity
from zen_agents.rehearsal.series import MOST_SAMPLES, SeriesError, read_series
from zen_agents.settings.diagnostics import Diagnostic, Report
from zen_agents.settings.nodes import Node, Place
from zen_agents.settings.reader import read
from zen_agents.settings.shape import Shape
from zen_agents.settings.validation import validate

#: No test plays longer than this.
LONGEST = timedelta(days=31)


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refuse("text", f"is an ISO time like 2026-01-10T03:00:00+01:00, got `{text}`") from None
    if not 1971 <= moment.year <= 9000:
        raise refuse("range", f"is between 1971 and 9000, got `{text}`")
    return text


def _series(value: str) -> str:
    try:
        read_series(value)
    except SeriesError as error:
        raise refuse("text", f"cannot be read: {error}", offset=error.offset) from None
    return value


def _soon(value: timedelta) -> timedelta:
    if value > LONGEST:
        raise refuse("range", "is at most 31d")
    return value


At = Annotated[Duration, AfterValidator(_soon)]
#: A single number or state needs no quotes.
Series = Annotated[str, AfterValidator(_series)]


#: What an expectation may say besides -> of what.
_GOES_WITH = {
    "outcome": ("decision",), "reason": ("decision",), "action": ("decision",), "severity": ("alert",), "rule": ("alert",),
    "state": ("incident", "approval"),
}  # fmt: skip


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class ActionResult(_Strict):
    """How an action ends wherever it is taken in a test."""

    exit: int = Field(0, ge=0, le=255, description="0: it did what it should; anything else: it failed")
    takes: At = Field(timedelta(seconds=1), description="how long it runs")


class WrittenAnswer(_Strict):
    """What one person answers to what the engine asks."""

    at: At = Field(description="how long after the start")
    decision: Literal["approve", "deny"] = Field(description="approve | deny")
    by: Line = Field(min_length=1, description="who answers: one name is one person")
    groups: tuple[Line, ...] = Field((), description="groups of that person, where `approvals.approvers` names groups")
    rule: str | None = Field(None, description="the rule whose question is meant; not given: the oldest that is open")
    refused: bool = Field(False, description="true: the answer must not count: late, a second one, or not theirs to give")


class Expectation(_Strict):
    """What is expected at one moment: exactly one of `decision`, `alert`, `incident` and `approval`, and what of it."""

    at: At = Field(description="how long after the start")
    decision: str | None = Field(None, description="name of a rule: what was decided about it")
    alert: Literal[MessageKind.FIRING, MessageKind.RESOLVED, MessageKind.ENGINE, MessageKind.CHANGE] | None = Field(
        None, description="people are told so within one sample from then"
    )
    incident: str | None = Field(None, description="name of a rule: the state of its incident")
    approval: str | None = Field(None, description="name of a rule: the state of what people are asked for it")
    outcome: Literal["act", "skip", "ask", "alert", "resolve", "failed"] | None = Field(None, description="with `decision`")
    reason: Reason | None = Field(None, description="with `decision`")
    action: str | None = Field(None, description="with `decision`")
    target: str | None = Field(None, description="`service:web`, or what of it is touched: nginx.service")
    severity: Severity | None = Field(None, description="with `alert`")
    rule: str | None = Field(None, description="with `alert`: name of a rule")
    state: Literal["none"] | IncidentState | ApprovalState | None = Field(
        None,
        description="with `incident`: none | suspected | open | ...; with `approval`: pending | approved | denied | ...",
    )

    @model_validator(mode="after")
    def _one_thing(self) -> Expectation:
        about = [name for name in ("decision", "alert", "incident", "approval") if getattr(self, name) is not None]
        if len(about) != 1:
            raise refuse("conflict", "needs exactly one of `decision`, `alert`, `incident` and `approval`")
        for key, others in _GOES_WITH.items():
            if about[0] not in others and getattr(self, key) is not None:
                goes_with = " and ".join(f"`{other}`" for other in others)
                raise refuse("conflict", f"says nothing of `{about[0]}`; it goes with {goes_with}", at=key)
        states = {"incident": IncidentState, "approval": ApprovalState}.get(about[0])
        if states is not None and isinstance(self.state, StrEnum) and self.state not in set(states):
            known = ", ".join(state.value for state in states)
            raise refuse("one_of", f"`{self.state}` is no state of an {about[0]}: one of {known}", at="state")
        needed = {"decision": "outcome", "incident": "state", "approval": "state"}.get(about[0])
        if needed is not None and getattr(self, needed) is None:
            raise refuse("conflict", f"needs `{needed}` beside it", at=about[0])
        return self


class RuleTest(_Strict):
    """One story: what is seen over time, and what has to come of it."""

    name: str = Field(min_length=1, description="what it shows, in words")
    start: Annotated[str, AfterValidator(_moment)] = Field(
        "2026-01-01T00:00:00+00:00", description="ISO time at which it begins; UTC unless it says otherwise"
    )
    sample_every: PositiveDuration = Field(timedelta(seconds=30), description="time from one written sample to the next")
    inputs: Mapping[str, Series] = Field(description="observation, with its target behind @ if need be -> series")
    action_results: Mapping[str, ActionResult] = Field({}, description="how each action ends (default: well, within 1s)")
    approvals: tuple[WrittenAnswer, ...] = Field((), description="who answers what the engine asks, and when")
    expect: tuple[Expectation, ...] = Field((), description="what has to come of it")
    expect_only: bool = Field(False, description="true: any action that is not expected fails the test")

    @model_validator(mode="after")
    def _says_something(self) -> RuleTest:
        if not self.expect and not self.expect_only:
            raise refuse("conflict", "expects nothing, so it could not fail", at="name")
        longest = max([*(len(read_series(series)) for series in self.inputs.values()), 1])
        if longest * self.sample_every > LONGEST:
            raise refuse("range", f"plays for more than 31d: {longest} samples", at="sample_every")
        if self.last_at / self.sample_every > MOST_SAMPLES:
            raise refuse("range", f"makes more than {MOST_SAMPLES} samples", at="sample_every")
        return self

    @property
    def last_at(self) -> timedelta:
        """The last moment that anything is written for."""
        expected = [each.at for each in self.expect]
        return max([*expected, *(each.at for each in self.approvals), timedelta()])

    @property
    def begins(self) -> datetime:
        """The moment at which it begins."""
        moment = datetime.fromisoformat(self.start)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class RuleTestFile(_Strict):
    """A file of them, all on one configuration."""

    config: str | None = Field(None, description="the configuration, from this file's directory; or -c names it")
    tests: tuple[RuleTest, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Written:
    """A file that could be read, with the places in it."""

    path: Path
    file: RuleTestFile
    root: Node

    def place(self, *steps: str | int) -> Place:
        """Return where something stands; the nearest above it if it is not written."""
        node, entry, _ = self.root.nearest(steps)
        return entry.place if entry is not None else node.place


def read_rule_tests(path: Path) -> tuple[Written | None, Sequence[Diagnostic]]:
    """Read one file. What is wrong with it is in the diagnostics, and then there is nothing else.

    Raises UsageError if the file cannot be read.
    """
    report = Report()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    root = read(content, str(path), report)
    file = None if report.failed else validate(RuleTestFile, root, (), Shape(RuleTestFile), report, root)
    if file is not None:
        _refuse_twice((test.name for test in file.tests), root, report)
    # What `explain config` explains is the configuration's grammar, not this one.
    found = [replace(diagnostic, help="") for diagnostic in report.sorted()]
    return (Written(path, file, root) if file is not None and not report.failed else None), found


def _refuse_twice(names: Iterable[str], root: Node, report: Report) -> None:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            node, _, _ = root.nearest(("tests", index, "name"))
            report.error("ZC214", f"a second test is called `{name}`; a report could not tell them apart", node)
        seen.add(name)
