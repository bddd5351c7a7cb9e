"""The agent that reads logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from zen_agents.agents.base import AgentContext, BaseAgent, Schedule
from zen_agents.agents.log_analysis.accounts import AccountSettings
from zen_agents.agents.log_analysis.rules import AGENT, RuleMaker, requests_in
from zen_agents.agents.log_analysis.settings import LogAnalysisSettings
from zen_agents.agents.log_analysis.sources import LogSource
from zen_agents.checks.base import Check
from zen_agents.checks.log_source import LogSourceCheck
from zen_agents.logs.watching.rule import PatternRule
from zen_agents.model.action import ActionRequest
from zen_agents.ports.host_logs import MOST_BEHIND
from zen_agents.rules.rule import Rule

if TYPE_CHECKING:
    from zen_agents.agents.log_analysis.bans import Bans
    from zen_agents.agents.log_analysis.studies import LatencySettings, QueueSettings, TemplateSettings


class LogAnalysisAgent(BaseAgent):
    """Follows the listed logs and looks for the listed patterns in their lines.

    With nothing listed it reads nothing. What it does about a pattern is named in the configuration, and done only where
    a check of the target's present state is bad as well: a log line alone never acts.
    """

    name = AGENT
    purpose = (
        "Follows logs over their rotations, finds in them what the configuration looks for, and tells whom it concerns."
    )
    permissions = (
        "Reading a log needs the right to: root, or the group adm on Debian; its directory has to be readable as well.",
        "Reading the journal needs root, or the group systemd-journal.",
        "`accounts:` needs root to see the keys of every account.",
        "Whatever a ladder asks of another agent's target needs what that agent needs.",
        "Shutting an address out needs root, and nft.",
    )
    side_effects = (
        "Lines that counted are kept, cut, in the state and in messages, after `redact:`.",
        "A log that grows faster than it is read is sampled, which is told.",
    )
    recovery = (
        "Stop everything it may do at once: zen-agents stop --emergency; nothing is changed until: zen-agents resume.",
        "See what was found, with its last line: zen-agents why source:NAME.",
        "Try a pattern on lines of your own: zen-agents test pattern NAME FILE.",
        "Let it only tell: auto_mitigate: false, then zen-agents reload.",
        "Let an address in again: zen-agents undo ACTION; without an engine: nft delete table inet zen_agents.",
    )
    actions = frozenset(
        {
            "restart_service", "reload_service", "rotate_logs", "truncate_deleted_log", "limit_log_rate", "vacuum_journal",
            "prune_log_archives", "compress_log_archives",
            "clean_temp_files", "reset_pool", "recycle_pool", "flush_resolver_cache", "restart_time_daemon", "ban_address",
        }
    )  # fmt: skip
    Settings = LogAnalysisSettings

    def __init__(self, settings: Any, context: AgentContext) -> None:
        """Raises SettingsError, with the key path, for an action that cannot be done."""
        super().__init__(settings, context)
        self._settings: LogAnalysisSettings = settings
        self._bans: Bans | None = None
        if any(pattern.ban_at for pattern in self._settings.patterns.values()):
            from zen_agents.agents.log_analysis.bans import Bans  # noqa: PLC0415 - only where somebody may be banned

            self._bans = Bans(self.name, self._settings.patterns, self._settings.sources, context)
        self._rules = tuple(RuleMaker(self._settings, context, self.actions).rules())
        self._checks = tuple(self._make_checks())

    @property
    def schedule(self) -> Schedule:
        """Return the interval, or cron expression, at which everything is decided anew."""
        return Schedule.said_by(self._settings)

    def checks(self) -> Sequence[Check]:
        """Return one check for each source, and one for each study of its lines."""
        return self._checks

    def rules(self) -> Sequence[Rule]:
        """Return the rules of each source and one for each pattern."""
        return self._rules

    def remedies(self) -> Sequence[ActionRequest]:
        """Return what its ladders ask for, with the parameters that the target's own agent gives it."""
        return requests_in(self._rules)

    def rule_about(self, name: str, target: str) -> Rule | None:
        """Return the rule about an address that a pattern with `ban_at:` found."""
        return self._bans.rule(name, target) if self._bans is not None else None

    def scope(self) -> Set[tuple[str, str]]:
        """Return what its ladders ask for, and the ban of any address where a pattern may ban."""
        listed = super().scope()
        if self._bans is None:
            return listed
        from zen_agents.agents.log_analysis.bans import ScopeWithAddresses  # noqa: PLC0415 - as above

        return ScopeWithAddresses(listed)

    def _make_checks(self) -> Iterator[Check]:
        patterns: dict[str, list[PatternRule]] = defaultdict(list)
        concerns = {rule.name: [request.target.partition(":")[2] for request in requests_in([rule])] for rule in self._rules}
        for name, pattern in self._settings.patterns.items():
            rule = pattern.rule(name, self._settings.correlate_by, concerns[f"{AGENT}.{name}"])
            patterns[pattern.source].append(rule)
        if self._settings.accounts is not None:
            yield _accounts(self._settings.accounts)
        for name, source in self._settings.sources.items():
            yield self._source(name, source, patterns[name])
            if source.templates is not None:
                yield _templates(name, source, source.templates)
            if source.latency is not None:
                yield _latency(name, source, source.latency)
            if source.queues is not None:
                yield _queues(name, source, source.queues)

    def _source(self, name: str, source: LogSource, rules: Sequence[PatternRule]) -> Check:
        request, form, zone, every = source.request(), source.form(), _zone(source), source.every.total_seconds()
        bans = self._bans.of_source(name) if self._bans is not None else ()
        if not bans:
            return LogSourceCheck(
                name, request=request, form=form, rules=rules, zone=zone, every_seconds=every, multiline=source.multiline,
                written=source.written,
            )  # fmt: skip
        from zen_agents.checks.log_bans import BanningSourceCheck  # noqa: PLC0415 - only where somebody may be banned

        return BanningSourceCheck(
            name, request=request, form=form, rules=rules, zone=zone, every_seconds=every, multiline=source.multiline,
            written=source.written, bans=bans,
        )  # fmt: skip


