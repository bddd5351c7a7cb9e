"""What comes of a pattern that is found: an incident, and the ladder of whoever wrote one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING

from zen_agents.agents.base import AgentContext
from zen_agents.agents.log_analysis import accounts
from zen_agents.agents.log_analysis.accounts import AccountSettings
from zen_agents.agents.log_analysis.patterns import LogPattern
from zen_agents.agents.log_analysis.settings import SOURCE_RULE, LogAnalysisSettings
from zen_agents.agents.log_analysis.sources import LogSource
from zen_agents.checks.log_pattern_observations import pattern_name
from zen_agents.checks.log_source import source_name
from zen_agents.errors import SettingsError
from zen_agents.logs.detection.absence import AbsenceRule
from zen_agents.logs.detection.counting import CountRule
from zen_agents.logs.detection.distinct import STEP, DistinctRule
from zen_agents.logs.detection.sequence import SequenceRule
from zen_agents.model.action import ActionRequest
from zen_agents.model.duration import duration
from zen_agents.model.severity import Severity
from zen_agents.rules.condition import StatusIs
from zen_agents.rules.rule import Hold, Rule, Rung

if TYPE_CHECKING:
    from zen_agents.agents.log_analysis.studies import LatencySettings, QueueSettings, TemplateSettings

AGENT = "log_analysis"
#: What did not help once may have come to nothing; what did not help twice does not help.
_ATTEMPTS = 2
#: An observation counts for so long at least (seconds): a look at a large log takes its time.
_STALE_AFTER = 120.0
#: A log may be away while it is rotated, and be read too slowly while it is flooded, for so long (seconds).
_SOURCE_HOLD = 60.0
#: What the lines of a source say as a whole, by the name of the rule.
_STUDIED = {
    "new_template": "a kind of line came that never came before",
    "vanished_template": "a kind of line that always comes does not come any more",
    "template_burst": "a kind of line comes far more often than is usual at this hour",
    "latency": "what is done takes longer than it may",
    "slow_query": "the database had statements that took longer than they may",
    "error_budget": "errors use up what the objective leaves for them too fast",
    "queue_growth": "a queue grows, and nothing takes out of it what comes in",
}


class RuleMaker:
    """Makes the rules of the settings, and the remedies that they ask for."""

    def __init__(self, settings: LogAnalysisSettings, context: AgentContext, actions: Set[str]) -> None:
        """`actions` are those that may stand in a ladder."""
        self._settings, self._context, self._actions = settings, context, actions

    def rules(self) -> Iterator[Rule]:
        """Yield a rule for each source and each pattern; SettingsError, with the key path, for what cannot be done."""
        for name, source in self._settings.sources.items():
            yield self._source(name, source)
            for asked in (source.templates, source.latency, source.queues):
                if asked is not None:
                    yield from self._studied(name, source, asked)
        if self._settings.accounts is not None:
            yield from self._accounts(self._settings.accounts)
        for name, pattern in self._settings.patterns.items():
            yield self._pattern(name, pattern, self._settings.sources[pattern.source])

    def _source(self, name: str, source: LogSource) -> Rule:
        what = source.file or "the journal"
        return Rule(
            f"{AGENT}.{SOURCE_RULE}", AGENT, f"source:{name}",
            StatusIs(source_name(name), f"source:{name}", _stale_after(source)),
            hold=Hold(held_for_seconds=_SOURCE_HOLD),
            unknown_patience_seconds=self._context.patience_seconds,
            origin=self._context.origin(f"agents.{AGENT}.sources.{name}"),
            summary=f"{what} cannot be read to its end, so that what it says is not seen",
        )  # fmt: skip

    def _studied(
        self, name: str, source: LogSource, asked: TemplateSettings | LatencySettings | QueueSettings
    ) -> Iterator[Rule]:
        """Yield the rules of what the lines of a source say as a whole: people are told, nothing is done."""
        target = f"source:{name}"
        for rule in asked.rules:
            yield Rule(
                f"{AGENT}.{rule}", AGENT, target, StatusIs(f"{rule}.{name}", target, _stale_after(source)),
                severity=asked.severity,
                unknown_patience_seconds=self._context.patience_seconds,
                origin=self._context.origin(f"agents.{AGENT}.sources.{name}.{asked.key}"),
                summary=f"{name}: {_STUDIED[rule]}",
            )  # fmt: skip

    def _accounts(self, asked: AccountSettings) -> Iterator[Rule]:
        """Yield the rules of accounts and keys: people are told, nothing is done."""
        target, stale_after = f"source:{accounts.SOURCE}", max(_STALE_AFTER, 3 * asked.every.total_seconds())
        for rule, summary in accounts.RULES.items():
            yield Rule(
                f"{AGENT}.{rule}", AGENT, target, StatusIs(f"{rule}.{accounts.SOURCE}", target, stale_after),
                severity=asked.severity,
                unknown_patience_seconds=self._context.patience_seconds,
                origin=self._context.origin(f"agents.{AGENT}.accounts"),
                summary=summary,
            )  # fmt: skip

    def _pattern(self, name: str, pattern: LogPattern, source: LogSource) -> Rule:
        context, target = self._context, f"source:{pattern.source}"
        patience = context.patience_when_critical_seconds
        return Rule(
            f"{AGENT}.{name}", AGENT, target, StatusIs(pattern_name(name), target, _stale_after(source)),
            severity=pattern.severity,
            ladder=self._ladder(pattern, source, f"agents.{AGENT}.patterns.{name}.on_match"),
            unknown_patience_seconds=context.patience_seconds,
            patience_seconds=patience if pattern.severity is Severity.CRITICAL else context.patience_seconds,
            origin=context.origin(f"agents.{AGENT}.patterns.{name}"),
            runbook=pattern.runbook,
            summary=_summary(name, pattern),
            needs_confirmation=True,
        )  # fmt: skip

    def _ladder(self, pattern: LogPattern, source: LogSource, at: str) -> tuple[Rung, ...]:
        requests = [self._named(each, f"{at}.{index}") for index, each in enumerate(pattern.on_match)]
        # It is over when its lines are out of the time that counts, and that is seen at a look.
        over = pattern.lasts_seconds + 3 * source.every.total_seconds()
        return tuple(
            Rung(
                tuple(requests[index:]), attempts=_ATTEMPTS,
                verify_within_seconds=max(over, self._context.verify_within_seconds(request.action)),
            )
            for index, request in enumerate(requests)
        )  # fmt: skip

    def _named(self, reference: str, at: str) -> ActionRequest:
        action, _, label = reference.partition(":")
        if action not in self._actions:
            raise SettingsError(f"{at}: {AGENT} may not ask for {action!r}; it may for {', '.join(sorted(self._actions))}")
        there = [request for agent in self._context.others for request in agent.remedies() if request.action == action]
        found = [request for request in there if request.target.partition(":")[2] == label]
        if len(found) != 1:
            known = ", ".join(f"{action}:{request.target.partition(':')[2]}" for request in there)
            could = f"write one of {known}" if known else "no other agent lists a target for it"
            raise SettingsError(f"{at}: {reference} names no target of another agent; {could}")
        return replace(found[0], agent=AGENT)


def requests_in(rules: Iterable[Rule]) -> Sequence[ActionRequest]:
    """Return every action that rules ask for, each once."""
    requests = (request for rule in rules for rung in rule.ladder for request in rung.alternatives)
    return tuple({(request.action, request.target): request for request in requests}.values())


def _stale_after(source: LogSource) -> float:
    return max(_STALE_AFTER, 3 * source.every.total_seconds())


def _summary(name: str, pattern: LogPattern) -> str:
    within = duration(pattern.lasts_seconds)
    match pattern.rule(name).detects:
        case AbsenceRule() as absent:
            return f"{name}: no such line came for {duration(absent.for_seconds)}"
        case SequenceRule() as order:
            return f"{name}: {order.steps} lines came one after another within {within}"
        case DistinctRule(distinct, count) if distinct == STEP:
            return f"{name}: lines of all {count} kinds came within {within}"
        case DistinctRule(distinct, count):
            return f"{name}: lines with {count} different values of `{distinct}` came within {within}"
        case CountRule(count):
            return f"{name}: such a line came" if count == 1 else f"{name}: {count} such lines came within {within}"
