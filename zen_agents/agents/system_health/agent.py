"""system_health: keeps one Linux host and its services well."""

from __future__ import annotations

from collections.abc import Sequence, Set
from itertools import chain
from typing import Any

from zen_agents.agents.base import AgentContext, BaseAgent, Schedule
from zen_agents.agents.system_health.areas.listing import AREAS, TARGET_KINDS, used
from zen_agents.agents.system_health.compact_ladder import Ladders
from zen_agents.agents.system_health.host_rules import host_rules
from zen_agents.agents.system_health.observations import ObservationNames, build_checks
from zen_agents.agents.system_health.own_rules import own_rules
from zen_agents.agents.system_health.remedies import AGENT, Remedies
from zen_agents.agents.system_health.rule_maker import RuleMaker
from zen_agents.agents.system_health.settings import SystemHealthSettings
from zen_agents.checks.base import Check
from zen_agents.model.action import ActionRequest
from zen_agents.rules.rule import Rule

#: Sections that may have thousands of entries.
_LISTS = (*AREAS, "deployments", "rules")


class SystemHealthAgent(BaseAgent):
    """Watches CPU, load, memory, stalls, disks and the clock; restarts listed services; keeps listed files in order.

    With nothing listed it only watches the host and tells. Whatever it may change is named in the configuration. Raises
    SettingsError, with the key path, for an action or rule that cannot be made.
    """

    name = AGENT
    purpose = "Notices when this host or one of its listed services is not well, and repairs what the configuration lists."
    permissions = (
        "Reads /proc, /sys/fs/cgroup and the state of systemd's units; needs no privilege for its own processes.",
        "Reads the directory of each listed path, log, cache and temporary directory.",
        "Restarting a unit, or a command as another account, needs root or a matching polkit rule.",
        "Changing an owner needs root; changing a mode or cleaning a directory needs to own it.",
        "Reading the key of a certificate, replacing it and reloading a unit need root.",
        "Ending forgotten sessions of a PostgreSQL needs a role of its own there, with pg_monitor and pg_signal_backend.",
        "Finding who holds a deleted log open needs root; otherwise only its own processes are seen.",
        "Reading the kernel's log and where a process hangs, ending a job and limiting a unit's log need root.",
    )
    side_effects = (
        "A restart breaks the connections of that service, and of what systemd stops along with it.",
        "Rotating a log by copy and truncate may lose lines written in between.",
        "Deleted temporary and cache files, and what was vacuumed from the journal, cannot be had back.",
        "A renewed certificate counts against its authority's limits; a reload reads all of a server's configuration.",
        "What sessions that are ended for a full pool had not committed is rolled back.",
        "Probes show up in the access logs of the probed services.",
    )
    recovery = (
        "Stop everything it may do at once: zen-agents stop --emergency; nothing is changed until: zen-agents resume.",
        "See why it acted: zen-agents why ACTION; and what it did: zen-agents actions show ACTION.",
        "Keep it off one service: zen-agents pause service:NAME --for 2h --reason TEXT.",
        "Let it only tell: auto_mitigate: false, then zen-agents reload.",
    )
    actions = frozenset(TARGET_KINDS)
    Settings = SystemHealthSettings

    def __init__(self, settings: Any, context: AgentContext) -> None:
        super().__init__(settings, context)
        self._settings: SystemHealthSettings = settings
        self._checks = tuple(build_checks(self._settings, context))
        self._remedies = Remedies(self._settings)
        # At once, so that a rule that cannot be made stops the configuration from being used, not the engine later.
        self._rules = self._make_rules()
        kept = (area.keep_running(section) for area, section in used(self._settings))
        self._kept_running = frozenset(chain.from_iterable(kept))
        # Of what is listed, checks, rules and remedies have all that is needed.
        self.settings = self._settings = self._settings.model_copy(update={name: {} for name in _LISTS})

    @property
    def schedule(self) -> Schedule:
        """Return the interval, or cron expression, at which everything is decided anew."""
        return Schedule.said_by(self._settings)

    def checks(self) -> Sequence[Check]:
        """Return the checks of the host, and of all that is listed."""
        return self._checks

    def rules(self) -> Sequence[Rule]:
        """Return built-in rules and the person's own."""
        return self._rules

    def remedies(self) -> Sequence[ActionRequest]:
        """Return its whole scope."""
        return tuple(self._remedies.requests())

    def scope(self) -> Set[tuple[str, str]]:
        """Return the names of its whole scope."""
        return self._remedies

    def keep_running(self) -> frozenset[str]:
        """Return the services that the engine starts itself, and the units that say `keep: running`."""
        return self._kept_running

    def _make_rules(self) -> Sequence[Rule]:
        make = RuleMaker(self.context, self._remedies, Ladders(self._remedies))
        names = ObservationNames(self._checks)
        return (
            *host_rules(self._settings, make),
            *chain.from_iterable(area.rules(section, make) for area, section in used(self._settings)),
            *own_rules(self._settings, make, names),
        )
