"""`patterns:` what is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from zen_agents.agents.log_analysis.line_pattern import LinePattern
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import MOST_COUNT, CountRule
from zen_agents.logs.detection.distinct import MOST_VALUES, DistinctRule
from zen_agents.logs.detection.sequence import MOST_STEPS, SequenceRule
from zen_agents.logs.detection.where import WhereRefusedError, compiled
from zen_agents.logs.matching.base import PatternRefusedError
from zen_agents.logs.watching.rule import Detects, PatternRule, Step
from zen_agents.model.refusals import refuse
from zen_agents.model.scalars import ActionReference, Line, Name, PositiveDuration
from zen_agents.model.section import Section
from zen_agents.model.severity import Severity

if TYPE_CHECKING:
    from zen_agents.logs.sigma.rules import SigmaRule

#: The field that the reader of security's lines alone fills, with what it has parsed as an address.
ADDRESS = "address"
#: For so long a single line counts where nothing else is said.
_ONE_LINE = timedelta(minutes=1)


def _listed(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _rules(value: object) -> object:
    return (value,) if isinstance(value, dict) else () if value is None else value


class PatternSamples(Section):
    """Lines that must match, and lines that must not."""

    match: tuple[str, ...] = Field((), description="lines that the pattern must find")
    no_match: tuple[str, ...] = Field((), description="lines that it must not find")


class PatternStep(Section):
    """Which lines count."""

    match: LinePattern | None = Field(None, description="regular expression that the line holds")
    where: dict[str, Any] = Field(
        {}, description="what its fields must be: a value, a list, a comparison (`>= 500`), or {match: REGEX}"
    )

    @model_validator(mode="after")
    def _meant(self) -> PatternStep:
        try:
            compiled(self.where)
        except WhereRefusedError as error:
            raise refuse("conflict", str(error).partition(": ")[2], at=f"where.{error.field}") from None
        except PatternRefusedError as error:
            raise refuse("regex", f"bad regular expression in `where`: {error}", at="where") from None
        return self

    def step(self) -> Step:
        """Return it as it is looked for."""
        return Step(self.match or "", self.where or None)


class LogPattern(PatternStep):
    """What to look for in a source, and what to do about it: so many lines, none for so long, or one after another."""

    source: Name = Field(description="which of `sources` it is looked for in")
    by: Annotated[tuple[Line, ...], BeforeValidator(_listed, json_schema_input_type=Line | list[Line])] = Field(
        (), description="fields by which lines are told apart: each value counts for itself"
    )
    count: int = Field(1, ge=1, le=MOST_COUNT, description="so many lines are a finding; no unit")
    distinct: Line = Field("", description="field of which so many different values are a finding, instead of so many lines")
    within: PositiveDuration | None = Field(None, description="within how long; for one line, and where nothing is said, 1m")
    clear_below: int | None = Field(
        None, ge=1, description="it is over once fewer lines than this are within that time; empty: fewer than `count`"
    )
    absent_for: PositiveDuration | None = Field(
        None, description="instead of `count`: it is a finding that no such line came"
    )
    sequence: tuple[PatternStep, ...] = Field(
        (), max_length=MOST_STEPS, description="instead of `match`: lines that come in this order `within` that time"
    )
    sigma: Annotated[
        tuple[dict[str, Any], ...], BeforeValidator(_rules, json_schema_input_type=dict[str, Any] | list[dict[str, Any]])
    ] = Field(
        (),
        description="a Sigma rule as it is published, instead of `match`; or a list: a correlation after those it calls",
    )
    severity: Severity = Field(Severity.WARNING, description="info | warning | error | critical")
    on_match: tuple[ActionReference, ...] = Field(
        (),
        description="ladder of actions, each with its target; empty: only tell. Its target must be seen to be bad as well",
    )
    ban_at: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = Field(
        (),
        max_length=16,
        description="TCP ports: an address that the lines tell of `by: address`, and that is connected to one of these, is "
        "banned for a while; needs `security: true` and `actions.allow.ban_address`",
    )
    runbook: Line = Field("", description="address of a page that tells people what to do")
    samples: PatternSamples | None = Field(None, description="lines by which the pattern is tested")

    @model_validator(mode="after")
    def _one_kind(self) -> LogPattern:
        if self.sigma:
            self._check_sigma()
        elif self.absent_for is not None:
            self._refuse_beside("absent_for", "count", "within", "clear_below", "sequence", "distinct")
        elif self.sequence:
            self._check_sequence()
        elif self.match is None and not self.where:
            raise refuse("conflict", "looks for nothing: write `match`, `where`, `sequence` or `absent_for`")
        elif self.count > 1 and self.within is None:
            raise refuse("conflict", f"is {self.count}, but within how long? write `within`", at="count")
        if self.distinct:
            self._check_distinct()
        if self.clear_below is not None and self.clear_below > self.count:
            raise refuse(
                "clear", f"is above `count: {self.count}`, so it would be over at once", at="clear_below", see="count"
            )
        if self.ban_at:
            self._check_ban()
        return self

    def rule(self, name: str, shares: Sequence[str] = (), targets: Sequence[str] = ()) -> PatternRule:
        """Return it as it is looked for: with further fields by which its lines belong to others, and what it concerns."""
        if self._sigma_rule is not None:
            parts = self._sigma_rule.steps or (self._sigma_rule,)
            steps = [Step(part.pattern, self.where or None, part.written) for part in parts]
        else:
            steps = [each.step() for each in self.sequence] or [self.step()]
        return PatternRule(name, tuple(steps), self._detects(), shares, targets)

    @property
    def lasts_seconds(self) -> float:
        """How long after its last line a finding is over at the latest (seconds); of an absence, not at all by itself."""
        asked = self._asked_by_sigma
        within = asked.within_seconds if asked is not None else _ONE_LINE.total_seconds()
        return within if self.within is None else self.within.total_seconds()

    @cached_property
    def _sigma_rule(self) -> SigmaRule | None:
        if not self.sigma:
            return None
        from zen_agents.logs.sigma.rules import rules_of  # noqa: PLC0415 - only where there is such a rule

        return rules_of(self.sigma)[-1]

    @property
    def _asked_by_sigma(self) -> CountRule | DistinctRule | SequenceRule | None:
        """How many lines, or which order, the Sigma rule itself asks for, where nobody wrote how many."""
        rule = self._sigma_rule
        if rule is None or (not rule.steps and "count" in self.model_fields_set):
            return None
        return rule.order or rule.count

    def _detects(self) -> Detects:
        if self.absent_for is not None:
            return AbsenceRule(self.absent_for.total_seconds(), self.by)
        if self.sequence:
            return SequenceRule(len(self.sequence), self.lasts_seconds, self.by)
        if (asked := self._asked_by_sigma) is not None:
            return replace(asked, within_seconds=self.lasts_seconds, by=self.by or asked.by)
        if self.distinct:
            return DistinctRule(self.distinct, self.count, self.lasts_seconds, self.by, self.clear_below)
        return CountRule(self.count, self.lasts_seconds, self.by, self.clear_below)

    def _check_sigma(self) -> None:
        from zen_agents.logs.sigma.refused import SigmaRefusedError  # noqa: PLC0415 - only where there is such a rule
        from zen_agents.logs.sigma.rules import rules_of  # noqa: PLC0415 - as above

        self._refuse_beside("sigma", "match", "sequence", "absent_for")
        if self.count > 1 and self.within is None:
            raise refuse("conflict", f"is {self.count}, but within how long? write `within`", at="count")
        try:
            rules = rules_of(self.sigma)
        except SigmaRefusedError as error:
            raise refuse("conflict", f"is a Sigma rule that is not taken: {error}", at="sigma") from None
        if len(rules) > 1:
            raise refuse("conflict", f"holds {len(rules)} rules: write a pattern for each", at="sigma")
        if rules[0].steps:
            self._refuse_beside("sigma", "count", "clear_below", "distinct")

    def _check_distinct(self) -> None:
        if not 2 <= self.count <= MOST_VALUES:
            raise refuse("conflict", f"needs a `count` from 2 to {MOST_VALUES} of its values", at="distinct", see="count")

    def _check_sequence(self) -> None:
        self._refuse_beside("sequence", "match", "where", "count", "clear_below", "distinct")
        if len(self.sequence) == 1:
            raise refuse("conflict", "has one step; write it as `match`", at="sequence")
        if self.within is None:
            raise refuse(
                "conflict", "says no `within`: how long may it take from the first line to the last?", at="sequence"
            )
        for number, step in enumerate(self.sequence):
            if step.match is None and not step.where:
                raise refuse("conflict", "looks for nothing: write `match` or `where`", at=f"sequence.{number}")

    def _check_ban(self) -> None:
        """Nobody is banned for an address that anything but the reader of security's lines has found."""
        if self.by != (ADDRESS,) or self.absent_for is not None:
            raise refuse(
                "conflict", "bans one address at a time: count or order its lines, and write `by: address`", at="ban_at"
            )
        for step in (self, *self.sequence):
            if any(f"(?{p}<{ADDRESS}>" in (step.match or "") for p in ("P", "")):
                text = f"has a group `{ADDRESS}`, which a client's words may fill; beside `ban_at` call it otherwise"
                raise refuse("conflict", text, at="match", see="ban_at")

    def _refuse_beside(self, key: str, *others: str) -> None:
        fields = type(self).model_fields
        if beside := next((name for name in others if getattr(self, name) != fields[name].get_default()), None):
            raise refuse("conflict", f"stands beside `{key}`, which has no use for it", at=beside, see=key)