def _accounts(asked: AccountSettings) -> Check:
    from zen_agents.checks.accounts import AccountsCheck  # noqa: PLC0415 - only where they are asked for

    return AccountsCheck(
        tell_for_seconds=asked.tell_for.total_seconds(), every_seconds=asked.every.total_seconds()
    )  # fmt: skip


def _templates(name: str, source: LogSource, asked: TemplateSettings) -> Check:
    from zen_agents.checks.log_templates import LogTemplatesCheck  # noqa: PLC0415 - only sources that ask for it

    return LogTemplatesCheck(
        name, request=source.request(most_behind=MOST_BEHIND), form=source.written_in(), zone=_zone(source),
        learn_seconds=asked.learn_for.total_seconds(), every_seconds=source.every.total_seconds(),
        multiline=source.multiline,
    )  # fmt: skip


def _latency(name: str, source: LogSource, asked: LatencySettings) -> Check:
    from zen_agents.checks.log_latency import LogLatencyCheck  # noqa: PLC0415 - only sources that ask for it

    return LogLatencyCheck(
        name, request=source.request(most_behind=MOST_BEHIND), form=source.written_in(), zone=_zone(source),
        rule=asked.rule(), every_seconds=source.every.total_seconds(), multiline=source.multiline,
    )  # fmt: skip


def _queues(name: str, source: LogSource, asked: QueueSettings) -> Check:
    from zen_agents.checks.log_queues import LogQueuesCheck  # noqa: PLC0415 - only sources that ask for it

    return LogQueuesCheck(
        name, request=source.request(most_behind=MOST_BEHIND), form=source.written_in(), zone=_zone(source),
        rule=asked.rule(), every_seconds=source.every.total_seconds(),
    )  # fmt: skip


def _zone(source: LogSource) -> ZoneInfo | None:
    return ZoneInfo(source.timezone) if source.timezone else None
