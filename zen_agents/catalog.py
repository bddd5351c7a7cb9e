"""What the product can do, on one page. A new check, action, guard or agent is one file plus one line here."""

from __future__ import annotations

from collections.abc import Iterable

from zen_agents.actions.base import Action
from zen_agents.actions.clean_temp_files import CleanTempFiles
from zen_agents.actions.clear_cache import ClearCache
from zen_agents.actions.create_directory import CreateDirectory
from zen_agents.actions.give_back_file import GiveBackFile
from zen_agents.actions.give_back_permissions import GiveBackPermissions
from zen_agents.actions.inverse import Inverse
from zen_agents.actions.remove_made_directories import RemoveMadeDirectories
from zen_agents.actions.remove_stale_pidfile import RemoveStalePidfile
from zen_agents.actions.restart_service import RestartService
from zen_agents.actions.restore_permissions import RestorePermissions
from zen_agents.actions.rotate_logs import RotateLogs
from zen_agents.actions.truncate_deleted_log import TruncateDeletedLog
from zen_agents.agents.base import BaseAgent
from zen_agents.agents.system_health.agent import SystemHealthAgent
from zen_agents.checks.base import Check
from zen_agents.checks.cache import CacheCheck
from zen_agents.checks.clock_step import ClockCheck
from zen_agents.checks.cpu import CpuCheck
from zen_agents.checks.disk import DiskCheck
from zen_agents.checks.engine_health import EngineCheck
from zen_agents.checks.load import LoadCheck
from zen_agents.checks.log import DeletedLogCheck, LogCheck
from zen_agents.checks.memory import MemoryCheck
from zen_agents.checks.network_probe import HttpProbe, TcpProbe
from zen_agents.checks.path import PathCheck
from zen_agents.checks.pressure import PressureCheck
from zen_agents.checks.process import ProcessCheck
from zen_agents.checks.temp_dir import TempDirCheck
from zen_agents.checks.unit import UnitCheck
from zen_agents.guards.allow_list import AllowList
from zen_agents.guards.approval import Approval
from zen_agents.guards.auto_mitigate import AutoMitigate
from zen_agents.guards.base import Guard
from zen_agents.guards.breaker import Breaker
from zen_agents.guards.confirmation import Confirmation
from zen_agents.guards.cooldown import Cooldown
from zen_agents.guards.dependency import Dependency
from zen_agents.guards.dry_run import DryRun
from zen_agents.guards.emergency_stop import EmergencyStop
from zen_agents.guards.foreign_state import ForeignState
from zen_agents.guards.lease import Lease
from zen_agents.guards.maintenance import Maintenance
from zen_agents.guards.mode import Mode
from zen_agents.guards.ownership import Ownership
from zen_agents.guards.pause import Pause
from zen_agents.guards.protected import Protected
from zen_agents.guards.rate_limit import RateLimit
from zen_agents.guards.recurrence import Recurrence
from zen_agents.guards.safe_mode import SafeMode
from zen_agents.guards.stateful import Stateful
from zen_agents.guards.stopped_by_person import StoppedByPerson
from zen_agents.guards.storm_brake import StormBrake

AGENTS: tuple[type[BaseAgent], ...] = (SystemHealthAgent,)

CHECKS: tuple[type[Check], ...] = (
    CpuCheck, LoadCheck, MemoryCheck, PressureCheck, DiskCheck,
    ProcessCheck, UnitCheck, TcpProbe, HttpProbe,
    PathCheck, TempDirCheck, LogCheck, DeletedLogCheck, CacheCheck,
    ClockCheck, EngineCheck,
)  # fmt: skip

ACTIONS: tuple[type[Action], ...] = (
    RestartService,  # level 1 of most ladders: what is down is brought back
    CleanTempFiles,  # room, from what nobody used for long
    RotateLogs,  # room, from what was written and is kept in small
    TruncateDeletedLog,  # room, from what has no name any more
    ClearCache,  # room, from what can be fetched again
    CreateDirectory,  # what must be there
    RestorePermissions,  # what must be so, and no wider
    RemoveStalePidfile,  # what keeps a dead service from starting
)

#: What takes an action back. No list allows one by its own name: it may run where the action may, and by hand alone.
INVERSES: tuple[type[Inverse], ...] = (GiveBackFile, GiveBackPermissions, RemoveMadeDirectories)

#: All are asked every time, in this order; the most restrictive answer wins.
GUARDS: tuple[Guard, ...] = (
    EmergencyStop(),  # a person's stop outranks everything, so it is asked before anything else can go wrong
    SafeMode(),  # acting itself looked dangerous; only people act
    Pause(),  # somebody works on it by hand, or an unknown outcome closed it
    Maintenance(),  # planned work is not a fault; some actions wait for planned hours
    Mode(),  # observe never changes anything
    AutoMitigate(),  # the agent was told only to tell
    AllowList(),  # what is not listed is not done, and an empty target never means all
    Protected(),  # some things are never touched, whatever is listed
    Ownership(),  # whoever owns it, or works on the host now, would fight the repair
    Stateful(),  # a database that recovers must not be killed
    StoppedByPerson(),  # a person's stop is not a fault
    Confirmation(),  # a log line may be old, forged or about something else
    ForeignState(),  # another machine's limits say nothing about this one
    Dependency(),  # what it depends on is repaired first
    StormBrake(),  # when everything looks sick, the observer is
    Lease(),  # two actions on one target undo each other
    Cooldown(),  # a repaired target is given time to show whether it holds
    RateLimit(),  # an engine that repairs without end is itself the fault
    Breaker(),  # what failed several times here will fail again
    Recurrence(),  # a fix that keeps coming back hides the fault
    Approval(),  # what is hard to take back is a person's to decide
    DryRun(),  # last, so that a plan is shown as possible only where all others agree
)


def extend(
    *, agents: Iterable[type[BaseAgent]] = (), checks: Iterable[type[Check]] = (), actions: Iterable[type[Action]] = ()
) -> None:
    """Add what a plug-in brings, once. Guards never come from outside.

    Raises:
        ValueError: if a name is taken already.
    """
    global AGENTS, CHECKS, ACTIONS  # noqa: PLW0603 - this page is the one list of what the product can do
    for agent in agents:
        if agent not in AGENTS:
            _refuse_taken("agent", agent.name, (known.name for known in AGENTS))
            AGENTS = (*AGENTS, agent)
    for check in checks:
        if check not in CHECKS:
            _refuse_taken("check", check.kind, (known.kind for known in CHECKS))
            CHECKS = (*CHECKS, check)
    for action in actions:
        if action not in ACTIONS:
            _refuse_taken("action", action.name, (known.name for known in ACTIONS))
            ACTIONS = (*ACTIONS, action)


def _refuse_taken(what: str, name: str, known: Iterable[str]) -> None:
    if name in known:
        raise ValueError(f"the {what} {name} is there already")
